"""Which account of the machine runs the embedded server, and what that account can reach.

PostgreSQL refuses to run as root, so root starts it under ``postgres`` or, where there is no such
account, ``nobody``. Rights of folders that are not ours are never changed.
"""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group by number."""

    uid: int
    gid: int


def server_account(names: Iterable[str] = ACCOUNTS) -> Account | None:
    """Find the account for the server's processes; None when we are no root: as ourselves.

    Raises:
        LookupError: we are root and the machine has none of these accounts.

    """
    if os.geteuid() != 0:
        return None
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    msg = f"this machine has none of the accounts {', '.join(names)}"
    raise LookupError(msg)


def reachable(path: Path, account: Account | None) -> bool:
    """Tell whether an account may search every folder on the way to ``path`` and ``path`` itself.

    Parts of the path that do not exist yet count as reachable.
    """
    if account is None:
        return True
    whole = path.resolve()
    return all(
        _may_search(folder.stat(), account) for folder in (whole, *whole.parents) if folder.is_dir()
    )


def _may_search(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder of ours to the account."""
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
