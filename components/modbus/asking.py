"""One read by itself, for those who look at a device before they know its points."""

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from components.modbus.frames import checked, data_of
from components.modbus.line import Line
from components.modbus.line_settings import LineSettings
from components.modbus.plan import wait_seconds
from components.modbus.settings import Table

_READS = {
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}


async def read_registers(
    line: Line, settings: LineSettings, first: int, count: int, table: Table = Table.HOLDING
) -> bytes:
    """Read some registers of one unit; gives their bytes as they came.

    Raises:
        UnitSilentError: the unit does not answer.
        DeviceUnreachableError: there is no line to it.
        ExceptionAnswerError: it refused.
        WrongAnswerError: it gave something else.

    """
    request = _READS[table](address=first, count=count, dev_id=settings.unit)
    answer = await line.exchange(request, wait_seconds(settings, 2 * count))
    where = f"{settings.at}: read {table.plural} {first} to {first + count - 1}"
    return data_of(checked(answer, request.function_code, where), 2 * count, where)
