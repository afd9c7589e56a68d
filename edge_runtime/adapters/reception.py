"""The runtime's side: take batches once each, put present values on the bus, ask for a refresh."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from re import fullmatch

from edge_runtime.adapters import place
from edge_runtime.adapters.absence import Absence
from edge_runtime.adapters.frames import read_frame
from edge_runtime.adapters.intake import Intake
from edge_runtime.adapters.messages import (
    PROTOCOL,
    Answer,
    Handover,
    Hello,
    Live,
    Refusal,
    Welcome,
    from_adapter,
    readings_of,
)
from edge_runtime.adapters.together import first_to_end
from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.errors import AdapterLinkError, DeviceError, DeviceUnreachableError
from edge_runtime.names import NAME
from edge_runtime.outbox.committed import Committed
from edge_runtime.outbox.writer import Outbox

MAX_SESSIONS = 64
HELLO_S = 5.0
ASK_S = 60.0
LATE_S = 10.0
"""Present values older than this are no longer: the rules do not get them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RemoteDevice:
    """A device that an adapter reads."""

    name: str
    adapter: str
    reception: "Reception"

    async def refresh(self) -> None:
        """Read every point now and send it whatever its deadband.

        Raises:
            DeviceError: the device is silent, or its adapter is not there.

        """
        await self.reception.refresh(self.adapter, self.name)


class Reception:
    """Where the adapters of a gateway come."""

    def __init__(
        self,
        folder: Path,
        outbox: Outbox,
        devices: Mapping[str, Collection[str]],
        absence: Absence,
        *,
        bus: Bus,
        clock: Clock,
        on_taken: Callable[[Committed], None],
    ) -> None:
        """``devices`` by adapter; one that is not in it only delivers what it still has."""
        self._folder = folder
        self._outbox = outbox
        self._devices = devices
        self._absence = absence
        self._bus = bus
        self._clock = clock
        self._on_taken = on_taken
        self._sessions: dict[str, Intake] = {}
        self._open = 0
        self.late = 0
        """Present values that came too late for the rules."""

    def devices(self) -> tuple["RemoteDevice", ...]:
        """Give the devices of all adapters, as far as commands need them."""
        return tuple(
            RemoteDevice(device, adapter, self)
            for adapter, devices in self._devices.items()
            for device in devices
        )

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            StoreError: the socket cannot be made.

        """
        listening = place.listen(self._folder)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._absence.watch())

            def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                serving = group.create_task(self._serve(reader, writer))
                serving.add_done_callback(lambda _: writer.close())

            server = await asyncio.start_unix_server(come, sock=listening)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()

    async def refresh(self, adapter: str, device: str) -> None:
        """Have an adapter read every point of a device and send it.

        Raises:
            DeviceError: the device is silent, or its adapter is not there.

        """
        session = self._sessions.get(adapter)
        if session is None:
            msg = f"its adapter {adapter} is not connected"
            raise DeviceUnreachableError(msg)
        try:
            async with asyncio.timeout(ASK_S):
                error = await session.ask("refresh", device)
        except (TimeoutError, AdapterLinkError) as exc:
            msg = f"its adapter {adapter} did not answer"
            raise DeviceUnreachableError(msg) from exc
        if error:
            raise DeviceError(error)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; whatever is wrong with it ends that one only."""
        self._open += 1
        session = Intake(self._outbox, writer, self._on_taken)
        name = ""
        try:
            hello = await self._greet(reader, session)
            name = hello.adapter
            self._sessions[name] = session
            self._absence.came(name)
            log.info("adapter %s is connected, process %d", name, hello.pid)
            await first_to_end(self._listen(reader, session, name), session.take_all(name))
        except (AdapterLinkError, TimeoutError, OSError) as exc:
            log.info("adapter %s left: %s", name or "?", exc)
        finally:
            self._open -= 1
            session.end()
            if name and self._sessions.get(name) is session:
                del self._sessions[name]
                self._absence.went(name)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _greet(self, reader: asyncio.StreamReader, session: Intake) -> Hello:
        place.check_peer(session.socket())
        async with asyncio.timeout(HELLO_S):
            hello = from_adapter(await read_frame(reader))
        reason = self._objection(hello)
        if not isinstance(hello, Hello) or reason:
            await session.say(Refusal(reason))
            raise AdapterLinkError(reason)
        taken = await self._outbox.taken(hello.adapter, hello.epoch)
        session.begin(hello, {stream.value: seq for stream, seq in taken.items()})
        await session.say(Welcome(PROTOCOL, {s.value: seq for s, seq in taken.items()}))
        return hello

    def _objection(self, hello: object) -> str:
        if not isinstance(hello, Hello):
            return "an adapter says Hello first"
        if hello.protocol != PROTOCOL:
            return f"it speaks protocol {hello.protocol}, the runtime {PROTOCOL}"
        if not fullmatch(NAME, hello.adapter):
            return "an adapter needs a name"
        return "too many connections" if self._open > MAX_SESSIONS else ""

    async def _listen(self, reader: asyncio.StreamReader, session: Intake, name: str) -> None:
        own = self._devices.get(name, ())
        while True:
            message = from_adapter(await read_frame(reader))
            match message:
                case Live():
                    self._put_on_bus(message, own)
                case Handover():
                    session.put(message)
                case Answer(number, error):
                    session.answered(number, error)
                case Hello():
                    msg = "it says Hello twice"
                    raise AdapterLinkError(msg)

    def _put_on_bus(self, live: Live, own: Collection[str]) -> None:
        normalised = readings_of(live)
        if live.device not in own or self._clock.monotonic() - live.at > LATE_S:
            self.late += len(live.points)
            return
        self._bus.readings(normalised)
        self._absence.heard(normalised)
