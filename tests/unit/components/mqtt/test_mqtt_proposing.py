import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.mqtt.client import Message
from components.mqtt.discover import broker_of, listening_seconds, topic_filter
from components.mqtt.proposing import point_name, propose
from components.mqtt.settings import Settings
from edge_runtime.discovery import ScanTarget
from edge_runtime.errors import SettingsError
from edge_runtime.names import POINT_NAME

TARGET = ScanTarget(targets=("b",))
BROKER = broker_of("b:1884", TARGET)


def proposed(**messages):
    heard = {t: Message(t, p.encode(), retained=False) for t, p in messages.items()}
    return list(propose(BROKER, heard))


def test_plain_topics_of_one_branch_are_a_device():
    [found] = proposed(**{"site/boiler/flow": "21.5", "site/boiler/pump": "ON"})
    assert found.address == "mqtt://b:1884 site/boiler"
    assert found.settings == {"protocol": "mqtt", "host": "b", "port": 1884}
    assert [dict(point) for point in found.points] == [
        {"name": "flow", "topic": "site/boiler/flow", "kind": "float"},
        {"name": "pump", "topic": "site/boiler/pump", "kind": "boolean"},
    ]
    assert [r.value for r in found.values] == [21.5, True]


def test_document_is_a_device_with_a_point_for_each_leaf():
    [found] = proposed(**{"w/obs": '{"air": {"t": 1.5, "dew point": 2}, "wind": [3], "x": null}'})
    assert [point["json_path"] for point in found.points] == [
        "$.air.t",
        "$.air['dew point']",
        "$.wind[0]",
    ]
    assert [point["name"] for point in found.points] == ["air_t", "air_dew_point", "wind_0"]


def test_pack_is_a_device_with_a_point_for_each_record():
    [found] = proposed(s='[{"bn":"urn:x:","n":"t","u":"Cel","v":3},{"n":"d","vb":true}]')
    assert [dict(point) for point in found.points] == [
        {"name": "t", "topic": "s", "kind": "float", "format": "senml", "record": "urn:x:t",
         "unit": "Cel"},
        {"name": "d", "topic": "s", "kind": "boolean", "format": "senml", "record": "urn:x:d"},
    ]  # fmt: skip


def test_topic_of_a_last_will_becomes_the_availability_of_its_neighbours():
    found = proposed(**{"s/w/obs": '{"t": 1}', "s/w/LWT": "Online", "s/b/flow": "2"})
    assert {one.address.partition(" ")[2]: one.settings.get("availability") for one in found} == {
        "s/w/obs": {"topic": "s/w/LWT", "online": "Online", "offline": "Offline"},
        "s/b": None,
    }


def test_same_names_are_told_apart():
    [found] = proposed(d='{"a b": 1, "a_b": 2, "a-b": 3}')
    assert [point["name"] for point in found.points] == ["a_b", "a_b_2", "a_b_3"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["a/b", "a/c", "d"]), JSON.map(json.dumps) | st.text(max_size=20)
    )
)
def test_whatever_is_proposed_can_be_set(messages):
    for number, found in enumerate(proposed(**messages)):
        fields = {key: value for key, value in found.settings.items() if key != "protocol"}
        settings = Settings(**fields, name=f"d{number}", points=found.points)
        assert len(settings.points) == len(found.values)


@given(st.text(max_size=80))
def test_any_text_makes_a_name(text):
    assert re.fullmatch(POINT_NAME, point_name(text))
    assert len(point_name(text)) <= 63


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("b", "mqtt://b:1883"),
        ("mqtt://10.0.0.7:1884", "mqtt://10.0.0.7:1884"),
        ("mqtts://b", "mqtts://b:8883"),
        ("[::1]:1884", "mqtt://::1:1884"),
    ],
)
def test_targets(text, at):
    assert broker_of(text, TARGET).at == at


@pytest.mark.parametrize("text", ["", "http://b", "b:x", "b/path", "u@b", "b:99999", "[::1"])
def test_target_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="is no broker"):
        broker_of(text, TARGET)


def test_options():
    assert topic_filter({"topic": "a/#"}) == "a/#"
    assert listening_seconds({"seconds": "2.5"}) == 2.5
    secure = ScanTarget(targets=("b",), options={"ca_file": "/ca.pem", "username": "u"})
    assert broker_of("b", secure).tls.ca_file.name == "ca.pem"


@pytest.mark.parametrize("options", [{"topic": "a/#/b"}, {"tpoic": "a"}])
def test_wrong_option_is_refused(options):
    with pytest.raises(SettingsError):
        topic_filter(options)


@pytest.mark.parametrize("text", ["soon", "0", "-1", "601", "nan", "inf"])
def test_time_to_listen_is_bounded(text):
    with pytest.raises(SettingsError):
        listening_seconds({"seconds": text})
