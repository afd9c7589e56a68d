"""Frames and messages: what goes in comes out, and nothing else comes out."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.adapters.frames import HEADER, MAX_BODY_BYTES, pack_frame, read_frame
from edge_runtime.adapters.messages import (
    Ask,
    Handover,
    Hello,
    Taken,
    encode,
    from_adapter,
    from_runtime,
    live_of,
    readings_of,
)
from edge_runtime.errors import AdapterLinkError
from edge_runtime.model import Quality, Reading


async def read(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_frame(reader)


async def test_a_frame_gives_its_body():
    assert await read(pack_frame(b"body")) == b"body"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "went away"),
        (pack_frame(b"body")[:-1], "went away"),
        (pack_frame(b"body")[:-1] + b"x", "checksum"),
        (HEADER.pack(MAX_BODY_BYTES + 1, 0), "may have"),
    ],
)
async def test_a_broken_frame_is_the_end_of_the_line(data, reason):
    with pytest.raises(AdapterLinkError, match=reason):
        await read(data)


def test_a_body_that_is_too_large_is_not_sent():
    with pytest.raises(AdapterLinkError):
        pack_frame(bytes(MAX_BODY_BYTES + 1))


@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_an_error(body):
    for read_message in (from_adapter, from_runtime):
        try:
            read_message(body)
        except AdapterLinkError:
            continue


def test_messages_survive_the_socket():
    hello = Hello(1, "serial-1", 7, "0.1.0", "e" * 16, {"samples": 3})
    assert from_adapter(encode(hello)) == hello
    assert from_runtime(encode(Ask(1, "refresh", "pump"))) == Ask(1, "refresh", "pump")


def test_a_message_of_the_first_version_stays_readable():
    handover = bytes.fromhex("95a848616e646f766572a773616d706c65730201c403616263")
    assert from_adapter(handover) == Handover("samples", 2, 1, b"abc")
    taken = bytes.fromhex("93a554616b656ea773616d706c657302")
    assert from_runtime(taken) == Taken("samples", 2)


def test_a_field_of_a_later_version_is_passed_over():
    body = encode(Taken("samples", 2))
    later = bytes([body[0] + 1]) + body[1:] + b"\xc3"
    assert from_runtime(later) == Taken("samples", 2)


VALUES = [1.5, 3, True, "open", None]


def test_present_values_keep_everything():
    readings = [
        Reading(f"pump/p{n}", value, Quality.GOOD, "", 9, 7) for n, value in enumerate(VALUES)
    ]
    readings.append(Reading("pump/bad", None, Quality.BAD, "no_answer", None, 7))
    live = from_adapter(encode(live_of("pump", readings, 1.0)))
    assert readings_of(live).readings == readings
    assert readings_of(live).reported == ()


@pytest.mark.parametrize(
    ("column", "content"),
    [("values", []), ("qualities", b"\x07"), ("reasons", ["a", "b"]), ("points", ["fan/speed"])],
)
def test_present_values_that_do_not_fit_together_are_refused(column, content):
    live = live_of("pump", [Reading("pump/flow", 1.0)], 1.0)
    changed = {f: getattr(live, f) for f in live.__struct_fields__} | {column: content}
    with pytest.raises(AdapterLinkError):
        readings_of(type(live)(**changed))
