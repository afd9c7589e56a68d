"""Secrets that mean nothing by themselves: session tokens, sign-in links, secrets of claims.

The database keeps their SHA-256 only. They are random, so a plain hash is enough; it needs no salt
and can be looked up.
"""

import hashlib
import secrets

TOKEN_BYTES = 32
MAX_TOKEN_CHARS = 100


def new_token() -> str:
    """Make a token of 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_secret(size: int) -> bytes:
    """Make raw random bytes."""
    return secrets.token_bytes(size)


def hash_token(token: str) -> bytes:
    """Give what is stored of a token."""
    return hash_secret(token.encode())


def hash_secret(secret: bytes) -> bytes:
    """Give what is stored of raw secret bytes."""
    return hashlib.sha256(secret).digest()
