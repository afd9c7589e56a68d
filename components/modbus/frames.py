"""The answers as bytes, checked.

pymodbus's own classes decode register by register, and accept answers that are too short.
"""

from collections.abc import Callable

from pymodbus.pdu import ExceptionResponse, ModbusPDU

from components.modbus import limits
from components.modbus.errors import (
    LIMIT_HINT,
    ExceptionAnswerError,
    UnitSilentError,
    WrongAnswerError,
)

GATEWAY_CODES = frozenset({limits.GATEWAY_PATH_UNAVAILABLE, limits.GATEWAY_NO_ANSWER})


class RawAnswer(ModbusPDU):
    """An answer left as it came: what follows the function code."""

    data = b""

    def decode(self, data: bytes) -> None:
        """Keep the bytes."""
        self.data = data

    @classmethod
    def calculateRtuFrameSize(cls, data: bytes) -> int:  # noqa: N802 - pymodbus's name
        """Take all there is: :mod:`components.modbus.rtu` hands over one whole frame."""
        return len(data)

    def __str__(self) -> str:
        """Stay short: pymodbus makes this text for every answer, logged or not."""
        return f"{type(self).__name__}({len(self.data)} bytes)"


FUNCTIONS = (
    limits.READ_COILS,
    limits.READ_DISCRETE_INPUTS,
    limits.READ_HOLDING_REGISTERS,
    limits.READ_INPUT_REGISTERS,
    limits.WRITE_COIL,
    limits.WRITE_REGISTER,
    limits.WRITE_REGISTERS,
    limits.READ_IDENTIFICATION,
)
READS: dict[int, Callable[[int], int]] = {
    limits.READ_COILS: lambda count: (count + 7) // 8,
    limits.READ_DISCRETE_INPUTS: lambda count: (count + 7) // 8,
    limits.READ_HOLDING_REGISTERS: lambda count: 2 * count,
    limits.READ_INPUT_REGISTERS: lambda count: 2 * count,
}
"""Bytes of data in the answer to a read of this function and count."""
RAW_ANSWERS: tuple[type[RawAnswer], ...] = tuple(
    type(f"RawAnswer{function}", (RawAnswer,), {"function_code": function})
    for function in FUNCTIONS
)
"""One class a function that we use, for ``client.register``."""

MIN_LENGTH = 3
"""Unit id, function code and at least one byte: an exception (messaging 3.1.3, application 7)."""

LENGTH_ENDS = 6
"""Bytes of the header before the unit id, which is the first that its length counts."""


def is_frame(data: bytes) -> bool:
    """Tell whether bytes begin like a Modbus TCP answer: protocol 0, fitting length, our function.

    Fewer bytes than a header cannot be judged yet and pass.
    """
    if len(data) <= limits.MBAP_BYTES:
        return True
    length = int.from_bytes(data[4:LENGTH_ENDS], "big")
    function = data[limits.MBAP_BYTES] & ~limits.ERROR_FLAG
    fits = MIN_LENGTH <= length <= 1 + limits.MAX_PDU_BYTES
    return data[2:4] == b"\0\0" and fits and function in FUNCTIONS


def skip_late(data: bytes, transaction: int) -> bytes:
    """Drop whole frames of other transactions: late answers to requests that were given up."""
    while is_frame(data) and len(data) > limits.MBAP_BYTES:
        end = LENGTH_ENDS + int.from_bytes(data[4:LENGTH_ENDS], "big")
        if int.from_bytes(data[:2], "big") == transaction or len(data) < end:
            break
        data = data[end:]
    return data


def unit_of(data: bytes) -> int | None:
    """Give the unit id of a frame that has got that far."""
    return data[LENGTH_ENDS] if len(data) > LENGTH_ENDS else None


def checked(answer: ModbusPDU, function: int, where: object) -> bytes:
    """Take what follows the function code out of the answer to a request of this function.

    ``where`` becomes text only when something is wrong.

    Raises:
        ExceptionAnswerError: it is an exception.
        UnitSilentError: it is a gateway's exception: no such unit answers behind it.
        WrongAnswerError: it answers another function.

    """
    if isinstance(answer, ExceptionResponse):
        refusal = ExceptionAnswerError(answer.exception_code, where)
        if refusal.code in GATEWAY_CODES:
            raise UnitSilentError(str(refusal), hint=refusal.hint)
        raise refusal
    if answer.function_code != function or not isinstance(answer, RawAnswer):
        msg = f"{where} answered function {answer.function_code} when asked for {function}"
        raise WrongAnswerError(msg)
    return answer.data


def data_of(answer: bytes, expected: int, where: object) -> bytes:
    """Take the data out of the answer to a read, which begins with a count of its bytes.

    Raises:
        WrongAnswerError: there are not exactly as many bytes as were asked for.

    """
    if len(answer) != 1 + expected or answer[0] != expected:
        msg = f"{where} gave {max(len(answer) - 1, 0)} bytes of data when asked for {expected}"
        raise WrongAnswerError(msg, hint=LIMIT_HINT, divisible=True)
    return answer[1:]
