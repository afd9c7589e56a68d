"""bacpypes3's answers in our words."""

import inspect

import pytest
from bacpypes3 import apdu
from bacpypes3 import errors as foreign
from bacpypes3.apdu import AbortPDU, ErrorPDU, ErrorRejectAbortNack, RejectPDU

from components.bacnet.errors import (
    AbortedError,
    DeviceSilentError,
    ErrorAnswerError,
    RejectedError,
    code_name,
    mapped,
)
from edge_runtime.errors import DeviceRefusedError

ANSWERS = {
    "AbortPDU", "ChangeListError", "ConfirmedPrivateTransferError", "CreateObjectError", "Error",
    "ErrorPDU", "ErrorRejectAbortNack", "ErrorSequence", "RejectPDU", "VTCloseError",
    "WritePropertyMultipleError",
}  # fmt: skip
"""What a request of bacpypes3 can end with."""
RAISED = {
    "AbortException", "ConfigurationError", "DecodingError", "EncodingError", "ExecutionError",
    "RejectException",
}  # fmt: skip
"""Roots of what its layers raise; they end in the datagram that caused them."""


def error(data):
    pdu = ErrorPDU(12)
    pdu.put_data(bytes.fromhex(data))
    return pdu


def test_every_answer_class_of_bacpypes3_is_known():
    found = {
        name
        for name, cls in inspect.getmembers(apdu, inspect.isclass)
        if issubclass(cls, ErrorRejectAbortNack)
    }
    assert found == ANSWERS


def test_every_root_of_its_exceptions_is_known():
    found = {
        name
        for name, cls in inspect.getmembers(foreign, inspect.isclass)
        if issubclass(cls, Exception) and cls.__mro__[1].__module__ == "builtins"
    }
    assert found == RAISED


def test_no_answer_is_unreachable_with_a_hint():
    found = mapped(AbortPDU(reason="no-response"), "device 7")
    assert isinstance(found, DeviceSilentError)
    assert "device 7 did not answer" in str(found)
    assert "firewall" in found.hint


@pytest.mark.parametrize(
    "reason", ["segmentation-not-supported", "buffer-overflow", "apdu-too-long"]
)
def test_abort_for_want_of_room_asks_for_less(reason):
    found = mapped(AbortPDU(reason=reason), "device 7")
    assert isinstance(found, AbortedError)
    assert found.too_long
    assert found.detail == reason


def test_other_abort_does_not():
    assert not mapped(AbortPDU(reason="security-error"), "device 7").too_long


def test_reject_has_its_reason():
    found = mapped(RejectPDU(reason="unrecognized-service"), "device 7")
    assert isinstance(found, RejectedError)
    assert found.detail == "unrecognized-service"


def test_error_has_its_code_and_a_hint():
    found = mapped(error("9101911f"), "device 7")
    assert isinstance(found, ErrorAnswerError | DeviceRefusedError)
    assert found.detail == "unknown-object"
    assert found.hint


def test_damaged_error_is_still_an_error():
    assert mapped(error("ff"), "device 7").detail == "other"


def test_vendors_own_code_has_its_number():
    assert code_name(300) == "error-300"
