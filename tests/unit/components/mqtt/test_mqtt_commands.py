import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.mqtt.client import Message
from components.mqtt.commands import answers, check_answer, outgoing
from components.mqtt.errors import CommandRefusedError
from components.mqtt.settings import Point
from edge_runtime.errors import DeviceRefusedError

CORRELATED = {"topic": "c", "format": "json", "response_topic": "r", "correlation": "id"}


def make(command=None, **more):
    return Point(name="p", topic="t", command={"topic": "c"} | (command or {}), **more)


@pytest.mark.parametrize(
    ("more", "value", "payload"),
    [
        ({}, 21.5, b"21.5"),
        ({"kind": "integer"}, 21.0, b"21"),
        ({"kind": "boolean"}, True, b"true"),
        ({"kind": "boolean", "map": {"ON": True, "OFF": False}}, False, b"OFF"),
        ({"kind": "integer", "map": {"AUTO": 1}}, 1, b"AUTO"),
        ({"kind": "text"}, "run", b"run"),
        ({"command": {"format": "json"}}, 21.5, b'{"value":21.5}'),
        ({"command": {"format": "json", "member": "sp"}, "kind": "boolean"}, 1, b'{"sp":true}'),
    ],
)
def test_command_carries_the_value(more, value, payload):
    point = make(**more)
    assert outgoing(point, point.command, value).payload == payload


@pytest.mark.parametrize(
    ("more", "value"), [({}, "warm"), ({"kind": "text"}, 1), ({"kind": "integer"}, 1.5)]
)
def test_value_that_does_not_fit_is_refused(more, value):
    point = make(**more)
    with pytest.raises(DeviceRefusedError):
        outgoing(point, point.command, value)


def test_each_command_has_an_id_of_its_own():
    point = make(CORRELATED)
    one, two = (outgoing(point, point.command, 1) for _ in range(2))
    assert one.correlation != two.correlation
    assert json.loads(one.payload) == {"value": 1, "id": one.correlation}


def message(payload=b"", correlation=b"", retained=False):
    return Message("r", payload, retained, correlation)


def test_answer_with_our_id_is_ours():
    point = make(CORRELATED)
    sent = outgoing(point, point.command, 1)
    ours = json.dumps({"id": sent.correlation}).encode()
    for five in (False, True):
        assert answers(point.command, sent, message(ours), five=five)
        assert not answers(point.command, sent, message(b'{"id": "other"}'), five=five)
        assert not answers(point.command, sent, message(b"ok"), five=five)


def test_answer_with_our_correlation_data_is_ours():
    point = make({"response_topic": "r"})
    sent = outgoing(point, point.command, 1)
    assert answers(point.command, sent, message(correlation=sent.correlation_data), five=True)
    assert not answers(point.command, sent, message(), five=True)
    assert answers(point.command, sent, message(), five=False)


def test_retained_answer_is_an_old_one():
    point = make({"response_topic": "r"})
    sent = outgoing(point, point.command, 1)
    assert not answers(point.command, sent, message(retained=True), five=False)


def test_error_in_the_answer_is_a_refusal():
    point = make(CORRELATED)
    with pytest.raises(CommandRefusedError, match="'p' was not written: the device says 'too hot'"):
        check_answer(point, point.command, message(b'{"error": "too hot"}'))


@pytest.mark.parametrize(
    "payload", [b'{"ok": true}', b'{"error": ""}', b'{"error": null}', b"ok", b"[]"]
)
def test_any_other_answer_is_an_assent(payload):
    point = make(CORRELATED)
    check_answer(point, point.command, message(payload))


@given(st.binary(max_size=40))
def test_no_answer_raises_anything_else(payload):
    point = make(CORRELATED)
    sent = outgoing(point, point.command, 1)
    assert not answers(point.command, sent, message(payload), five=False)
    with contextlib.suppress(CommandRefusedError):
        check_answer(point, point.command, message(payload))
