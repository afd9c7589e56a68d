import inspect

import pytest
from aiocoap import error as foreign

from components.coap.errors import (
    FOREIGN,
    NAME_HINT,
    REFUSED_HINT,
    SILENT_HINT,
    ErrorAnswerError,
    SilentError,
    mapped,
)
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

CLASSES = {
    cls
    for _, cls in inspect.getmembers(foreign, inspect.isclass)
    if issubclass(cls, Exception) and cls.__module__ == foreign.__name__
}


def test_every_exception_class_of_aiocoap_is_mapped():
    assert set(FOREIGN) == CLASSES


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda cls: cls.__name__))
def test_aiocoap_exception_becomes_ours(cls):
    error = mapped(cls.__new__(cls, "broken"), "10.0.0.7:5683")
    assert isinstance(error, DeviceError)
    assert "10.0.0.7:5683" in str(error)
    if issubclass(cls, foreign.NetworkError):
        assert isinstance(error, DeviceUnreachableError)
        assert error.hint


@pytest.mark.parametrize(
    ("exc", "kind", "text", "hint"),
    [
        (TimeoutError(), SilentError, "did not answer in time", SILENT_HINT),
        (foreign.ConRetransmitsExceeded(), SilentError, "did not answer in time", SILENT_HINT),
        (foreign.MessageError(), DeviceUnreachableError, "reset the exchange", SILENT_HINT),
        (
            foreign.ResolutionError("no"),
            DeviceUnreachableError,
            "looked up: Name resolution error: no",
            NAME_HINT,
        ),
        (UnicodeError("label"), DeviceUnreachableError, "looked up: label", NAME_HINT),
        (
            OSError(101, "Network is unreachable"),
            DeviceUnreachableError,
            "unreachable",
            SILENT_HINT,
        ),
        (foreign.UnexpectedBlock2(), DeviceRefusedError, "UnexpectedBlock2", ""),
    ],
)
def test_what_went_wrong_is_said_with_a_hint(exc, kind, text, hint):
    error = mapped(exc, "10.0.0.7:5683")
    assert (type(error), error.hint) == (kind, hint)
    assert text in str(error)


def test_network_error_tells_its_cause():
    exc = foreign.NetworkError("x")
    exc.__cause__ = ConnectionRefusedError(111, "Connection refused")
    error = mapped(exc, "10.0.0.7:5683")
    assert str(error) == "10.0.0.7:5683 cannot be reached: Connection refused"
    assert error.hint == REFUSED_HINT


def test_error_answer_names_code_diagnostic_and_cure():
    error = ErrorAnswerError("4.04", "10.0.0.7:5683/temp", "no sensor")
    assert str(error) == "10.0.0.7:5683/temp refused with 4.04: no sensor"
    assert (error.detail, bool(error.hint)) == ("4.04", True)
    assert ErrorAnswerError("5.03", "x").hint == ""
