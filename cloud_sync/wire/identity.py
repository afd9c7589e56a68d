"""How a gateway becomes known: claim, enrolment, access token.

A claim is one string that an installer pastes: ``TGC-`` and base32 of 16 random bytes (the secret)
and the first 16 bytes of the SHA-256 of the authority's certificate (DER). The second half lets the
gateway recognise the cloud before it trusts it.
"""

import base64
import binascii
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

CLAIM_PREFIX = "TGC-"
SECRET_BYTES = 16
PIN_BYTES = 16
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, 2.2."""
ASSERTION_ALGORITHM = "ES256"
ASSERTION_LIFETIME_S = 120


@dataclass(frozen=True, slots=True)
class Claim:
    """The two halves of a claim."""

    secret: bytes
    pin: bytes

    def __str__(self) -> str:
        """Give the text for the installer, in groups of four."""
        text = base64.b32encode(self.secret + self.pin).decode().rstrip("=")
        return CLAIM_PREFIX + "-".join(text[i : i + 4] for i in range(0, len(text), 4))

    def __repr__(self) -> str:
        """Keep the secret out of logs."""
        return "Claim(…)"


def parse_claim(text: str) -> Claim:
    """Read a claim as an installer typed it: case, dashes and blanks do not matter.

    Raises:
        ValueError: it is not a claim; the text says what is expected, never what was given.

    """
    plain = text.strip().upper().replace(" ", "").replace("-", "").removeprefix("TGC")
    try:
        raw = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except binascii.Error:
        raw = b""
    if len(raw) != SECRET_BYTES + PIN_BYTES:
        msg = "a claim looks like TGC-XXXX-XXXX-…, 13 groups from the cloud's page or command line"
        raise ValueError(msg)
    return Claim(raw[:SECRET_BYTES], raw[SECRET_BYTES:])


class WireDocument(BaseModel):
    """A document of the protocol: fields it does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EnrolRequest(WireDocument):
    """A gateway asks for its certificate. ``claim`` is the whole claim text."""

    claim: str = Field(max_length=120)
    csr: str = Field(max_length=8192, description="PKCS#10 signing request, PEM, EC P-256")
    name: str = Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    version: str = Field(max_length=64)


class EnrolReply(WireDocument):
    """The gateway's certificate and who it is now."""

    gateway: str
    tenant: str
    site: str
    certificate: str
    """PEM, leaf first."""
    authority: str
    """PEM of the authority that the gateway trusts from now on."""


class TokenReply(WireDocument):
    """RFC 6749, 5.1."""

    access_token: str
    token_type: str
    expires_in: int


class StreamState(WireDocument):
    """What the cloud has of one stream. Ranges as PostgreSQL writes them: ``{[1,5),[7,9)}``."""

    stream: str
    epoch: str
    received: str
    lost: str
    samples: int


class StreamsReply(WireDocument):
    """All streams of the gateway that asks."""

    streams: list[StreamState]
