"""The parser of server-sent events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.errors import AnswerInvalidError
from cloud_sync.transports.events import SIGN_OF_LIFE, EventParser, ServerEvent

STREAM = b': ping\n\nevent: document\nid: 7\ndata: {"a":\ndata: 1}\n\nretry: 5\n\ndata: x\r\n\r\n'
EVENTS = [
    SIGN_OF_LIFE,
    ServerEvent("document", "7", b'{"a":\n1}'),
    ServerEvent("message", "", b"x"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=10))
def test_events_do_not_depend_on_how_the_bytes_were_cut(cuts):
    parser = EventParser()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


def test_an_event_is_given_only_when_it_is_whole():
    parser = EventParser()
    assert list(parser.feed(b"data: half")) == []
    assert list(parser.feed(b"\n")) == []
    assert list(parser.feed(b"\n")) == [ServerEvent("message", "", b"half")]


def test_a_line_without_end_is_refused():
    parser = EventParser(max_bytes=100)
    with pytest.raises(AnswerInvalidError, match="longer than 100 bytes"):
        list(parser.feed(b"data: " + b"x" * 100))


def test_an_event_of_many_lines_is_refused_too():
    parser = EventParser(max_bytes=100)
    with pytest.raises(AnswerInvalidError):
        list(parser.feed(b"data: 12345\n" * 20))


def test_many_small_events_are_fine():
    parser = EventParser(max_bytes=100)
    assert len(list(parser.feed(b"data: 12345\n\n" * 50))) == 50


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_refused(data):
    parser = EventParser(max_bytes=200)
    try:
        events = list(parser.feed(data))
    except AnswerInvalidError:
        return
    assert all(len(event.data) <= 200 for event in events)
