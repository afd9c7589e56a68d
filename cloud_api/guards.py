"""Around every request: security headers on the answer, a limit on the time it may take.

Plain ASGI, so that streams pass through piece by piece.
"""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.errors import NotReadyError
from cloud_api.problems import problem

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""A route that sets one of these keeps its own: the dashboard has its own policy."""
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
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
