"""What can go wrong with a request, and bacpypes3's answers in our words.

DeviceError
├── DeviceUnreachableError
│   └── DeviceSilentError     it was asked, and did not answer in time
└── DeviceRefusedError
    ├── ErrorAnswerError      an Error with class and code
    ├── RejectedError         a Reject: the request as such does not suit the device
    ├── AbortedError          an Abort: the device could not finish it, or not in one message
    └── WrongAnswerError      an answer that does not fit the request
"""

from bacpypes3.apdu import (
    AbortPDU,
    AbortReason,
    ErrorPDU,
    ErrorRejectAbortNack,
    RejectPDU,
    RejectReason,
)
from bacpypes3.basetypes import ErrorCode

from components.bacnet.messages import Refusal, refusal_of
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

WIRING_HINT = (
    "Check the device's power and network, its address and port (47808), and that no firewall "
    "keeps UDP away."
)
FIND_HINT = (
    "Broadcasts stay within one network: set 'local_address' with the length of that network, "
    "'foreign' for devices behind a router, or give 'host'."
)
PORT_HINT = (
    "Another BACnet program has this port: stop it, set 'local_port: 0' where 'host' is given, or "
    "another 'local_address'."
)
TOO_LONG = frozenset({"buffer-overflow", "segmentation-not-supported", "apdu-too-long", "out-of-resources"})  # fmt: skip
"""Reasons to ask for less at a time (20.1.9)."""
NO_SERVICE = frozenset({"unrecognized-service"})

_HINTS = {
    "unknown-object": "The device has no such object: look at its object list.",
    "unknown-property": "The object has no such property.",
    "write-access-denied": "The device does not let this be written, or only by its own tools.",
    "value-out-of-range": "The value is beyond what the object accepts.",
    "invalid-data-type": "The object wants a value of another type.",
}


class DeviceSilentError(DeviceUnreachableError):
    """The device did not answer in time."""


class AnsweredError(DeviceRefusedError):
    """The device answered, and refused."""

    def __init__(self, where: str, detail: str, kind: str) -> None:
        super().__init__(f"{where}: {kind} '{detail}'", hint=_HINTS.get(detail, ""))
        self.detail = detail
        """What follows ``device_error:`` in the reason of a reading."""


class ErrorAnswerError(AnsweredError):
    """The device answered with an error."""

    def __init__(self, where: str, refusal: Refusal) -> None:
        """``refusal`` has class and code."""
        super().__init__(where, code_name(refusal.error_code), "the device answered with the error")
        self.refusal = refusal


class RejectedError(AnsweredError):
    """The device rejected the request."""

    def __init__(self, where: str, detail: str) -> None:
        """``detail`` is the reason's name."""
        super().__init__(where, detail, "the device rejected the request with")


class AbortedError(AnsweredError):
    """The device gave the request up."""

    def __init__(self, where: str, detail: str) -> None:
        """``detail`` is the reason's name."""
        super().__init__(where, detail, "the request was aborted with")

    @property
    def too_long(self) -> bool:
        """Whether asking for less may help."""
        return self.detail in TOO_LONG


class WrongAnswerError(DeviceRefusedError):
    """The device answered something that does not fit the request."""

    detail = "wrong-answer"


def code_name(code: int) -> str:
    """Name a BACnetErrorCode as the standard does; of a vendor's own its number is all there is."""
    return _name(ErrorCode, code, "error")


def _name(kind: type[ErrorCode | AbortReason | RejectReason], code: int, title: str) -> str:
    words = str(kind(code))
    return f"{title}-{code}" if words.isdecimal() else words


def mapped(exc: ErrorRejectAbortNack, where: str) -> DeviceError:
    """Say in our words what the device, or bacpypes3 for it, answered; raise the result."""
    match exc:
        case AbortPDU(apduAbortRejectReason=reason):
            if reason == AbortReason.noResponse:
                return DeviceSilentError(f"{where} did not answer", hint=WIRING_HINT)
            return AbortedError(where, _name(AbortReason, int(reason), "abort"))
        case RejectPDU(apduAbortRejectReason=reason):
            return RejectedError(where, _name(RejectReason, int(reason), "reject"))
        case ErrorPDU():
            return _error_answer(exc, where)
        case _:
            return WrongAnswerError(f"{where} answered {type(exc).__name__}")


def _error_answer(exc: ErrorPDU, where: str) -> DeviceError:
    if exc.pduData is None or not hasattr(exc, "errorCode"):
        return ErrorAnswerError(where, refusal_of(bytes(exc.pduData or b"")))
    # bacpypes3's own network layer: the router or the network is not there
    return DeviceUnreachableError(f"{where}: {exc.errorCode}", hint=FIND_HINT)
