"""The keys of a running cloud: its authority, the key of its access tokens, who is suspended."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from cloud_api.access import queries, tokens
from cloud_api.access.authority import Authority, open_authority, pem_of_key, read_key
from cloud_api.access.caller import GatewayCaller
from cloud_api.db.private_file import write_private
from cloud_api.db.session import Database

STANDING_S = 30.0
"""A suspended gateway is refused at most this much later, by every process."""
MAX_STANDINGS = 20_000


@dataclass(slots=True)
class Standing:
    """Remembers for half a minute which gateways are in good standing."""

    monotonic: Callable[[], float] = time.monotonic
    _known: dict[GatewayCaller, tuple[bool, float]] = field(default_factory=dict)

    async def is_good(self, database: Database, caller: GatewayCaller) -> bool:
        """Tell whether a gateway is enrolled and not suspended."""
        good, until = self._known.get(caller, (False, 0.0))
        if self.monotonic() < until:
            return good
        async with database.transaction(caller.tenant) as db:
            good = await queries.gateway_status(db, caller.tenant, caller.gateway) == "enrolled"
        if len(self._known) >= MAX_STANDINGS:
            self._known.clear()
        self._known[caller] = (good, self.monotonic() + STANDING_S)
        return good

    def forget(self, caller: GatewayCaller) -> None:
        """Ask the database again at the next request of this gateway."""
        self._known.pop(caller, None)


@dataclass(slots=True)
class CheckedTokens:
    """Remembers for half a minute which access tokens were good, by their SHA-256.

    A gateway shows the same one twice a second; checking its signature costs more than reading the
    upload that comes with it.
    """

    _known: dict[bytes, tuple[GatewayCaller, datetime, datetime]] = field(default_factory=dict)

    def find(self, token: str, now: datetime) -> GatewayCaller | None:
        """Give whose token it is, when it was checked a moment ago and has not expired since."""
        known = self._known.get(_hash(token))
        if known is None:
            return None
        caller, since, until = known
        return caller if since <= now < until else None

    def remember(self, token: str, access: tokens.Access, now: datetime) -> None:
        """Keep a token that was checked at ``now``."""
        if len(self._known) >= MAX_STANDINGS:
            self._known.clear()
        until = min(access.expires_at, now + timedelta(seconds=STANDING_S))
        self._known[_hash(token)] = access.caller, now, until


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Authority and token key, with what is remembered of gateways."""

    authority: Authority
    token_key: ec.EllipticCurvePrivateKey
    standing: Standing = field(default_factory=Standing)
    checked: CheckedTokens = field(default_factory=CheckedTokens)

    def __repr__(self) -> str:
        """Keep keys out of logs."""
        return f"Keyring({self.authority})"

    def issue_access_token(self, caller: GatewayCaller, now: datetime) -> tuple[str, int]:
        """Sign an access token; give it and its lifetime in seconds."""
        return tokens.issue_access_token(self.token_key, caller, now)

    def read_access_token(self, token: str, now: datetime) -> GatewayCaller:
        """Check an access token of ours.

        Raises:
            NotSignedInError: it is not.

        """
        caller = self.checked.find(token, now)
        if caller is None:
            access = tokens.read_access_token(token, self.token_key.public_key(), now)
            self.checked.remember(token, access, now)
            caller = access.caller
        return caller


def open_keyring(folder: Path, now: datetime) -> Keyring:
    """Read the keys below ``state_dir/authority``, or make them at the first start.

    Raises:
        SettingsError: the files are there and cannot be used.

    """
    authority = open_authority(folder, now)
    token_file = folder / "token-key.pem"
    if not token_file.exists():
        write_private(token_file, pem_of_key(ec.generate_private_key(ec.SECP256R1())))
    return Keyring(authority, read_key(token_file))
