"""Watches one resource: observes it, again when it falls silent, and says so when it cannot.

An observation ends without a word when its server restarts, and a notification may be lost: what is
heard of a resource holds for its Max-Age and is asked for again soon after.
"""

import asyncio
import time
from collections.abc import Sequence

from aiocoap.message import Message

from components.coap import limits
from components.coap.errors import ErrorAnswerError, SilentError, WrongAnswerError
from components.coap.exchange import Answer, Requests, Stream
from components.coap.inbox import Inbox
from components.coap.order import Stamp, is_newer, renewal_s
from components.coap.settings import Point, Settings
from components.coap.values import CONTENT_FORMATS, Decoder, absent, bad
from components.payloads.senml_points import newest
from edge_runtime.errors import DeviceUnreachableError
from edge_runtime.model import Reading, Reason


class Hearing:
    """Who is silent, so that one silent resource is told from a silent device."""

    def __init__(self, resources: int) -> None:
        """``resources`` are observed."""
        self._resources = resources
        self._silent: set[str] = set()

    def heard(self) -> None:
        """Note that the device said something."""
        self._silent.clear()

    def is_lost(self, path: str) -> bool:
        """Note that a resource did not answer; tells whether the whole device is silent.

        It is when it has no other that might answer, or a second one does not either.
        """
        self._silent.add(path)
        return len(self._silent) > 1 or self._resources == 1


class Resource:
    """A resource and the points in it."""

    def __init__(self, settings: Settings, path: str, points: Sequence[Point]) -> None:
        self.path = path
        self.points = points
        self._settings = settings
        self._decoder = Decoder(settings, points)

    @property
    def names(self) -> list[str]:
        """Points in it."""
        return [point.name for point in self.points]

    @property
    def accept(self) -> int | None:
        """Content format that the device is asked for."""
        wanted = (self._settings.format_of(point) for point in self.points if point.accept)
        return next((CONTENT_FORMATS[format_] for format_ in wanted), None)

    @property
    def observed(self) -> bool:
        """Whether any point wants to be reported."""
        return any(point.observe for point in self.points)

    def readings(self, answer: Answer) -> list[Reading]:
        """Give what an answer says, for every point something."""
        found = self._decoder.decode(answer.payload, time.time_ns() // 1_000).readings
        return found + absent(self.points, self._settings, found)

    def newest(self, answer: Answer) -> list[Reading]:
        """Give one reading a point."""
        return list(newest(self.readings(answer)).values())

    def refused(self, error: ErrorAnswerError | WrongAnswerError) -> list[Reading]:
        """Give what a refusal means."""
        return bad(self.points, f"{Reason.DEVICE_ERROR}:{error.detail}")

    def silent(self) -> list[Reading]:
        """Give what silence means."""
        return bad(self.points, Reason.NO_ANSWER)


class Watch:
    """Watches one resource until it is cancelled or its device is lost."""

    def __init__(
        self, resource: Resource, requests: Requests, renew_after_s: float, hearing: Hearing
    ) -> None:
        self._resource = resource
        self._requests = requests
        self._renew_after_s = renew_after_s
        self._hearing = hearing

    async def run(self, inbox: Inbox) -> None:
        """Put readings into the inbox.

        Raises:
            DeviceError: the device is lost.

        """
        while await self._session(inbox):
            pass

    async def _session(self, inbox: Inbox) -> bool:
        """Observe once, until silence; tells whether to observe again."""
        try:
            async with self._requests.observing(
                self._resource.path, accept=self._resource.accept
            ) as (answer, stream):
                self._hearing.heard()
                inbox.put(self._resource.readings(answer))
                if answer.observe is None:
                    inbox.poll(self._resource.names)
                    return False
                await self._listen(answer, stream, inbox)
                return True
        except (ErrorAnswerError, WrongAnswerError) as exc:
            self._hearing.heard()
            inbox.put(self._resource.refused(exc))
        except SilentError:
            if self._hearing.is_lost(self._resource.path):
                raise
            inbox.put(self._resource.silent())
        await asyncio.sleep(min(limits.MAX_AGE_S, self._renew_after_s))
        return True

    async def _listen(self, first: Answer, stream: Stream, inbox: Inbox) -> None:
        """Take notifications until none comes in time."""
        loop = asyncio.get_running_loop()
        last, answer = Stamp(first.observe or 0, loop.time()), first
        while True:
            until_s = last.at_s + renewal_s(answer.max_age_s, self._renew_after_s)
            try:
                message = await self._next_newer(last, until_s, stream)
            except (TimeoutError, DeviceUnreachableError):
                return  # aiocoap ends all exchanges with a host when one of them fails
            last = Stamp(message.opt.observe or 0, loop.time())
            answer = await self._requests.complete(message, self._resource.path)
            inbox.put(self._resource.readings(answer))
            if answer.observe is None:
                return  # the device ended it

    async def _next_newer(self, last: Stamp, until_s: float, stream: Stream) -> Message:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(until_s):
            while True:
                message = await self._requests.next(stream)
                self._hearing.heard()
                number = message.opt.observe
                if number is None or is_newer(last, Stamp(number, loop.time())):
                    return message
