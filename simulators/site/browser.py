"""A person's browser, as far as requests go: signed in by a one-time link."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

Browser = httpx.AsyncClient  # noqa: TID251 - a person's browser, not the gateway's line


@asynccontextmanager
async def sign_in(page: str, link: str) -> AsyncIterator[Browser]:
    """Use up a sign-in link; gives the signed-in browser.

    Raises:
        httpx.HTTPStatusError: the link does not work.

    """
    headers = {"Tidegate-CSRF": "1"}
    async with Browser(base_url=page, headers=headers, trust_env=False) as http:
        answer = await http.post("/v1/session", json={"token": link.partition("#token=")[2]})
        answer.raise_for_status()
        yield http
