"""Passwords: Argon2id, in a thread, with the same work whether or not the person exists."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 200
CONCURRENT = 2
"""Each check takes 46 MB for some 50 ms; a flood of them waits instead of filling the memory."""

_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
"""The OWASP cheat sheet's first choice: m = 46 MiB, t = 1, p = 1."""
_gate = asyncio.Semaphore(CONCURRENT)


async def hash_password(password: str) -> str:
    """Make what is stored of a password."""
    async with _gate:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Check a password; without a stored one the same work is done for nothing."""
    async with _gate:
        right = await asyncio.to_thread(_verify, stored or _nobody(), password)
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """A hash that no password is checked against but those of unknown people."""
    return _hasher.hash("nobody has this password")
