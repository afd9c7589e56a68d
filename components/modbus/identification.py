"""What a device says of itself by function 43 with type 14; many refuse it, some are silent.

Source: application 6.21.
"""

from typing import NamedTuple

from pymodbus.pdu.mei_message import ReadDeviceInformationRequest

from components.modbus import limits
from components.modbus.errors import ExceptionAnswerError, UnitSilentError, WrongAnswerError
from components.modbus.frames import checked
from components.modbus.line import Line
from components.modbus.line_settings import LineSettings
from components.modbus.plan import wait_seconds

BASIC = 1
HEAD_BYTES = 6
"""Type, code, conformity, more, next object, count of objects."""
MAX_TEXT = 100
VENDOR, PRODUCT, REVISION = 0, 1, 2


class Identity(NamedTuple):
    """The basic objects; empty where the device does not say."""

    vendor: str = ""
    product: str = ""
    revision: str = ""

    @property
    def title(self) -> str:
        """One line for people."""
        return " ".join(part for part in self if part)


async def identify(line: Line, settings: LineSettings) -> Identity | None:
    """Ask a unit who it is; None where it does not say.

    Raises:
        DeviceUnreachableError: the line was lost.

    """
    request = ReadDeviceInformationRequest(read_code=BASIC, object_id=0, dev_id=settings.unit)
    try:
        answer = await line.exchange(request, wait_seconds(settings, limits.MAX_PDU_BYTES))
        return parse(checked(answer, request.function_code, settings.at))
    except (ExceptionAnswerError, WrongAnswerError, UnitSilentError):
        return None


def parse(data: bytes) -> Identity | None:
    """Read the objects of an answer as far as they go; None where they say nothing."""
    if len(data) < HEAD_BYTES or data[0] != limits.IDENTIFICATION_TYPE:
        return None
    texts: dict[int, str] = {}
    rest = data[HEAD_BYTES:]
    for _ in range(data[HEAD_BYTES - 1]):
        if len(rest) < 2 or len(rest) < 2 + rest[1]:  # noqa: PLR2004 - id and length
            break
        raw = rest[2 : 2 + rest[1]].decode("utf-8", errors="replace")
        texts[rest[0]] = _printable(raw)
        rest = rest[2 + rest[1] :]
    identity = Identity(*(texts.get(number, "") for number in (VENDOR, PRODUCT, REVISION)))
    return identity if any(identity) else None


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()[:MAX_TEXT]
