"""What an HTTP answer means. Pure. Only a whole answer of the cloud's own kind is one."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from cloud_sync.errors import (
    AnswerInvalidError,
    CloudBusyError,
    CloudFailedError,
    CloudRefusedError,
    LineError,
    TokenRefusedError,
    UploadTooLargeError,
)
from cloud_sync.wire import problems
from cloud_sync.wire.errors import MessageDamagedError
from cloud_sync.wire.uplink import MEDIA_TYPE, UploadReply, decode_reply

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAX_DETAIL = 300
_NOT_OURS = "a proxy or a sign-in page of the network may stand before the cloud; look at the url"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole and within limits."""

    status: int
    media_type: str
    body: bytes
    retry_after: str = ""
    date_us: int | None = None
    """The cloud's clock as it says, to the second."""


class _Problem(msgspec.Struct):
    code: str = ""
    title: str = ""
    detail: str = ""


_problem = msgspec.json.Decoder(_Problem)


def reply_of(answer: Answer) -> UploadReply:
    """Read the results of an upload.

    Raises:
        LineError: refused, failed, or not an answer of the cloud.

    """
    expect(answer, HTTPStatus.OK, MEDIA_TYPE)
    try:
        return decode_reply(answer.body)
    except MessageDamagedError as exc:
        raise AnswerInvalidError(str(exc), hint=_NOT_OURS) from exc


def document_of(answer: Answer, status: HTTPStatus, model: type[ModelT]) -> ModelT:
    """Read a JSON answer.

    Raises:
        LineError: refused, failed, or not an answer of the cloud.

    """
    expect(answer, status, "application/json")
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as exc:
        msg = f"the answer is not a {model.__name__}: {exc.error_count()} fields do not fit"
        raise AnswerInvalidError(msg, hint=_NOT_OURS) from exc


def expect(answer: Answer, status: HTTPStatus, media_type: str) -> None:
    """Accept this status with this kind of content and nothing else.

    Raises:
        LineError: anything else.

    """
    if answer.status != status:
        raise refusal(answer)
    if media_type and answer.media_type != media_type:
        msg = f"expected {media_type}, got '{answer.media_type[:60]}'"
        raise AnswerInvalidError(msg, hint=_NOT_OURS)


def refusal(answer: Answer) -> LineError:
    """Give the error that an answer other than the expected one stands for."""
    problem = _read_problem(answer)
    said = f"HTTP {answer.status}: {problem.detail or problem.title}"[:_MAX_DETAIL].rstrip(": ")
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return CloudBusyError(said, retry_after_s=_seconds(answer.retry_after))
        case HTTPStatus.UNAUTHORIZED:
            return TokenRefusedError(
                said,
                code=problem.code,
                hint="look at the gateway's clock, and whether the cloud still knows this gateway",
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return UploadTooLargeError(said, code=problem.code)
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return CloudFailedError(said)
        case status if status >= HTTPStatus.BAD_REQUEST and problem.code:
            return CloudRefusedError(said, code=problem.code)
        case _:
            return AnswerInvalidError(said, hint=_NOT_OURS)


def _read_problem(answer: Answer) -> _Problem:
    if answer.media_type != problems.MEDIA_TYPE:
        return _Problem()
    try:
        return _problem.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Problem()


def _seconds(retry_after: str) -> float:
    """Read ``Retry-After`` in seconds; the form with a date is left to the back-off."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
