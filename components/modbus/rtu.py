"""RTU on a line: frames without numbers, so that what may answer what has to be reasoned.

On such a line an answer that comes late, after its request was given up, looks like the answer to
the next one. So the shape of every answer that is still owed is remembered for each unit, an answer
of such a shape is skipped, and where the next request would be answered in the same shape, a small
read of another shape goes first: units answer in order, so its answer settles the account.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pymodbus.framer import FramerType
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ModbusPDU

from components.modbus import limits
from components.modbus.errors import LINE_HINT, WrongAnswerError
from components.modbus.frames import FUNCTIONS, READS
from components.modbus.framing import Sifted

HEAD_BYTES = 3
"""Unit, function, and a count or code."""
MIN_BYTES = 5
"""Unit, function, one byte, CRC: an exception."""
WRITE_ANSWER_BYTES = 8
"""Unit, function, address, value or count, CRC (application 6.5 to 6.12)."""
IDENTIFICATION_HEAD = 8
"""Unit, function, type, code, level, more, next, count of objects (application 6.21)."""
MAX_OBJECTS = 128
ONE_BYTE_OF_BITS, TWO_BYTES_OF_BITS = 1, 9
Shape = bytes
"""What tells one answer from another: function and byte count, or what a write repeats."""


class Frame(NamedTuple):
    """A frame whose checksum is right."""

    unit: int
    data: bytes

    @property
    def function(self) -> int:
        """The function, with the flag of an exception."""
        return self.data[1]

    @property
    def shape(self) -> Shape:
        """The shape of the answer."""
        return self.data[1 : 3 if self.function in READS else -limits.SERIAL_CRC_BYTES]


def shape_of(request: ModbusPDU) -> Shape:
    """Give the shape that the answer to a request must have."""
    function = request.function_code
    if function in READS:
        return bytes([function, READS[function](request.count)])
    return bytes([function]) + request.encode()[:4]


def with_checksum(data: bytes) -> bytes:
    """Put the checksum behind a frame."""
    return data + FramerRTU.compute_CRC(data).to_bytes(limits.SERIAL_CRC_BYTES, "big")


def length_at(data: bytes) -> int | None:
    """Tell how long the answer is that begins here: None as long as that is open, 0 for none."""
    if len(data) < HEAD_BYTES:
        return None
    function = data[1]
    if function & ~limits.ERROR_FLAG not in FUNCTIONS:
        return 0
    if function & limits.ERROR_FLAG:
        return MIN_BYTES
    if function in READS:
        length = HEAD_BYTES + data[2] + limits.SERIAL_CRC_BYTES
        return length if MIN_BYTES < length <= limits.MAX_RTU_BYTES else 0
    if function == limits.READ_IDENTIFICATION:
        return _identification_length(data)
    return WRITE_ANSWER_BYTES


def _identification_length(data: bytes) -> int | None:
    if len(data) < IDENTIFICATION_HEAD:
        return None
    end = IDENTIFICATION_HEAD
    for _ in range(min(data[end - 1], MAX_OBJECTS)):
        if len(data) < end + 2:
            return None
        end += 2 + data[end + 1]
    length = end + limits.SERIAL_CRC_BYTES
    return length if length <= limits.MAX_RTU_BYTES else 0


def frames_in(data: bytes) -> Iterator[Frame]:
    """Find every whole frame; what lies between them is noise."""
    start = 0
    while start + MIN_BYTES <= len(data):
        length = length_at(data[start:])
        end = start + (length or 0)
        if length and end <= len(data) and _is_sound(data[start:end]):
            yield Frame(data[start], data[start:end])
            start = end
        else:
            start += 1


def _is_sound(frame: bytes) -> bool:
    return with_checksum(frame[: -limits.SERIAL_CRC_BYTES]) == frame


class RtuFraming:
    """Frames with unit id and checksum (serial 2.5.1)."""

    framer = FramerType.RTU

    def __init__(self, name: str) -> None:
        self._name = name
        self._request = ModbusPDU()
        self._sent = b""
        self._owed: dict[int, set[Shape]] = {}
        self._echoes = False
        """The adapter hears what it sends, and a read has shown it."""

    def ask(self, request: ModbusPDU) -> None:
        """Note the request that is answered next."""
        self._request = request

    def note_sent(self, packet: bytes) -> None:
        """Note its bytes: they come back where the adapter echoes."""
        self._sent = packet

    def sift(self, data: bytes) -> Sifted:
        """Find the answer among noise, echoes and answers that come late."""
        plain = self._without_echo(data)
        if self._is_begun(plain):
            return Sifted(b"", waiting=data)
        for frame in frames_in(plain):
            if self._is_answer(frame):
                self._owed.pop(frame.unit, None)
                return Sifted(frame.data)
        if self._is_damaged(plain):
            msg = f"{self._name} unit {self._request.dev_id} gave an answer with a wrong checksum"
            return Sifted(b"", WrongAnswerError(msg, hint=LINE_HINT))
        return Sifted(b"", waiting=data)

    def _without_echo(self, data: bytes) -> bytes:
        """Take away our own request, of which a write's answer may be a copy."""
        is_write = self._request.function_code not in READS
        if not data.startswith(self._sent) or (is_write and not self._echoes):
            return data
        self._echoes = True
        return data[len(self._sent) :]

    def _is_begun(self, data: bytes) -> bool:
        """Tell whether this is the beginning of just the answer that is awaited."""
        if data[:1] != bytes([self._request.dev_id]):
            return False
        length = length_at(data)
        shape = shape_of(self._request)
        return data[1:3] == shape[:2] and (length is None or len(data) < length)

    def _is_answer(self, frame: Frame) -> bool:
        if frame.unit != self._request.dev_id:
            return False
        if frame.function == self._request.function_code | limits.ERROR_FLAG:
            return True
        if frame.function != self._request.function_code:
            return False
        if frame.shape == shape_of(self._request) or frame.function not in READS:
            return True
        return frame.shape not in self._owed.get(frame.unit, ())

    def _is_damaged(self, data: bytes) -> bool:
        """Tell whether the answer came as far as one can say, with other bytes than were sent."""
        begins = bytes([self._request.dev_id]) + shape_of(self._request)[:2]
        length = length_at(data)
        return data.startswith(begins) and bool(length) and len(data) >= (length or 0)

    def note_timeout(self) -> None:
        """Note that the unit still owes an answer of this shape."""
        self._owed.setdefault(self._request.dev_id, set()).add(shape_of(self._request))

    def silence(self, data: bytes) -> str:
        """Say what was heard in the place of an answer."""
        data = self._without_echo(data)
        others = {frame.unit for frame in frames_in(data)} - {self._request.dev_id}
        if others:
            return f" (unit {min(others)} answered instead)"
        return f" ({len(data)} bytes that are no answer came)" if data else ""

    def half(self, data: bytes) -> bool:
        """No: half an answer ends with the pause before the next request."""
        _ = data
        return False

    def doubts(self, request: ModbusPDU) -> ModbusPDU | None:
        """Give a read of another shape where a late answer would look like this request's."""
        function = request.function_code
        if function not in READS or shape_of(request) not in self._owed.get(request.dev_id, ()):
            return None
        counts = (1, 2) if READS[function](1) > 1 else (ONE_BYTE_OF_BITS, TWO_BYTES_OF_BITS)
        count = counts[READS[function](request.count) == READS[function](counts[0])]
        return type(request)(address=request.address, count=count, dev_id=request.dev_id)
