import cbor2
import pytest

from components.coap.discover import targets_of
from components.coap.exchange import Answer
from components.coap.links import Link
from components.coap.proposals import propose
from components.coap.values import Payload
from edge_runtime.discovery import ScanTarget
from edge_runtime.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("10.0.0.7", [("10.0.0.7", 5683)]),
        ("10.0.0.7:61616", [("10.0.0.7", 61616)]),
        ("coap://tank.example/", [("tank.example", 5683)]),
        ("[fd00::7]:5", [("fd00::7", 5)]),
        ("fd00::7", [("fd00::7", 5683)]),
        ("10.0.0.0/30", [("10.0.0.1", 5683), ("10.0.0.2", 5683)]),
    ],
)
def test_targets_are_read_as_people_write_them(text, hosts):
    assert targets_of(ScanTarget((text, text))) == hosts


def test_large_network_is_taken_up_to_the_bound():
    assert len(targets_of(ScanTarget(("10.0.0.0/8", "fd00::/64"), max_requests=50))) == 50


@pytest.mark.parametrize("text", ["", "a b", "10.0.0.7:x", "10.0.0.7:0", ":5683", "10.0.0.0/99"])
def test_target_that_is_none_is_said_with_a_hint(text):
    with pytest.raises(SettingsError) as caught:
        targets_of(ScanTarget((text,)))
    assert "10.0.0.7" in caught.value.hint


def proposed(data, content_format, taken=()):
    answer = Answer(Payload(data, content_format), 60.0, None, "2.05")
    return propose(Link("/s", "Sensor", observable=True), answer, set(taken))


def test_plain_value_is_one_point():
    [(point, reading, _)] = proposed(b"21.5", None)
    assert point == {
        "name": "s", "kind": "float", "path": "/s", "observe": True, "description": "Sensor",
    }  # fmt: skip
    assert (reading.point, reading.value) == ("s", 21.5)


def test_document_is_a_point_for_each_scalar():
    data = b'{"a": {"b": [true, null]}, "c": "x", "not a name": 1, "d": []}'
    found = {p["json_path"]: (p["name"], p["kind"], r.value) for p, r, _ in proposed(data, 50)}
    assert found == {"$.a.b[0]": ("s_a_b_0", "boolean", True), "$.c": ("s_c", "text", "x")}


def test_pack_is_a_point_for_each_record_with_unit():
    pack = cbor2.dumps([{-2: "urn:x:", 0: "t", 1: "%RH", 2: 50}, {0: "on", 4: True}])
    points = [point for point, _, _ in proposed(pack, 112, ["s_t"])]
    assert [(p["name"], p["record"], p.get("unit")) for p in points] == [
        ("s_t_2", "urn:x:t", "%"),
        ("s_on", "urn:x:on", None),
    ]


@pytest.mark.parametrize(
    ("data", "content_format"),
    [(b"\xff", 0), (b"{", 50), (b"", 60), (b"<x/>", 41), (b"x" * 2_000, 0)],
)
def test_what_is_no_value_is_not_proposed(data, content_format):
    assert proposed(data, content_format) == []


def test_large_document_is_proposed_in_part():
    data = ("[" + ",".join(["1"] * 500) + "]").encode()
    assert len(proposed(data, 50)) == 50
