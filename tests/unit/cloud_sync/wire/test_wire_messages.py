"""Events, uploads and claims: limits and what does not belong."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire.errors import MessageDamagedError, MessageInvalidError
from cloud_sync.wire.events import (
    CommandResult,
    Event,
    Gap,
    body_of,
    decode_events,
    encode_events,
)
from cloud_sync.wire.identity import CLAIM_PREFIX, Claim, EnrolReply, parse_claim
from cloud_sync.wire.uplink import Backlog, Upload, UploadReply, decode_reply, decode_upload
from cloud_sync.wire.version import MAX_BATCH_EVENTS, MAX_UPLOAD_BATCHES

BODIES = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8)
)
EVENTS = st.builds(Event, st.text(max_size=9), st.text(max_size=9), st.integers(0, 1 << 51), BODIES)
TEXT = bytes([0xA5, 0xFF]) + b"name"
"""A msgpack string that is not UTF-8."""


@given(st.lists(EVENTS, min_size=1, max_size=20))
def test_events_survive(events):
    assert decode_events(encode_events(events)) == events


@pytest.mark.parametrize("count", [0, MAX_BATCH_EVENTS + 1])
def test_batches_of_events_outside_the_limits_are_refused(count):
    with pytest.raises(MessageInvalidError, match=str(count)):
        encode_events([Event(str(n), "x", n, {}) for n in range(count)])


def test_a_body_with_a_field_missing_is_refused():
    event = Event("e-1", "command.result", 1, {"state": "failed"})
    with pytest.raises(MessageInvalidError, match="e-1"):
        body_of(event, CommandResult)


def test_a_body_may_have_fields_of_a_later_version():
    body = {"stream": "samples", "epoch": "e", "first": 1, "last": 2, "count": 3, "reason": "full"}
    assert body_of(Event("e", "gap", 1, {**body, "later": 1}), Gap).last == 2


def test_text_that_is_not_utf_8_is_damage():
    with pytest.raises(MessageDamagedError):
        decode_events(zstandard.compress(b"\x91\x84" + TEXT))
    with pytest.raises(MessageDamagedError):
        decode_upload(b"\x83" + TEXT)
    with pytest.raises(MessageDamagedError):
        decode_reply(b"\x81" + TEXT)


def test_too_many_batches_in_an_upload_are_refused():
    upload = Upload(Backlog(0, 0), "1", [b""] * (MAX_UPLOAD_BATCHES + 1))
    with pytest.raises(MessageInvalidError, match=str(MAX_UPLOAD_BATCHES)):
        decode_upload(msgspec.msgpack.encode(upload))


def test_an_upload_without_batches_is_a_heartbeat():
    body = msgspec.msgpack.encode(Upload(Backlog(2, 9, 5), "1"))
    assert decode_upload(body).backlog == Backlog(2, 9, 5)


@pytest.mark.parametrize(
    "body", [b"", b"<html>sign in to the guest network</html>", b"\x81\xa1x\x01"]
)
def test_the_page_of_a_proxy_is_no_acknowledgement(body):
    with pytest.raises(MessageDamagedError):
        decode_reply(body)


def test_an_unknown_outcome_is_no_acknowledgement():
    result = {"stream": "samples", "epoch": "e", "seq": 1, "outcome": "perhaps"}
    with pytest.raises(MessageDamagedError):
        decode_reply(msgspec.msgpack.encode({"results": [result]}))


def test_a_reply_may_have_fields_of_a_later_version():
    assert decode_reply(msgspec.msgpack.encode({"results": [], "later": 1})) == UploadReply([])


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_claim_survives_being_typed(secret, pin):
    claim = Claim(secret, pin)
    typed = str(claim).removeprefix(CLAIM_PREFIX).replace("-", " ").lower()
    assert parse_claim(str(claim)) == parse_claim(f"  tgc {typed} ") == claim


@pytest.mark.parametrize("text", ["", "TGC-", "TGC-ABCD", "hello", "TGC-" + "A" * 60, "TGC-1890"])
def test_what_is_no_claim_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="13 groups") as refused:
        parse_claim(text)
    assert not text or text not in str(refused.value) or text == "TGC-"


def test_a_claim_does_not_show_its_secret_in_logs():
    assert repr(Claim(b"s" * 16, b"p" * 16)) == "Claim(…)"


def test_documents_ignore_fields_of_a_later_version():
    fields = dict.fromkeys(("gateway", "tenant", "site", "certificate", "authority"), "x")
    assert EnrolReply.model_validate({**fields, "later": 1}).gateway == "x"
