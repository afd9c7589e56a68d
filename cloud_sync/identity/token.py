"""The access token: 15 minutes of trust for a signed assertion (RFC 7523)."""

import asyncio
import logging
import secrets
from http import HTTPStatus

import jwt

from cloud_sync.identity.files import Identity
from cloud_sync.stores import Clock
from cloud_sync.transports.answers import Answer, document_of
from cloud_sync.transports.https import HttpsClient, Request
from cloud_sync.wire import paths
from cloud_sync.wire.identity import (
    ASSERTION_ALGORITHM,
    ASSERTION_LIFETIME_S,
    ASSERTION_TYPE,
    TokenReply,
)

_USED_SHARE = 0.8
"""Share of its life after which a token is renewed."""
_SKEW_US = 20_000_000
"""A clock that is further off than this from the cloud's is not believed for assertions."""

log = logging.getLogger(__name__)


class AccessToken:
    """Fetches a token when one is needed, and keeps it in memory only."""

    def __init__(self, client: HttpsClient, identity: Identity, url: str, clock: Clock) -> None:
        """``url`` is the cloud's address: the audience of the assertion."""
        self._client = client
        self._identity = identity
        self._audience = url.rstrip("/") + paths.TOKEN
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._skew_us = 0

    async def get(self) -> str:
        """Give a token that is good for a while.

        Raises:
            LineError: the cloud could not be asked, or refused.

        """
        async with self._lock:
            if not self._token or self._clock.monotonic() >= self._renew_at:
                await self._fetch()
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was refused, if it is still the one in use."""
        if token == self._token:
            self._token = ""

    async def _fetch(self) -> None:
        asked_at = self._clock.monotonic()
        answer = await self._ask()
        if answer.status == HTTPStatus.UNAUTHORIZED and self._learn_time(answer):
            answer = await self._ask()
        reply = document_of(answer, HTTPStatus.OK, TokenReply)
        self._token = reply.access_token
        self._renew_at = asked_at + reply.expires_in * _USED_SHARE

    async def _ask(self) -> Answer:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        return await self._client.ask(Request("POST", paths.TOKEN, form=form))

    def _learn_time(self, answer: Answer) -> bool:
        """Take the cloud's time for assertions where our own clock is wrong; True if it was."""
        if answer.date_us is None:
            return False
        skew_us = answer.date_us - self._clock.wall_us()
        if abs(skew_us - self._skew_us) <= _SKEW_US:
            return False
        self._skew_us = skew_us
        log.warning("the gateway's clock is wrong", extra={"off_s": -skew_us // 1_000_000})
        return True

    def _assertion(self) -> str:
        gateway = self._identity.gateway.gateway
        now = (self._clock.wall_us() + self._skew_us) // 1_000_000
        claims = {
            "iss": gateway,
            "sub": gateway,
            "aud": self._audience,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + ASSERTION_LIFETIME_S,
        }
        headers = {"kid": self._identity.fingerprint}
        return jwt.encode(claims, self._identity.key, ASSERTION_ALGORITHM, headers=headers)
