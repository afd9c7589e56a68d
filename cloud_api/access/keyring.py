"""The keys of a running cloud: its authority, the key of its access tokens, who is suspended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class Keyring:
    """Authority and token key, with what is remembered of gateways."""

    authority: Authority
    token_key: ec.EllipticCurvePrivateKey
    standing: Standing = field(default_factory=Standing)

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
        return tokens.read_access_token(token, self.token_key.public_key(), now)


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
