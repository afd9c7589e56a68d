"""A balance that answers on MT-SICS: what the driver beside it is tested against."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SimulatedBalance:
    """A weight, a tare and a serial number; a test changes them while it is read."""

    def __init__(self) -> None:
        self.weight, self.tare, self.serial = 100.0, 5.0, "B123456789"
        self.settled = True
        self._clients: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                writer.write(f"{self.answer(line.decode('ascii').strip())}\r\n".encode("ascii"))
        except ConnectionError:
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    def answer(self, request: str) -> str:
        """Give the answer to one request."""
        match request.split():
            case ["SI"]:
                return f"S {'S' if self.settled else 'D'} {self.weight:10.2f} g"
            case ["TA"]:
                return f"TA A {self.tare:10.2f} g"
            case ["TA", value, "g"]:
                self.tare = float(value)
                return f"TA A {self.tare:10.2f} g"
            case ["I4"]:
                return f'I4 A "{self.serial}"'
            case _:
                return "ES"

    def drop(self) -> None:
        """Cut every connection."""
        for writer in tuple(self._clients):
            writer.transport.abort()


@asynccontextmanager
async def serve(balance: SimulatedBalance, port: int = 0) -> AsyncIterator[int]:
    """Listen on this machine; gives the port."""
    server = await asyncio.start_server(balance.serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        balance.drop()
        await server.wait_closed()
