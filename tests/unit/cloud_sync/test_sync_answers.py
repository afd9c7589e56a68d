"""What an HTTP answer means."""

import json

import msgspec
import pytest

from cloud_sync.errors import (
    AnswerInvalidError,
    CloudBusyError,
    CloudFailedError,
    CloudRefusedError,
    TokenRefusedError,
    UploadTooLargeError,
)
from cloud_sync.transports.answers import Answer, document_of, refusal, reply_of
from cloud_sync.wire import problems
from cloud_sync.wire.identity import TokenReply
from cloud_sync.wire.uplink import MEDIA_TYPE, BatchResult, Outcome, UploadReply

REPLY = UploadReply([BatchResult("samples", "e", 1, Outcome.STORED)])
BODY = msgspec.msgpack.encode(REPLY)


def refused(status: int, code: str = "", **fields) -> Answer:
    body = json.dumps({"code": code, **fields}).encode() if code else b"<html>no</html>"
    return Answer(status, problems.MEDIA_TYPE if code else "text/html", body)


def test_only_a_reply_of_our_own_kind_is_a_reply():
    assert reply_of(Answer(200, MEDIA_TYPE, BODY)) == REPLY


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "text/html", BODY),
        Answer(200, "", BODY),
        Answer(200, MEDIA_TYPE, b"<html>"),
        Answer(200, MEDIA_TYPE, b""),
        Answer(202, MEDIA_TYPE, BODY),
        Answer(302, MEDIA_TYPE, BODY),
        Answer(404, "text/html", b""),
    ],
    ids=["page", "bare", "garbage", "empty", "accepted", "redirect", "lost"],
)
def test_anything_else_is_not_the_cloud(answer):
    with pytest.raises(AnswerInvalidError):
        reply_of(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(401, "not-signed-in"), TokenRefusedError),
        (refused(403, "claim-refused"), CloudRefusedError),
        (refused(413), UploadTooLargeError),
        (refused(429, "too-many-requests"), CloudBusyError),
        (refused(503), CloudBusyError),
        (refused(500, "internal"), CloudFailedError),
        (refused(502), CloudFailedError),
        (refused(403), AnswerInvalidError),
        (Answer(403, problems.MEDIA_TYPE, b'{"code":"\xff"}'), AnswerInvalidError),
    ],
)
def test_each_refusal_has_its_error(answer, error):
    assert type(refusal(answer)) is error


def test_a_refusal_says_what_the_cloud_said():
    error = refusal(refused(409, "conflict", detail="the name is taken"))
    assert isinstance(error, CloudRefusedError)
    assert error.code == "conflict"
    assert "the name is taken" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", 0.0), ("Wed, 21 Oct 2015", 0.0), ("-1", 0.0)]
)
def test_retry_after_is_read_in_seconds(header, seconds):
    error = refusal(Answer(503, "", b"", header))
    assert isinstance(error, CloudBusyError)
    assert error.retry_after_s == seconds


def test_a_json_answer_must_have_the_fields_it_should_have():
    with pytest.raises(AnswerInvalidError, match="not a TokenReply"):
        document_of(Answer(200, "application/json", b"{}"), 200, TokenReply)
