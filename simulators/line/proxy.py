"""The line between a gateway and its cloud, as something a test can break.

It carries bytes and knows nothing of TLS, so that what it does to a connection is what a real line
does: an answer that was lost is lost after the other side handled the request.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 1 << 14
CONNECT_TIMEOUT_S = 5.0


@dataclass(slots=True, eq=False)
class Connection:
    """Both halves of one connection through the line."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    loses_answer: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def abort(self) -> None:
        """Drop both halves at once; the peers see a reset."""
        self.reset()
        if self.task is not None:
            self.task.cancel()

    def reset(self) -> None:
        """Drop both halves with a reset instead of an end: SO_LINGER with no time, socket(7)."""
        for writer in (self.client, self.server):
            if writer is not None:
                with contextlib.suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                writer.transport.abort()


class LineProxy:
    """Listens on ``port`` of the loopback and carries everything to a host and port."""

    def __init__(self, host: str, port: int, *, listen_port: int = 0) -> None:
        """Carry to ``host:port``; ``listen_port`` 0 takes a free one."""
        self._target = (host, port)
        self.port = listen_port
        self.connects = 0
        """Connections accepted since the start."""
        self.bytes_up = 0
        self.bytes_down = 0
        self._delay_s = 0.0
        self._bytes_per_s: float | None = None
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and drop every connection."""
        await self.cut()

    @property
    def connections(self) -> int:
        """Connections open now."""
        return len(self._connections)

    async def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        dropped = list(self._connections)
        for connection in dropped:
            connection.abort()
        tasks = [connection.task for connection in dropped if connection.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def restore(self) -> None:
        """Mend whatever :meth:`cut` or :meth:`stall` did."""
        self._flows.set()
        if self._server is None:
            await self._listen()

    def stall(self) -> None:
        """Carry nothing more, in silence: connections stay half-open, new ones are not answered."""
        self._flows.clear()

    def lose_answers(self) -> None:
        """On each connection open now, lose the next answer and then the connection.

        The request itself arrives and is handled. Connections opened later are whole.
        """
        for connection in self._connections:
            connection.loses_answer = True

    def delay(self, seconds: float) -> None:
        """Carry every piece only after so many seconds, each way."""
        self._delay_s = seconds

    def throttle(self, bytes_per_s: float | None) -> None:
        """Carry at most so much in a second, each way of each connection; None for no limit."""
        self._bytes_per_s = bytes_per_s

    async def flap(self, *, up_s: float, down_s: float, times: int) -> None:
        """Cut and restore again and again."""
        for _ in range(times):
            await self.cut()
            await asyncio.sleep(down_s)
            await self.restore()
            await asyncio.sleep(up_s)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer, task=asyncio.current_task())
        self._connections.add(connection)
        self.connects += 1
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                await self._carry_both(connection, reader)
            for half in (connection.client, connection.server):
                if half is not None:
                    half.close()
                    with contextlib.suppress(OSError):
                        await half.wait_closed()
        finally:
            self._connections.discard(connection)

    async def _carry_both(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        await self._flows.wait()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            answers, connection.server = await asyncio.open_connection(*self._target)
        up = asyncio.ensure_future(self._carry_up(connection, reader))
        down = asyncio.ensure_future(self._carry_down(connection, answers))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in (up, down):
                half.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _carry_up(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        assert connection.server is not None
        while chunk := await reader.read(CHUNK_BYTES):
            await self._travel(len(chunk))
            self.bytes_up += len(chunk)
            connection.server.write(chunk)
            await connection.server.drain()

    async def _carry_down(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._travel(len(chunk))
            if connection.loses_answer:
                connection.reset()
                return
            self.bytes_down += len(chunk)
            connection.client.write(chunk)
            await connection.client.drain()

    async def _travel(self, size: int) -> None:
        if self._bytes_per_s is not None:
            await asyncio.sleep(size / self._bytes_per_s)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        await self._flows.wait()
