"""One line, shared by all units on it: a connection to an address, or a serial port.

Requests go one at a time, in fair order of the units. A time-out costs the connection nothing: a
late answer is recognised (:mod:`components.modbus.tcp`, :mod:`components.modbus.rtu`) and thrown
away. pymodbus's own time-out is not used, because after ``retries + 3`` of them it drops the
connection under everybody.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from pymodbus import exceptions as foreign
from pymodbus.pdu import ModbusPDU

from components.modbus.errors import (
    CLOSED_HINT,
    LINE_HINT,
    SHARED_HINT,
    UNIT_HINT,
    UnitSilentError,
    WrongAnswerError,
    mapped,
)
from components.modbus.framing import Framing
from components.modbus.line_settings import Framing as FramingName
from components.modbus.line_settings import Place
from components.modbus.opening import Client, open_client
from components.modbus.rtu import RtuFraming
from components.modbus.tcp import TcpFraming
from components.modbus.turns import Silence, Turns, next_silence
from edge_runtime.errors import DeviceError, DeviceUnreachableError

MAX_TIMEOUTS = 3
"""Time-outs in a row, of whatever unit, after which the connection itself is doubted."""
MAX_REST_S = 0.5
"""Longest wait for a serial line to fall quiet before it is talked over."""


class Line:
    """A connection that opens when it is needed and again when it was lost."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.address = place.name
        rtu = place.framing is FramingName.RTU
        self._framing: Framing = RtuFraming(place.name) if rtu else TcpFraming(place.name)
        self._rest_s = place.serial.silence_s + place.serial.pause_s if place.serial else 0.0
        self._turns = Turns()
        self._client: Client | None = None
        self._pending = False
        self._heard = b""
        self._heard_at = 0.0
        self._trouble: DeviceError | None = None
        self._timeouts = 0
        self._failures = 0
        self._failure: tuple[str, str] | None = None
        """Message and hint. Not the exception: its frames would keep a half-opened port locked."""
        self.units: Counter[int] = Counter()
        """Open devices of each unit."""
        self._silences: dict[int, Silence] = {}

    async def exchange(self, request: ModbusPDU, timeout_s: float) -> ModbusPDU:
        """Send a request and give its answer, which may be an exception response.

        Raises:
            DeviceUnreachableError: no connection.
            UnitSilentError: a connection, but no answer of this unit in time.

        """
        failures = self._failures
        await self._turns.take(request.dev_id)
        try:
            if self._client is None or not self._client.connected:
                if self._failure is not None and self._failures != failures:
                    # Somebody tried while we waited for our turn; trying again costs the others.
                    message, hint = self._failure
                    raise DeviceUnreachableError(message, hint=hint)
                await self._open(timeout_s)
            if doubt := self._framing.doubts(request):
                await self._ask(doubt, timeout_s)
            return await self._ask(request, timeout_s)
        finally:
            self._turns.give()

    async def _open(self, timeout_s: float) -> None:
        self.close()
        try:
            async with asyncio.timeout(timeout_s):
                self._client = await open_client(
                    self.place, self._framing.framer, self._on_connect, self._on_packet
                )
        except (TimeoutError, DeviceError) as exc:
            self._failures += 1
            failure = exc if isinstance(exc, DeviceError) else mapped(exc, self.address)
            self._failure = (str(failure), failure.hint)
            if failure is exc:
                raise
            raise failure from exc
        self._failure, self._timeouts = None, 0

    async def _ask(self, request: ModbusPDU, timeout_s: float) -> ModbusPDU:
        if self._rest_s:
            await self._rest()
        assert self._client is not None
        self._framing.ask(request)
        self._pending, self._trouble, self._heard = True, None, b""
        try:
            async with asyncio.timeout(timeout_s):
                answer: ModbusPDU = await self._client.execute(False, request)
        except TimeoutError as exc:
            raise self._after_timeout(request.dev_id, timeout_s) from exc
        except asyncio.CancelledError:
            self._framing.note_timeout()
            raise
        except (foreign.ModbusException, OSError) as exc:
            raise self._explain(exc, request.dev_id) from exc
        finally:
            self._pending = False
        self._timeouts = 0
        return answer

    async def _rest(self) -> None:
        """Let a serial line fall quiet."""
        clock = asyncio.get_running_loop()
        latest = clock.time() + MAX_REST_S + self._rest_s
        while True:
            now = clock.time()
            left = min(self._heard_at + self._rest_s, latest) - now
            if left <= 0:
                return
            await asyncio.sleep(left)

    def _explain(self, exc: foreign.ModbusException | OSError, unit: int) -> DeviceError:
        """Say why a request failed; only a wrong answer leaves the connection fit for use."""
        trouble = self._trouble or mapped(exc, f"{self.address} unit {unit}")
        if not isinstance(trouble, WrongAnswerError):
            self.close()
        return trouble

    def check_silence(self, unit: int) -> None:
        """Leave a silent unit alone for a while, if others share the line with it.

        Raises:
            UnitSilentError: it was silent lately.

        """
        silence = self._silences.get(unit)
        left = silence.until - asyncio.get_running_loop().time() if silence else 0.0
        if left > 0 and len(self.units) > 1:
            msg = f"{self.address} unit {unit} was silent and will be asked again in {left:.1f} s"
            raise UnitSilentError(msg, hint=UNIT_HINT)

    def note_silence(self, unit: int, timeout_s: float) -> None:
        """Remember that this unit cost the line a time-out."""
        now = asyncio.get_running_loop().time()
        self._silences[unit] = next_silence(self._silences.get(unit), now, timeout_s)

    def note_answer(self, unit: int) -> None:
        """Remember that this unit answers."""
        self._silences.pop(unit, None)

    def _after_timeout(self, unit: int, timeout_s: float) -> UnitSilentError:
        """Keep the connection, unless half an answer came or nothing comes at all any more."""
        self._framing.note_timeout()
        self._timeouts += 1
        instead = self._framing.silence(self._heard)
        if self._framing.half(self._heard) or self._timeouts >= MAX_TIMEOUTS:
            self.close()
        msg = f"{self.address} unit {unit} did not answer within {timeout_s:.3g} s{instead}"
        return UnitSilentError(msg, hint=LINE_HINT if instead else UNIT_HINT)

    def _on_connect(self, up: bool) -> None:
        if not up:
            msg = f"{self.address} closed the connection"
            self._fail(DeviceUnreachableError(msg, hint=CLOSED_HINT))

    def _on_packet(self, sending: bool, data: bytes) -> bytes:
        """Look at received bytes before pymodbus, which logs, drops or waits where we can tell."""
        if sending:
            self._framing.note_sent(data)
            return data
        if self._rest_s:
            self._heard_at = asyncio.get_running_loop().time()
        if self._client is None or not self._pending:
            if self._client is not None:
                self._client.ctx.recv_buffer = b""
            return b""
        sifted = self._framing.sift(data)
        self._heard = sifted.fresh or sifted.waiting
        self._client.ctx.recv_buffer = self._heard
        if sifted.trouble is not None:
            self._fail(sifted.trouble)
        return sifted.fresh

    def _fail(self, trouble: DeviceError) -> None:
        """End the wait of a request that cannot be answered any more."""
        if self._pending and self._client is not None:
            self._trouble = trouble
            future = self._client.ctx.response_future
            if not future.done():
                future.set_exception(foreign.ConnectionException(str(trouble)))

    def close(self) -> None:
        """Close; the next request opens again. Closing twice is fine."""
        if self._client is not None:
            self._client.close()
            self._client = None


_open_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Line]] = WeakKeyDictionary()
"""Lines by event loop and name.

Devices are opened one by one and know nothing of each other, but a serial line must see one client,
whatever protocol its users speak on top. The key holds the loop, so that two loops (two tests)
never share, and holds it weakly, so that a loop that ended takes its entry along; the last device
to leave closes the line.
"""


@asynccontextmanager
async def shared_line(place: Place, unit: int) -> AsyncIterator[Line]:
    """Share the line with every other device of this event loop.

    Raises:
        DeviceUnreachableError: others have it open with other settings.

    """
    lines = _open_lines.setdefault(asyncio.get_running_loop(), {})
    line = lines.setdefault(place.name, Line(place))
    if line.place != place:
        msg = f"{place.name} is open already, with other settings"
        raise DeviceUnreachableError(msg, hint=SHARED_HINT)
    line.units[unit] += 1
    try:
        yield line
    finally:
        line.units[unit] -= 1
        line.units += Counter()  # drops the units without devices
        if not line.units:
            lines.pop(place.name, None)
            line.close()
