import pytest
from pydantic import ValidationError

from components.coap.settings import Settings
from tidegate.edge.loading import load_gateway

ASKED = {"name": "tank", "host": "10.0.0.7", "points": [{"name": "t", "path": "/t"}]}
POSTED = {
    "name": "tank",
    "listen": "0.0.0.0",
    "sources": ["10.0.0.0/24"],
    "points": [{"name": "t"}],
}


def point(**fields):
    return {"points": [{"name": "t", "path": "/t"} | fields]}


@pytest.mark.parametrize(
    ("base", "changes", "message"),
    [
        (ASKED, {"host": ""}, "either 'host'"),
        (ASKED, {"listen": "0.0.0.0"}, "either 'host'"),
        (ASKED, {"points": [{"name": "t"}]}, "point 't' needs the 'path'"),
        (ASKED, {"path": "/x"}, "belong to a device with 'listen'"),
        (ASKED, {"sources": ["10.0.0.0/8"]}, "belong to a device with 'listen'"),
        (ASKED, {"sources": ["10.0.0.1/8"]}, "has host bits set"),
        (ASKED, point(path="t"), "'t' is no path of a resource"),
        (ASKED, point(path="/a b"), "is no path of a resource"),
        (ASKED, point(path="/" + "a" * 256), "at most 255 bytes"),
        (ASKED, point(path="/" + "ä" * 128), "at most 255 bytes"),
        (ASKED, point(json_path="a["), "'a[' is no JSONPath"),
        (ASKED, point(json_path="$.a", record="r"), "one of them"),
        (ASKED, point(accept=True), "point 't': 'accept' needs a 'format'"),
        (ASKED, {"points": [{"name": f"t{n}", "path": f"/{n}"} for n in range(201)]}, "more than 200"),
        (POSTED, {"sources": []}, "'listen' needs 'sources'"),
        (POSTED, {"points": [{"name": "t", "path": "/t"}]}, "with 'listen' leave 'path' out"),
        (POSTED, {"path": "tank"}, "'tank' is no path"),
        (POSTED, {"path": "/tank?x=1"}, "is no path"),
    ],
)  # fmt: skip
def test_wrong_settings_say_what_is_wrong(base, changes, message):
    with pytest.raises(ValidationError) as caught:
        Settings(**(base | changes))
    assert message in str(caught.value)


def test_where_it_is_is_written_as_in_a_uri():
    assert Settings(**ASKED).at == "10.0.0.7:5683"
    assert Settings(**ASKED | {"host": "fd00::7", "port": 61616}).at == "[fd00::7]:61616"
    assert Settings(**POSTED).at == "0.0.0.0:5683/tank"


def test_records_have_their_base_name():
    fields = {"base_name": "urn:", "points": [{"name": "t", "path": "/t", "record": "x"}]}
    asked, posted = Settings(**ASKED | fields), Settings(**POSTED | {"base_name": "urn:"})
    assert asked.record_of(asked.points[0]) == "urn:x"
    assert posted.record_of(posted.points[0]) == "urn:t"
    assert Settings(**ASKED).record_of(Settings(**ASKED).points[0]) == ""


@pytest.mark.parametrize(
    ("base", "more", "promised_s"),
    [
        (ASKED, {}, 3 * 60 + 10),
        (ASKED, {"interval_s": 1}, 65 + 20),
        (ASKED, {"interval_s": 1, **point(observe=False)}, 3 + 10),
        (ASKED, {"stale_after_s": 7}, 7),
        (POSTED, {"interval_s": 10, "timeout_s": 1}, 31),
    ],
)
def test_observed_points_may_be_silent_until_they_are_renewed(base, more, promised_s):
    settings = Settings(**base | more)
    assert settings.promised_s(settings.points[0]) == promised_s


def test_demo_profile_reads_the_simulator(tmp_path):
    (tmp_path / "gateway.yaml").write_text(
        "gateway: {name: a}\n"
        "devices: [{name: t, protocol: coap, profile: demo-rain-tank, host: 127.0.0.1}]\n"
    )
    (device,) = load_gateway(tmp_path / "gateway.yaml").settings.devices
    assert device.settings.points[5].map == {"on": True, "off": False}
