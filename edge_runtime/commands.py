"""Commands from the cloud: executed at most once, each answered by one event.

The journal notes that a command begins before it does. The answer is durable in the outbox before
the journal notes the end; an answer has its command's id, so that one sent twice counts once. What a
restart interrupted is not tried again: it is answered as failed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from cloud_sync.wire.downlink import Command, CommandName, Document, DocumentKind
from cloud_sync.wire.events import CommandResult, Event, EventKind
from edge_runtime.clock import Clock
from edge_runtime.errors import DeviceError, StoreError
from edge_runtime.happenings import make_event

RESCAN_S = 60.0
"""Every so often all documents are looked at again: an inbox that began anew counts from 1."""
RETRY_S = 1.0
PAGE = 100

SUCCEEDED, FAILED, EXPIRED = "succeeded", "failed", "expired"

logger = logging.getLogger(__name__)


class Documents(Protocol):
    """The inbox, as far as commands need it."""

    def documents(self, after: int = 0, limit: int = 100) -> Sequence[tuple[int, Document]]:
        """List documents after a place, in the order they came."""
        ...


class CommandJournal(Protocol):
    """What was begun and finished; every call raises :class:`StoreError`."""

    def begin(self, document: str) -> bool:
        """Note that it begins; False where it did before."""
        ...

    def finish(self, document: str, state: str, reason: str = "") -> None:
        """Note how it ended."""
        ...

    def unfinished(self) -> Sequence[str]:
        """List what was begun and not finished."""
        ...


class Refreshed(Protocol):
    """A device that can be told to read everything now, whichever process reads it."""

    @property
    def name(self) -> str:
        """The device's name."""
        ...

    async def refresh(self) -> None:
        """Read every point and send it; raises :class:`DeviceError`."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """Where answers go."""

    hand_on: Callable[[Event], None]
    durable: Callable[[], Awaitable[None]]
    """Returns once what was handed on is on disk; raises :class:`StoreError`."""


Execute = Callable[[], Awaitable[Ending]]


class Commander:
    """Takes documents out of the inbox, one after the other."""

    def __init__(
        self,
        documents: Documents,
        journal: CommandJournal,
        answering: Answering,
        clock: Clock,
        known: dict[str, Execute],
        *,
        forgot: bool = False,
    ) -> None:
        """``forgot``: what was executed before is not known, so nothing of it may be again."""
        self._documents = documents
        self._journal = journal
        self._answering = answering
        self._clock = clock
        self._known = known
        self._forgot = forgot
        self._arrived = asyncio.Event()
        self._place = 0
        self._scanned_at = clock.monotonic()

    def notice(self) -> None:
        """Note that the inbox changed."""
        self._arrived.set()

    async def run(self) -> None:
        """Execute what arrives until cancelled."""
        while True:
            try:
                await self.close_interrupted()
                while True:
                    await self._arrived.wait()
                    self._arrived.clear()
                    await self.take_arrived()
            except StoreError:
                logger.exception("commands wait until the store can be written")
                self._arrived.set()
                await self._clock.sleep(RETRY_S)

    async def close_interrupted(self) -> None:
        """Answer what a restart interrupted, and what may have been executed but was forgotten.

        Raises:
            StoreError: the answer is not durable; the next start answers.

        """
        for document in self._journal.unfinished():
            await self._answer(document, Ending(FAILED, "interrupted by a restart"))
        if self._forgot:
            await self._take(self._refuse)
            self._forgot = False

    async def take_arrived(self) -> None:
        """Execute the documents that were not seen yet.

        Raises:
            StoreError: the journal or the outbox cannot be written; nothing is executed twice.

        """
        now = self._clock.monotonic()
        if now - self._scanned_at >= RESCAN_S:
            self._scanned_at, self._place = now, 0
        await self._take(self._execute)

    async def _take(self, end: Callable[[Document], Awaitable[Ending]]) -> None:
        while page := self._documents.documents(self._place, PAGE):
            for place, document in page:
                if self._journal.begin(document.id):
                    await self._answer(document.id, await end(document))
                self._place = place

    async def _refuse(self, _: Document) -> Ending:
        return Ending(FAILED, "the journal was lost: it may have been executed before")

    async def _execute(self, document: Document) -> Ending:
        if document.not_after_us < self._clock.wall_us():
            return Ending(EXPIRED, "arrived after its time")
        if document.kind != DocumentKind.COMMAND.value:
            return Ending(FAILED, f"this gateway knows no document of kind '{document.kind}'")
        try:
            command = msgspec.convert(document.body, Command)
        except msgspec.ValidationError as exc:
            return Ending(FAILED, f"not a command: {exc}")
        execute = self._known.get(command.name)
        if execute is None:
            return Ending(FAILED, f"this gateway knows no command '{command.name}'")
        logger.info("command %s: %s", document.id, command.name)
        return await execute()

    async def _answer(self, document: str, ending: Ending) -> None:
        body = CommandResult(document, ending.state, ending.reason)
        kind, now_us = EventKind.COMMAND_RESULT, self._clock.wall_us()
        self._answering.hand_on(make_event(kind, body, now_us, name=f"{document}-result"))
        await self._answering.durable()
        self._journal.finish(document, ending.state, ending.reason)


def refresh_command(
    pollers: Sequence[Refreshed], declare: Callable[[], None]
) -> dict[str, Execute]:
    """Make the command ``refresh``: declare the points and read every device now."""

    async def execute() -> Ending:
        declare()
        outcomes = await asyncio.gather(*(_refresh(poller) for poller in pollers))
        silent = sorted(name for name in outcomes if name)
        if not silent:
            return Ending(SUCCEEDED)
        reason = f"silent: {', '.join(silent[:10])}{' …' if len(silent) > 10 else ''}"  # noqa: PLR2004 - for people
        return Ending(FAILED if len(silent) == len(pollers) else SUCCEEDED, reason)

    return {CommandName.REFRESH.value: execute}


async def _refresh(poller: Refreshed) -> str:
    """Read one device; gives its name where it is silent."""
    try:
        await poller.refresh()
    except DeviceError:
        return poller.name
    return ""
