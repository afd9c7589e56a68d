import inspect

import pytest
from pymodbus import exceptions as foreign

from components.modbus.errors import BASE_HINT, FOREIGN, WIRING_HINT, ExceptionAnswerError, mapped
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError

CLASSES = {
    cls
    for _, cls in inspect.getmembers(foreign, inspect.isclass)
    if issubclass(cls, Exception) and cls is not foreign.ModbusException
}


def test_every_exception_class_of_pymodbus_is_mapped():
    assert set(FOREIGN) == CLASSES


@pytest.mark.parametrize("cls", sorted(CLASSES, key=lambda cls: cls.__name__))
def test_pymodbus_exception_becomes_ours(cls):
    error = mapped(cls("broken"), "10.0.0.7:502")
    assert type(error) is FOREIGN[cls]
    assert "10.0.0.7:502" in str(error)
    assert "broken" in str(error)


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            "cannot be reached: Connection refused",
        ),
        (TimeoutError(), "did not answer in time"),
        (OSError(), "cannot be reached: OSError"),
    ],
)
def test_error_of_the_system_is_unreachable_with_a_hint(exc, text):
    error = mapped(exc, "10.0.0.7:502")
    assert isinstance(error, DeviceUnreachableError)
    assert text in str(error)
    assert error.hint == WIRING_HINT


def test_illegal_address_hints_at_counting_from_zero():
    error = ExceptionAnswerError(2, "unit 1")
    assert isinstance(error, DeviceRefusedError)
    assert (str(error), error.detail, error.hint) == (
        "unit 1 refused with exception 0x02 (illegal data address)",
        "0x02",
        BASE_HINT,
    )


def test_unknown_exception_code_is_told():
    assert "0x63 (a code the standard does not know)" in str(ExceptionAnswerError(0x63, "unit 1"))
