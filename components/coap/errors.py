"""What can go wrong with a request, and aiocoap's exceptions in our words.

DeviceError
├── DeviceUnreachableError
│   └── SilentError            no answer in time
└── DeviceRefusedError
    ├── ErrorAnswerError       the device answered with an error code, 4.xx or 5.xx
    └── WrongAnswerError       the device answered something that cannot be used
"""

from aiocoap import error as foreign

from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

SILENT_HINT = (
    "Check power and network, and that the device speaks plain CoAP over UDP on this port: "
    "DTLS (coaps, port 5684) and OSCORE are not supported."
)
REFUSED_HINT = "The host is there, but nothing listens on this port."
NAME_HINT = "Check the spelling of 'host', or write its address."

_HINTS = {
    "4.01": "The device wants credentials; DTLS and OSCORE are not supported.",
    "4.03": "The device does not allow this to the gateway.",
    "4.04": "Look the path up: tidegate edge scan lists the resources of a device.",
    "4.05": "The resource does not allow this method; try the other of PUT and POST.",
    "4.06": "The device does not have the format that was asked for.",
    "4.15": "The device does not take this format: set the point's 'format'.",
}


class SilentError(DeviceUnreachableError):
    """The device does not answer."""


class ErrorAnswerError(DeviceRefusedError):
    """The device answered with an error code."""

    def __init__(self, code: str, where: str, diagnostic: str = "") -> None:
        """``code`` as in the standard: ``4.04``."""
        said = f": {diagnostic}" if diagnostic else ""
        super().__init__(f"{where} refused with {code}{said}", hint=_HINTS.get(code, ""))
        self.detail = code


class WrongAnswerError(DeviceRefusedError):
    """The device answered something that cannot be used."""

    def __init__(self, message: str, detail: str, *, hint: str = "") -> None:
        """``detail`` follows ``device_error:`` in the reason of a reading."""
        super().__init__(message, hint=hint)
        self.detail = detail


_UNREACHABLE = (foreign.NetworkError, foreign.LibraryShutdown, foreign.MissingRemoteError)


def _kind(cls: type[Exception]) -> type[DeviceError]:
    if issubclass(cls, foreign.TimeoutError):
        return SilentError
    return DeviceUnreachableError if issubclass(cls, _UNREACHABLE) else DeviceRefusedError


FOREIGN: dict[type[Exception], type[DeviceError]] = {
    cls: _kind(cls)
    for cls in (
        foreign.AnonymousHost, foreign.BadGateway, foreign.BadOption, foreign.BadRequest,
        foreign.ConRetransmitsExceeded, foreign.ConToMulticast, foreign.Conflict,
        foreign.ConstructionRenderableError, foreign.Error, foreign.Forbidden,
        foreign.GatewayTimeout, foreign.HelpfulError, foreign.HopLimitReached,
        foreign.IncompleteUrlError, foreign.InternalServerError, foreign.LibraryShutdown,
        foreign.MalformedUrlError, foreign.MessageError, foreign.MethodNotAllowed,
        foreign.MissingBlock2Option, foreign.MissingRemoteError, foreign.NetworkError,
        foreign.NoRequestInterface, foreign.NoResource, foreign.NotAcceptable, foreign.NotFound,
        foreign.NotImplemented, foreign.NotObservable, foreign.ObservationCancelled,
        foreign.PreconditionFailed, foreign.ProxyingNotSupported, foreign.RemoteServerShutdown,
        foreign.RenderableError, foreign.RequestEntityIncomplete, foreign.RequestEntityTooLarge,
        foreign.RequestTimedOut, foreign.ResolutionError, foreign.ResourceChanged,
        foreign.ResponseWrappingError, foreign.ServiceUnavailable, foreign.TimeoutError,
        foreign.TooManyRequests, foreign.UnallowedMethod, foreign.Unauthorized,
        foreign.UnexpectedBlock1Option, foreign.UnexpectedBlock2, foreign.UnparsableMessage,
        foreign.UnprocessableEntity, foreign.UnsupportedContentFormat, foreign.UnsupportedMethod,
        foreign.WaitingForClientTimedOut,
    )
}  # fmt: skip
"""Every exception class of aiocoap; a test fails when a new one appears."""


def mapped(exc: Exception, where: str) -> DeviceError:
    """Say in our words what aiocoap or the system said; raise the result ``from`` it."""
    if isinstance(exc, TimeoutError | foreign.TimeoutError):
        return SilentError(f"{where} did not answer in time", hint=SILENT_HINT)
    if isinstance(exc, foreign.ResolutionError | ValueError):
        return DeviceUnreachableError(
            f"{where} has no host name that can be looked up: {exc}", hint=NAME_HINT
        )
    if isinstance(exc, foreign.MessageError):
        return DeviceUnreachableError(f"{where} reset the exchange", hint=SILENT_HINT)
    cause = exc.__cause__ if isinstance(exc, foreign.NetworkError) else exc
    if isinstance(cause, OSError):
        reason = cause.strerror or str(cause) or type(cause).__name__
        hint = REFUSED_HINT if isinstance(cause, ConnectionRefusedError) else SILENT_HINT
        return DeviceUnreachableError(f"{where} cannot be reached: {reason}", hint=hint)
    kind = FOREIGN.get(type(exc), DeviceRefusedError)
    hint = SILENT_HINT if issubclass(kind, DeviceUnreachableError) else ""
    return kind(f"{where}: {str(exc) or type(exc).__name__}", hint=hint)
