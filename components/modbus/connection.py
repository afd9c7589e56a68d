"""One line to one address, shared by all units behind it.

Requests go one at a time, in fair order of the units. A time-out costs the connection nothing: the
late answer is recognised by its transaction number and thrown away. pymodbus's own time-out is not
used, because after ``retries + 3`` of them it drops the connection under everybody.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from pymodbus import exceptions as foreign
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from components.modbus.errors import (
    CLOSED_HINT,
    UNIT_HINT,
    UnitSilentError,
    WrongAnswerError,
    mapped,
)
from components.modbus.frames import RAW_ANSWERS, is_frame, skip_late, unit_of
from components.modbus.turns import Silence, Turns, next_silence
from edge_runtime.errors import DeviceError, DeviceUnreachableError

NO_TIMEOUT: float = None  # type: ignore[assignment]
"""pymodbus hands it to ``asyncio.wait_for``, which then waits without a timer of its own."""
MAX_TIMEOUTS = 3
"""Time-outs in a row, of whatever unit, after which the connection itself is doubted."""


class Connection:
    """A connection that opens when it is needed and again when it was lost."""

    def __init__(self, host: str, port: int) -> None:
        self.address = f"{host}:{port}"
        self._host = host
        self._port = port
        self._turns = Turns()
        self._client: AsyncModbusTcpClient | None = None
        self._pending: ModbusPDU | None = None
        self._trouble: DeviceError | None = None
        self._timeouts = 0
        self._failures = 0
        self._failure: DeviceError | None = None
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
                    raise DeviceUnreachableError(str(self._failure), hint=self._failure.hint)
                await self._open(timeout_s)
            return await self._ask(request, timeout_s)
        finally:
            self._turns.give()

    async def _open(self, timeout_s: float) -> None:
        self.close()
        client = AsyncModbusTcpClient(
            self._host, port=self._port, timeout=NO_TIMEOUT, retries=0, reconnect_delay=0,
            trace_connect=self._on_connect, trace_packet=self._on_packet,
        )  # fmt: skip
        for answer in RAW_ANSWERS:
            client.register(answer)
        try:
            async with asyncio.timeout(timeout_s):
                await client.ctx.call_create()  # connect() would log and swallow the reason
        except (OSError, UnicodeError) as exc:  # the name of a host may be no name at all
            self._failures += 1
            self._failure = mapped(exc, self.address)
            raise self._failure from exc
        self._client, self._failure, self._timeouts = client, None, 0

    async def _ask(self, request: ModbusPDU, timeout_s: float) -> ModbusPDU:
        assert self._client is not None
        self._pending, self._trouble = request, None
        try:
            async with asyncio.timeout(timeout_s):
                answer: ModbusPDU = await self._client.execute(False, request)
        except TimeoutError as exc:
            self._after_timeout()
            msg = f"{self.address} unit {request.dev_id} did not answer within {timeout_s:g} s"
            raise UnitSilentError(msg, hint=UNIT_HINT) from exc
        except (foreign.ModbusException, OSError) as exc:
            raise self._explain(exc, request.dev_id) from exc
        finally:
            self._pending = None
        self._timeouts = 0
        return answer

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

    def _after_timeout(self) -> None:
        """Keep the connection, unless half an answer came or nothing comes at all any more."""
        self._timeouts += 1
        half = self._client is not None and bool(self._client.ctx.recv_buffer)
        if half or self._timeouts >= MAX_TIMEOUTS:
            self.close()

    def _on_connect(self, up: bool) -> None:
        if not up:
            msg = f"{self.address} closed the connection"
            self._fail(DeviceUnreachableError(msg, hint=CLOSED_HINT))

    def _on_packet(self, sending: bool, data: bytes) -> bytes:
        """Look at received bytes before pymodbus, which logs, drops or waits where we can tell."""
        if sending or self._client is None:
            return data
        if self._pending is None:
            fresh = b""
        else:
            fresh = skip_late(data, self._pending.transaction_id)
            self._judge(fresh, self._pending.dev_id)
            fresh = b"" if self._trouble else fresh
        if len(fresh) != len(data):
            self._client.ctx.recv_buffer = fresh
        return fresh

    def _judge(self, data: bytes, unit: int) -> None:
        if not is_frame(data):
            msg = f"{self.address} sent something that is not Modbus TCP"
            hint = "Is another service on that port? RTU over TCP is not supported."
            self._fail(DeviceUnreachableError(msg, hint=hint))
        elif unit and (other := unit_of(data)) not in {None, unit}:
            self._fail(WrongAnswerError(f"{self.address} answered as unit {other}, not as {unit}"))

    def _fail(self, trouble: DeviceError) -> None:
        """End the wait of a request that cannot be answered any more."""
        if self._pending is not None and self._client is not None:
            self._trouble = trouble
            future = self._client.ctx.response_future
            if not future.done():
                future.set_exception(foreign.ConnectionException(str(trouble)))

    def close(self) -> None:
        """Close; the next request opens again. Closing twice is fine."""
        if self._client is not None:
            self._client.close()
            self._client = None


_open_connections: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, int], Connection]
] = WeakKeyDictionary()
"""Connections by event loop and address.

Devices are opened one by one and know nothing of each other, but a gateway to serial lines must see
one client. The key holds the loop, so that two loops (two tests) never share, and holds it weakly,
so that a loop that ended takes its entry along; the last device to leave closes the connection.
"""


@asynccontextmanager
async def shared_connection(host: str, port: int, unit: int) -> AsyncIterator[Connection]:
    """Share the connection to this address with every other device of this event loop."""
    connections = _open_connections.setdefault(asyncio.get_running_loop(), {})
    connection = connections.setdefault((host, port), Connection(host, port))
    connection.units[unit] += 1
    try:
        yield connection
    finally:
        connection.units[unit] -= 1
        connection.units += Counter()  # drops the units without devices
        if not connection.units:
            connections.pop((host, port), None)
            connection.close()
