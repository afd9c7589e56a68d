"""A device that posts to us."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

from components.http.inbox import Inbox
from components.http.server import Listener
from components.http.settings import Settings
from edge_runtime.driver import Inspection, News
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.model import Quality, Reading, Reason

POST_HINT = (
    "Does the device post, to the right address, with its token? It is answered with why not."
)


class PostingDevice:
    """A device whose news come by themselves."""

    def __init__(self, settings: Settings, listener: Listener, inbox: Inbox) -> None:
        self._settings = settings
        self._listener = listener
        self._inbox = inbox
        self._places = {p.name: p.json_path or p.record or "" for p in settings.points}

    async def read(self, points: Collection[str]) -> Sequence[Reading]:
        """Give the newest of each point, after waiting up to ``timeout_s`` for what is missing.

        Raises:
            DeviceUnreachableError: nothing was posted for longer than was promised.

        """
        await self._listener.ensure()
        if self._is_overdue(points) and not await self._inbox.wait_for_post(
            self._settings.timeout_s
        ):
            msg = f"{self._settings.at}: nothing was posted for longer than was promised"
            raise DeviceUnreachableError(msg, hint=POST_HINT)
        await self._inbox.wait(points, self._settings.timeout_s)
        newest = self._inbox.newest
        return [
            newest.get(name, Reading(name, None, Quality.BAD, Reason.NO_ANSWER)) for name in points
        ]

    def _is_overdue(self, points: Collection[str]) -> bool:
        if not self._inbox.heard_at:
            return True
        promised_s = max(
            self._settings.promised_s(point)
            for point in self._settings.points
            if point.name in points
        )
        return asyncio.get_running_loop().time() - self._inbox.heard_at > promised_s

    async def changes(self, points: Collection[str]) -> AsyncGenerator[News]:
        """Report whatever is posted, in order.

        Raises:
            DeviceUnreachableError: the address cannot be listened on.

        """
        await self._listener.ensure()
        async with aclosing(self._inbox.changes(points)) as changes:
            async for news in changes:
                yield news

    async def inspect(self, points: Collection[str]) -> Sequence[Inspection]:
        """Show where in the message each point was found.

        Raises:
            DeviceError: as for :meth:`read`.

        """
        return [
            Inspection(reading, f"POST {self._places[reading.point]}")
            for reading in await self.read(points)
        ]
