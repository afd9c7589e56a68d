"""What can go wrong, and httpx's exceptions in our words.

DeviceError
├── DeviceUnreachableError
│   └── NotAnsweredError        connected, and no whole answer in time
└── DeviceRefusedError
    ├── StatusError             the device answered with a status that is no success
    └── AnswerError             the answer cannot be used: too long, encoded, leads elsewhere
"""

import ssl
from http import HTTPStatus

import httpx

from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

REACH_HINT = "Check the device's power and network, and that 'url' is right: try it in a browser."
TLS_HINT = (
    "The device's certificate is not trusted: fetch it and name it as 'ca_file', "
    "or use the host name that stands in it."
)
LOGIN_HINT = "Check 'username' and 'password_file', or 'token_file'; try them in a browser."
PATH_HINT = "Check the point's 'path' against the device's manual."
SLOW_HINT = "Is the device busy? A longer 'timeout_s' or 'interval_s' may help."
_HINTS = {
    HTTPStatus.UNAUTHORIZED: LOGIN_HINT,
    HTTPStatus.FORBIDDEN: LOGIN_HINT,
    HTTPStatus.NOT_FOUND: PATH_HINT,
    HTTPStatus.METHOD_NOT_ALLOWED: "Should this resource stand in 'post', or the reverse?",
    HTTPStatus.TOO_MANY_REQUESTS: "The device is asked too often: make 'interval_s' longer.",
}


class NotAnsweredError(DeviceUnreachableError):
    """The device gave no whole answer."""


class StatusError(DeviceRefusedError):
    """The device answered with an error."""

    def __init__(self, status: int, where: str) -> None:
        """``status`` as the device sent it."""
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "a status that no standard knows"
        super().__init__(
            f"{where} answered {status} ({phrase})",
            hint=_HINTS.get(HTTPStatus(status), "") if status in _HINTS else "",
        )
        self.status = status

    @property
    def detail(self) -> str:
        """What follows ``device_error:`` in the reason of a reading."""
        return str(self.status)


class AnswerError(DeviceRefusedError):
    """The answer cannot be used."""

    def __init__(self, message: str, *, detail: str, hint: str = "") -> None:
        """``detail`` follows ``device_error:`` in the reason of a reading."""
        super().__init__(message, hint=hint)
        self.detail = detail


FOREIGN: dict[type[Exception], type[DeviceError]] = {
    httpx.ConnectTimeout: DeviceUnreachableError,
    httpx.ReadTimeout: NotAnsweredError,
    httpx.WriteTimeout: NotAnsweredError,
    httpx.PoolTimeout: NotAnsweredError,
    httpx.ConnectError: DeviceUnreachableError,
    httpx.ReadError: NotAnsweredError,
    httpx.WriteError: NotAnsweredError,
    httpx.CloseError: NotAnsweredError,
    httpx.ProxyError: DeviceUnreachableError,
    httpx.UnsupportedProtocol: DeviceRefusedError,
    httpx.LocalProtocolError: DeviceRefusedError,
    httpx.RemoteProtocolError: NotAnsweredError,
    httpx.DecodingError: DeviceRefusedError,
    httpx.TooManyRedirects: DeviceRefusedError,
    httpx.HTTPStatusError: DeviceRefusedError,
}
"""Every exception of httpx that can be raised; a test fails when a new one appears."""


def mapped(exc: httpx.HTTPError | OSError, where: str) -> DeviceError:
    """Say in our words what httpx said; raise the result ``from`` it."""
    if isinstance(exc, TimeoutError):
        return NotAnsweredError(f"{where} did not answer in time", hint=SLOW_HINT)
    if isinstance(exc, OSError):
        return DeviceUnreachableError(f"{where} cannot be reached: {exc}", hint=REACH_HINT)
    if (untrusted := _tls_error(exc)) is not None:
        told = getattr(untrusted, "verify_message", "") or str(untrusted)
        return DeviceUnreachableError(f"{where} is not trusted: {told}", hint=TLS_HINT)
    kind = FOREIGN.get(type(exc), DeviceRefusedError)
    hint = SLOW_HINT if isinstance(exc, httpx.ReadTimeout) else REACH_HINT
    return kind(f"{where}: {str(exc) or _spoken(exc)}", hint=hint)


def _spoken(exc: Exception) -> str:
    return "no answer in time" if isinstance(exc, httpx.TimeoutException) else type(exc).__name__


def _tls_error(exc: BaseException) -> ssl.SSLError | None:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
