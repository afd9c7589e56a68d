import pytest
from pydantic import ValidationError

from components.sparkplug.driver import driver
from components.sparkplug.settings import Settings

POINT = {"name": "p", "metric": "m"}


def make(**more):
    return Settings(
        **{
            "name": "d",
            "host": "b",
            "group_id": "g",
            "edge_node_id": "n",
            "points": [POINT],
            **more,
        }
    )


def test_address_names_edge_node_and_device():
    assert make().at == "mqtt://b:1883 g/n"
    assert make(device_id="x").at == "mqtt://b:1883 g/n/x"


@pytest.mark.parametrize("field", ["group_id", "edge_node_id", "device_id", "host_id"])
@pytest.mark.parametrize("text", ["a/b", "a+", "#"])
def test_ids_are_one_level_of_a_topic(field, text):
    with pytest.raises(ValidationError, match=field):
        make(**{field: text})


def test_host_application_begins_anew_with_each_connection():
    with pytest.raises(ValidationError, match="clean_start: true"):
        make(host_id="h", clean_start=False, client_id="c")


def test_state_of_the_host_is_the_will_of_its_connection():
    will = make(host_id="h").will().at(1_700)
    assert will.topic == "spBv1.0/STATE/h"
    assert will.gone == '{"online":false,"timestamp":1700}'
    assert will.alive == '{"online":true,"timestamp":1700}'
    assert make().will() is None


def test_plan_is_one_subscription():
    [plan] = driver.plan(make(), ["p"])
    assert plan.label == "subscribe to spBv1.0/g/+/n/# with QoS 0"
    assert driver.plan(make(), []) == []
