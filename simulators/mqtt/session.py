"""A simulated device's own connection to a broker: raw MQTT 3.1.1, so that it can misbehave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager

from simulators.mqtt import wire
from simulators.mqtt.wire import Publish, Type

KEEPALIVE_S = 30
Take = Callable[[str, bytes], None]
"""Takes topic and payload of a message that arrived."""


class Session:
    """One connection; ends with ``leave`` as it should, or with ``vanish`` as in the field."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next_id = 0

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Publish; a broker that is gone is noticed by the reading side."""
        data = payload.encode() if isinstance(payload, str) else payload
        self._next_id = self._next_id % 0xFFFF + 1
        self._writer.write(wire.publish(Publish(topic, data, qos, retain, self._next_id)))

    async def read_for_ever(self, take: Take) -> None:
        """Hand on what arrives until the connection ends.

        Raises:
            OSError: it ended.

        """
        ping = asyncio.create_task(self._ping())
        try:
            while True:
                found = await wire.read_packet(self._reader)
                if found.type == Type.PUBLISH:
                    message = wire.parse_publish(found)
                    if message.qos:
                        number = message.packet_id.to_bytes(2, "big")
                        self._writer.write(wire.packet(Type.PUBACK, number))
                    take(message.topic, message.payload)
        except (wire.WireError, asyncio.IncompleteReadError) as exc:
            msg = "the broker ended the connection"
            raise ConnectionResetError(msg) from exc
        finally:
            ping.cancel()

    async def converse(self, take: Take, speak: Coroutine[None, None, None]) -> None:
        """Listen and speak until either ends.

        Raises:
            OSError: the broker ended the connection.

        """
        parts = [asyncio.create_task(self.read_for_ever(take)), asyncio.create_task(speak)]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        for part in done:
            part.result()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S / 2)
            self._writer.write(wire.packet(Type.PINGREQ))

    async def leave(self) -> None:
        """Say goodbye: the broker forgets the last will."""
        with contextlib.suppress(OSError):
            self._writer.write(wire.packet(Type.DISCONNECT))
            await self._writer.drain()
        await self._close()

    async def vanish(self) -> None:
        """Be gone without a word: the broker publishes the last will."""
        self._writer.transport.abort()
        await self._close()

    async def _close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@asynccontextmanager
async def session(
    host: str,
    port: int,
    client_id: str,
    *,
    will: Publish | None = None,
    filters: Sequence[str] = (),
) -> AsyncIterator[Session]:
    """Connect and subscribe.

    Raises:
        OSError: the broker is not there or does not want us.

    """
    reader, writer = await asyncio.open_connection(host, port)
    opened = Session(reader, writer)
    try:
        writer.write(wire.connect(client_id, keepalive_s=KEEPALIVE_S, will=will))
        await _expect(reader, Type.CONNACK, b"\x00")
        if filters:
            writer.write(wire.subscribe(list(filters)))
        yield opened
    finally:
        await opened.leave()


async def _expect(reader: asyncio.StreamReader, kind: Type, code: bytes) -> None:
    try:
        found = await wire.read_packet(reader)
    except (wire.WireError, asyncio.IncompleteReadError) as exc:
        msg = "the broker ended the connection"
        raise ConnectionResetError(msg) from exc
    if found.type != kind or found.body[-1:] != code:
        msg = f"the broker refused: {found.body.hex()}"
        raise ConnectionRefusedError(msg)
