import asyncio
import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.mqtt import wire
from simulators.mqtt.faults import Fault, distorted
from simulators.mqtt.wire import Publish, Type, WireError


async def read(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await wire.read_packet(reader)


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 100_000])
async def test_length_of_a_packet(size):
    message = Publish("t", b"x" * size)
    assert wire.parse_publish(await read(wire.publish(message))) == message


async def test_publish_with_a_number():
    message = Publish("a/b", b"1", 1, retain=True, packet_id=7)
    assert wire.parse_publish(await read(wire.publish(message))) == message


async def test_connect_with_a_will():
    will = Publish("w", b"gone", 1, retain=True)
    hello = wire.parse_connect(await read(wire.connect("me", will=will)))
    assert (hello.client_id, hello.will, hello.clean) == ("me", will, True)


async def test_subscribe():
    found = await read(wire.subscribe(["a", "b/#"], 9))
    assert wire.parse_filters(found) == (9, [("a", 1), ("b/#", 1)])


@given(st.integers(1, 14), st.integers(0, 15), st.binary(max_size=30))
def test_no_body_raises_anything_else(kind, flags, body):
    found = wire.Packet(kind, flags, body)
    for parse in (wire.parse_publish, wire.parse_connect, wire.parse_filters):
        with contextlib.suppress(WireError):
            assert parse(found)


async def test_packet_without_end_is_refused():
    with pytest.raises(WireError, match="more than four bytes"):
        await read(b"\x30\xff\xff\xff\xff\x01")
    with pytest.raises(WireError, match="a packet of"):
        await read(b"\x30\xff\xff\xff\x7f")


def test_every_fault_changes_or_keeps_messages():
    rng = random.Random(1)
    messages = [Publish("a", b'{"t": 1}'), Publish("b", b"21.5")]
    found = {fault: distorted(fault, messages, rng) for fault in Fault}
    assert found[Fault.NONE] == messages
    assert found[Fault.SILENCE] == found[Fault.DEATH] == []
    assert len(found[Fault.DUPLICATE]) == 4
    assert found[Fault.HALF_CONFIGURED] == messages[:1]
    assert [m.payload for m in found[Fault.WRONG_TYPE]] == [b'{"t": "unknown"}', b"unknown"]
    assert all(len(m.payload) > 300_000 for m in found[Fault.HUGE])


def test_types_are_the_standards():
    assert (Type.CONNECT, Type.PUBLISH, Type.DISCONNECT) == (1, 3, 14)
