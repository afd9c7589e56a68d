"""Serial lines without hardware: pseudo terminals, which carry bytes but know no speed."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

MAX_READ_BYTES = 1024


class Terminal:
    """A pseudo terminal: others open :attr:`path`, we hold the other end."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)  # held open, so that nobody's leaving ends it
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Hand over what arrives, from now on."""

        def ready() -> None:
            try:
                data = os.read(self._ours, MAX_READ_BYTES)
            except BlockingIOError:
                return
            take(data)

        asyncio.get_running_loop().add_reader(self._ours, ready)

    def send(self, data: bytes) -> None:
        """Send; what a full line does not take is lost, as on a real one."""
        try:
            os.write(self._ours, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Take the port away, as pulling out an adapter does."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)


@asynccontextmanager
async def cable() -> AsyncIterator[tuple[str, str]]:
    """Join two ports; gives their paths."""
    one, two = Terminal(), Terminal()
    one.listen(two.send)
    two.listen(one.send)
    try:
        yield one.path, two.path
    finally:
        one.close()
        two.close()
