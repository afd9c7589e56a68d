"""Around every request: security headers, a limit on its time, an end to streams when we end.

Plain ASGI, so that streams pass through piece by piece.
"""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.errors import NotReadyError, TooLargeError
from cloud_api.headers import SECURITY_HEADERS
from cloud_api.problems import problem
from cloud_sync.wire.problems import MEDIA_TYPE

_ENCODED = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
TOO_LARGE = TooLargeError.status_code
PROBLEM = MEDIA_TYPE.encode()
HSTS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Adds the headers that every answer carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with a ``send`` that adds headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", ())}
                added = [pair for pair in _ENCODED if pair[0] not in present]
                if scope.get("scheme") == "https":
                    added.append(HSTS)
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class LargeBodies:
    """Turns the framework's plain answer to a body over the limit into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; put a problem in the place of a plain 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal replaced
            if replaced:
                return
            if message["type"] == "http.response.start" and message["status"] == TOO_LARGE:
                replaced = dict(message["headers"]).get(b"content-type") != PROBLEM
                if replaced:
                    await problem(TooLargeError())(scope, receive, send)
                    return
            await send(message)

        await self._app(scope, receive, send_problem)


class RequestTimeLimit:
    """Ends a request that takes too long before its answer begins; a stream may then go on."""

    def __init__(self, app: ASGIApp, seconds: float, open_ended: Iterable[str] = ()) -> None:
        self._app = app
        self._seconds = seconds
        self._open_ended = frozenset(open_ended)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on within the limit."""
        if scope["type"] != "http" or scope["path"] in self._open_ended:
            await self._app(scope, receive, send)
            return
        began = False
        try:
            async with asyncio.timeout(self._seconds) as limit:

                async def send_first(message: Message) -> None:
                    nonlocal began
                    began = True
                    limit.reschedule(None)
                    await send(message)

                await self._app(scope, receive, send_first)
        except TimeoutError:
            if began or not limit.expired():
                raise
            late = NotReadyError("this took too long", headers={"Retry-After": "5"})
            await problem(late)(scope, receive, send)


class StreamsEnd:
    """Lets streams end in order when the process begins to: they see their caller hang up."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; after the body, waiting for the caller is also waiting for our own end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        whole = False
        unfinished = False

        async def receive_or_stop() -> Message:
            nonlocal whole
            if whole:
                return await self._hang_up(receive)
            message = await receive()
            whole = not message.get("more_body", False)
            return message

        async def send_noted(message: Message) -> None:
            nonlocal unfinished
            unfinished = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        await self._app(scope, receive_or_stop, send_noted)
        if unfinished and self._stopping.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _hang_up(self, receive: Receive) -> Message:
        caller = asyncio.ensure_future(receive())
        ours = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({caller, ours}, return_when=asyncio.FIRST_COMPLETED)
            return caller.result() if caller.done() else {"type": "http.disconnect"}
        finally:
            caller.cancel()
            ours.cancel()
