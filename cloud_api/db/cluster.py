"""The folder of the embedded server: where data, socket and secrets lie, and how they are made.

    <folder>/lock           held by the process that runs the server
    <folder>/access.json    0600: socket, owner's password, where the data is
    <home>/data             PostgreSQL's data folder, mode 0700, the server account's own
    <home>/socket           the only way in: no TCP port is opened
    <home>/server.log       bounded

``home`` is ``<folder>/cluster`` if the server's account can reach it; else it is a folder of the
machine's (``/var/lib/tidegate``), for nobody's rights are changed to get there.
"""

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from psycopg.conninfo import make_conninfo
from pydantic import BaseModel, ConfigDict, SecretStr

from cloud_api.db.account import Account, give, reachable
from cloud_api.db.private_file import write_private
from cloud_api.errors import EmbeddedDatabaseError

DATABASE = "tidegate"
OWNER = "tidegate_owner"
PORT = 5432
"""Names the socket only."""
SOCKET_PATH_LIMIT = 107
"""Bytes in sockaddr_un.sun_path, less the closing zero."""
MACHINE_HOME = Path("/var/lib/tidegate/clusters")
THROWAWAY_PREFIX = "tidegate-throwaway-"


class Access(BaseModel):
    """How to reach the embedded server: for its own process and for the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    socket: Path
    password: SecretStr

    def dsn(self, database: str = DATABASE) -> str:
        """Give the owner's connection string."""
        return make_conninfo(
            host=str(self.socket),
            port=PORT,
            user=OWNER,
            password=self.password.get_secret_value(),
            dbname=database,
        )


def read_access(folder: Path) -> Access | None:
    """Read how to reach the server of this folder, None before its first start."""
    try:
        return Access.model_validate_json((folder / "access.json").read_bytes())
    except FileNotFoundError:
        return None


def prepare(folder: Path, account: Account | None, *, throwaway: bool) -> Access:
    """Make the folders of a cluster, or find those made before.

    Raises:
        EmbeddedDatabaseError: a folder of ours belongs to somebody else.

    """
    # Searchable, not readable: the account passes through to its own part, the secrets are 0600.
    folder.mkdir(parents=True, exist_ok=True, mode=0o711 if account else 0o700)
    known = read_access(folder)
    if known is not None and known.home.is_dir():
        access = known
    else:
        home = _home(folder, account, throwaway=throwaway)
        access = Access(
            home=home,
            socket=_socket_folder(home),
            password=SecretStr(secrets.token_urlsafe(32)),
        )
        _write_access(folder, access)
    for path in (access.home, access.socket):
        _own(path, account)
    return access


def _home(folder: Path, account: Account | None, *, throwaway: bool) -> Path:
    if reachable(folder, account):
        return folder / "cluster"
    if throwaway:
        return Path(tempfile.mkdtemp(prefix=THROWAWAY_PREFIX))
    return MACHINE_HOME / _tag(folder)


def _socket_folder(home: Path) -> Path:
    beside = home / "socket"
    if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return beside
    return Path(tempfile.gettempdir()) / f"tidegate-{_tag(home)}"


def _tag(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]


def _own(path: Path, account: Account | None) -> None:
    """Make a private folder, or take one only if it is private already: ``/tmp`` is shared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        facts = path.lstat()
        ours = {os.geteuid(), account.uid if account else os.geteuid()}
        if path.is_symlink() or facts.st_uid not in ours or facts.st_mode & 0o077:
            raise EmbeddedDatabaseError(
                f"{path} is not a private folder of the database", hint="remove it and start again"
            ) from None
    give(path, account)


def _write_access(folder: Path, access: Access) -> None:
    content = {
        "home": str(access.home),
        "socket": str(access.socket),
        "password": access.password.get_secret_value(),
    }
    write_private(folder / "access.json", json.dumps(content))


def discard(access: Access) -> None:
    """Remove everything of a throw-away cluster."""
    shutil.rmtree(access.home, ignore_errors=True)
    shutil.rmtree(access.socket, ignore_errors=True)
