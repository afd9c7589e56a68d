"""Writing one point: which request, and what its answer must say; pure."""

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import WriteMultipleRegistersRequest, WriteSingleRegisterRequest

from components.modbus.decode import encode
from components.modbus.errors import WrongAnswerError
from components.modbus.settings import Point, Settings, Table
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Value

ECHO_BYTES = 4
"""An answer to a write repeats address and value, or address and count (application 6.5 to 6.12)."""


def write_request(settings: Settings, point: Point, value: Value) -> ModbusPDU:
    """Make the request that writes a raw value: function 5 for a coil, 6 or 16 for registers.

    Raises:
        DeviceRefusedError: the point cannot be written, or the value does not fit it.

    """
    if point.table in {Table.DISCRETE, Table.INPUT}:
        msg = f"'{point.name}' cannot be written: {point.table.plural} are read-only"
        raise DeviceRefusedError(msg, hint="Many devices mirror them as 'holding' or 'coil'.")
    if point.bit is not None:
        msg = f"'{point.name}' is one bit of a register: the others cannot be kept while writing it"
        raise DeviceRefusedError(msg, hint="Write the whole register as a point of its own.")
    if point.table is Table.COIL:
        return WriteSingleCoilRequest(
            address=point.address, bits=[bool(value)], dev_id=settings.unit
        )
    try:
        words = encode(point, value, settings.word_order)
    except ValueError as exc:
        msg = f"'{point.name}' was not written: {exc}"
        raise DeviceRefusedError(msg) from exc
    kind = WriteSingleRegisterRequest if len(words) == 1 else WriteMultipleRegistersRequest
    return kind(address=point.address, registers=words, dev_id=settings.unit)


def check_echo(request: ModbusPDU, answer: bytes, where: str) -> None:
    """Check that the answer repeats the request.

    Raises:
        WrongAnswerError: it does not.

    """
    if answer != request.encode()[:ECHO_BYTES]:
        msg = f"{where} did not confirm the write: it answered {answer.hex(' ')}"
        raise WrongAnswerError(msg)
