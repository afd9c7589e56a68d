"""Requests to one device: one at a time, repeated when lost, put together when they come in blocks."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from aiocoap import error as foreign
from aiocoap.message import Message, UndecidedRemote
from aiocoap.numbers.codes import Code
from aiocoap.numbers.constants import TransportTuning
from aiocoap.pipe import Pipe

from components.coap import limits
from components.coap.endpoint import LOGGER, Asker
from components.coap.errors import ErrorAnswerError, WrongAnswerError, mapped
from components.coap.settings import Method
from components.coap.values import Payload
from edge_runtime.errors import DeviceUnreachableError

MAX_DIAGNOSTIC = 100
IPV6_HINT = "CoAP needs IPv6 in the kernel, even where every device has an IPv4 address."
METHODS = {Method.PUT: Code.PUT, Method.POST: Code.POST}


def content_format_of(message: Message) -> int | None:
    """Give the number of a message's content format, if it names one; too large ones as the largest."""
    found = message.opt.content_format
    return None if found is None else min(int(found), limits.MOST_FORMAT)


class Answer(NamedTuple):
    """A good answer or notification, all blocks of it."""

    payload: Payload
    max_age_s: float
    observe: int | None
    """The notification's number; None when the resource is not observed."""
    code: str


class Stream:
    """What comes back for one request: one answer, or notifications without end."""

    def __init__(self) -> None:
        self._events: deque[Any] = deque(maxlen=limits.MAX_WAITING)
        self._arrived = asyncio.Event()

    def take(self, event: Any) -> bool:
        """Take an event of aiocoap; tells whether more may follow."""
        self._events.append(event)
        self._arrived.set()
        return not event.is_last

    async def next(self) -> Message:
        """Wait for the next message; when more came than were taken, old ones are gone.

        Raises:
            aiocoap.error.Error: the exchange failed.

        """
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if event.exception is not None:
            raise event.exception
        return event.message


class Requests:
    """Asks one device."""

    def __init__(self, at: str, timeout_s: float, asker: Asker) -> None:
        """``at`` is host and port as in a URI."""
        self.at = at
        self._asker = asker
        self._timeout_s = timeout_s
        self._turn = asker.turn(at)
        self._remote: Any = None
        self._tuning = TransportTuning()
        self._tuning.ACK_TIMEOUT = timeout_s / limits.ACK_PARTS
        self._tuning.ACK_RANDOM_FACTOR = limits.ACK_SPREAD
        self._tuning.MAX_RETRANSMIT = limits.RETRANSMISSIONS

    async def get(self, path: str, accept: int | None = None) -> Answer:
        """Get a resource.

        Raises:
            DeviceUnreachableError: no answer.
            ErrorAnswerError: an answer with an error code.
            WrongAnswerError: an answer that cannot be used.

        """
        async with self.observing(path, observe=False, accept=accept) as (answer, _):
            return answer

    @asynccontextmanager
    async def observing(
        self, path: str, *, observe: bool = True, accept: int | None = None
    ) -> AsyncIterator[tuple[Answer, Stream]]:
        """Get a resource and stay for its notifications, if its device has any.

        Raises:
            DeviceError: as with :meth:`get`.

        """
        message = self._message(Code.GET, path)
        message.opt.observe = 0 if observe else None
        message.opt.accept = accept
        async with self._asked(message) as (first, stream):
            yield await self.complete(first, path), stream

    async def next(self, stream: Stream) -> Message:
        """Wait for the next notification, however long; :meth:`complete` makes an answer of it.

        Raises:
            DeviceUnreachableError: the observation is over.

        """
        try:
            return await stream.next()
        except (foreign.Error, OSError) as exc:
            self._remote = None
            raise mapped(exc, self.at) from exc

    async def write(self, path: str, method: Method, payload: Payload) -> None:
        """Write a resource.

        Raises:
            DeviceError: as with :meth:`get`.

        """
        message = self._message(METHODS[method], path)
        message.payload = payload.data
        message.opt.content_format = payload.content_format
        async with self._asked(message) as (answer, _):
            self._check(answer, f"{self.at}{path}")

    def _message(self, code: Code, path: str) -> Message:
        message = Message(code=code, transport_tuning=self._tuning)
        path, _, query = path.partition("?")
        message.opt.uri_path = tuple(map(unquote, path.split("/")[1:])) if path != "/" else ()
        message.opt.uri_query = tuple(map(unquote, query.split("&"))) if query else ()
        message.remote = self._remote or UndecidedRemote("coap", self.at)
        return message

    @asynccontextmanager
    async def _asked(self, message: Message) -> AsyncIterator[tuple[Message, Stream]]:
        """Send a request and wait for the first answer; leaving ends what would follow."""
        stream = Stream()
        pipe = Pipe(message, logging.getLogger(LOGGER))
        stop = pipe.on_event(stream.take)
        try:
            yield await self._first(pipe, stream), stream
        finally:
            stop()

    async def _first(self, pipe: Pipe, stream: Stream) -> Message:
        try:
            async with self._turn, asyncio.timeout(self._timeout_s):
                context = await self._context()
                interface = await context.find_remote_and_interface(pipe.request)
                interface.request(pipe)
                first = await stream.next()
        except (foreign.Error, OSError, ValueError) as exc:
            self._remote = None
            raise mapped(exc, self.at) from exc
        self._remote = pipe.request.remote
        return first

    async def _context(self) -> Any:
        try:
            return await self._asker.context()
        except OSError as exc:
            msg = f"no socket can be opened here: {exc.strerror or exc}"
            raise DeviceUnreachableError(msg, hint=IPV6_HINT) from exc

    async def complete(self, first: Message, path: str) -> Answer:
        """Fetch the blocks that follow the first (RFC 7959 2.4).

        Raises:
            DeviceError: as with :meth:`get`.

        """
        where = f"{self.at}{path}"
        self._check(first, where)
        body, block = bytearray(first.payload), first.opt.block2
        if block is not None and block.block_number:
            msg = f"{where} began with block {block.block_number}"
            raise WrongAnswerError(msg, "wrong_block")
        while block is not None and block.more:
            if not body or len(body) % block.size or block.is_bert:
                msg = f"{where} sent a block that does not fit its number"
                raise WrongAnswerError(msg, "wrong_block")
            if len(body) + block.size > limits.MAX_ANSWER_BYTES:
                msg = f"{where} is longer than the {limits.MAX_ANSWER_BYTES} bytes that are taken"
                raise WrongAnswerError(msg, "too_long")
            number = len(body) // block.size
            message = self._message(Code.GET, path)
            message.opt.block2 = (number, False, block.size_exponent)
            async with self._asked(message) as (answer, _):
                self._check(answer, where)
            block = answer.opt.block2
            fits = block is not None and block.block_number == number and answer.payload
            if not fits or answer.opt.etag != first.opt.etag:
                msg = f"{where} changed while its blocks were read"
                raise WrongAnswerError(msg, "wrong_block")
            body += answer.payload
        max_age = limits.MAX_AGE_S if first.opt.max_age is None else first.opt.max_age
        max_age_s = float(min(max_age, limits.MOST_AGE_S))
        payload = Payload(bytes(body), content_format_of(first))
        return Answer(payload, max_age_s, first.opt.observe, first.code.dotted)

    def _check(self, answer: Message, where: str) -> None:
        if not answer.code.is_successful():
            diagnostic = answer.payload[:MAX_DIAGNOSTIC].decode("utf-8", "replace")
            shown = diagnostic if diagnostic.isprintable() else ""
            raise ErrorAnswerError(answer.code.dotted, where, shown)
