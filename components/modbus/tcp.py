"""Modbus TCP on a connection: the transaction number tells late answers from those awaited."""

from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from components.modbus.errors import WrongAnswerError
from components.modbus.frames import is_frame, skip_late, unit_of
from components.modbus.framing import Sifted
from edge_runtime.errors import DeviceUnreachableError

RTU_HINT = "Is another service on that port? A converter that hands RTU through: 'framing: rtu'."


class TcpFraming:
    """Frames with a header (messaging 3.1.3)."""

    framer = FramerType.SOCKET

    def __init__(self, name: str) -> None:
        self._name = name
        self._request = ModbusPDU()

    def ask(self, request: ModbusPDU) -> None:
        """Note the request that is answered next."""
        self._request = request

    def note_sent(self, packet: bytes) -> None:
        """Do nothing: the transaction number is in the request."""

    def sift(self, data: bytes) -> Sifted:
        """Skip late answers; notice what is no Modbus TCP, and other units."""
        fresh = skip_late(data, self._request.transaction_id)
        unit = self._request.dev_id
        if not is_frame(fresh):
            msg = f"{self._name} sent something that is not Modbus TCP"
            return Sifted(b"", DeviceUnreachableError(msg, hint=RTU_HINT))
        if unit and (other := unit_of(fresh)) not in {None, unit}:
            msg = f"{self._name} answered as unit {other}, not as {unit}"
            return Sifted(b"", WrongAnswerError(msg))
        return Sifted(fresh)

    def note_timeout(self) -> None:
        """Do nothing: a late answer carries an old number."""

    def silence(self, data: bytes) -> str:
        """Say nothing: whatever is not Modbus TCP was noticed at once."""
        _ = data
        return ""

    def half(self, data: bytes) -> bool:
        """Half an answer is in the way of the next one."""
        return bool(data)

    def doubts(self, request: ModbusPDU) -> None:
        """Have none."""
        _ = request
