"""What can go wrong with a request, and pymodbus's exceptions in our words.

DeviceError
├── DeviceUnreachableError
│   └── UnitSilentError         the line is up, this unit does not answer
└── DeviceRefusedError
    ├── ExceptionAnswerError    the device answered with an exception code
    └── WrongAnswerError        the device answered something that does not fit the request
"""

from pymodbus import exceptions as foreign

from components.modbus import limits
from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError

WIRING_HINT = "Check the device's power and network, and that the address is right: ping it first."
UNIT_HINT = "Check the unit id, and power and wiring of the device itself."
LINE_HINT = (
    "Check baud rate and parity, the two wires for being swapped, and the resistors at the ends."
)
PORT_HINT = "List the ports with 'ls /dev/serial/by-id'; reading them takes the group dialout."
BUSY_HINT = "Another program holds the port."
SETTINGS_HINT = "This port cannot be set so: check 'baudrate', 'parity' and 'rs485'."
SHARED_HINT = "Give all devices of one line the same 'serial' settings, or the same 'framing'."
CLOSED_HINT = "Many devices allow one to four connections: is another program reading it?"
BASE_HINT = (
    "Addresses count from 0 here: register 1 or 40001 of a manual is address 0. "
    "Try one lower, and the other table (input and holding registers are different ones)."
)
FUNCTION_HINT = "The device does not have this table: try 'input' in the place of 'holding'."
LIMIT_HINT = "Set 'max_registers' to what the manual allows in one request."

_HINTS = {
    limits.ILLEGAL_FUNCTION: FUNCTION_HINT,
    limits.ILLEGAL_ADDRESS: BASE_HINT,
    limits.ILLEGAL_VALUE: LIMIT_HINT,
    limits.DEVICE_BUSY: "The device is busy: read it less often.",
    limits.GATEWAY_PATH_UNAVAILABLE: UNIT_HINT,
    limits.GATEWAY_NO_ANSWER: UNIT_HINT,
}


class UnitSilentError(DeviceUnreachableError):
    """The unit does not answer."""


class ExceptionAnswerError(DeviceRefusedError):
    """The device answered with an exception code."""

    def __init__(self, code: int, where: object) -> None:
        """``code`` as in :data:`components.modbus.limits.EXCEPTIONS`."""
        meaning = limits.EXCEPTIONS.get(code, "a code the standard does not know")
        super().__init__(
            f"{where} refused with exception 0x{code:02X} ({meaning})", hint=_HINTS.get(code, "")
        )
        self.code = code
        self.divisible = code in {limits.ILLEGAL_ADDRESS, limits.ILLEGAL_VALUE}
        """One address, or the length, may be what does not suit the device."""

    @property
    def detail(self) -> str:
        """What follows ``device_error:`` in the reason of a reading."""
        return f"0x{self.code:02X}"


class WrongAnswerError(DeviceRefusedError):
    """The device answered something that does not fit the request."""

    detail = "wrong_answer"

    def __init__(self, message: str, *, hint: str = "", divisible: bool = False) -> None:
        """``divisible`` when shorter requests may be answered rightly."""
        super().__init__(message, hint=hint)
        self.divisible = divisible


FOREIGN: dict[type[foreign.ModbusException], type[DeviceError]] = {
    foreign.ConnectionException: DeviceUnreachableError,
    foreign.ModbusIOException: DeviceUnreachableError,
    foreign.NoSuchIdException: DeviceUnreachableError,
    foreign.MessageRegisterException: DeviceRefusedError,
    foreign.NotImplementedException: DeviceRefusedError,
    foreign.ParameterException: DeviceRefusedError,
}
"""Every exception class of pymodbus; a test fails when a new one appears."""


def mapped(exc: foreign.ModbusException | OSError | UnicodeError, where: str) -> DeviceError:
    """Say in our words what pymodbus or the operating system said; raise the result ``from`` it."""
    if isinstance(exc, TimeoutError):
        return DeviceUnreachableError(f"{where} did not answer in time", hint=WIRING_HINT)
    if isinstance(exc, UnicodeError):
        return DeviceUnreachableError(f"{where} has no host name that can be looked up: {exc}")
    if isinstance(exc, OSError):
        reason = exc.strerror or str(exc) or type(exc).__name__
        return DeviceUnreachableError(f"{where} cannot be reached: {reason}", hint=WIRING_HINT)
    kind = FOREIGN.get(type(exc), DeviceRefusedError)
    hint = WIRING_HINT if kind is DeviceUnreachableError else ""
    return kind(f"{where}: {exc}", hint=hint)
