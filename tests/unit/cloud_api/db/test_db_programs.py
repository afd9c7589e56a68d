import os

import pytest

from cloud_api.db.account import Account
from cloud_api.db.programs import INSTALL, PACKAGE, copy_programs
from cloud_api.errors import EmbeddedDatabaseError

STRANGER = Account(uid=65_533, gid=65_533)


@pytest.fixture
def package(tmp_path):
    programs = tmp_path / "site" / PACKAGE / INSTALL / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!")
    (tmp_path / "site" / f"{PACKAGE}.libs").mkdir()
    (tmp_path / "site" / f"{PACKAGE}.libs" / "libpq.so").write_text("elf")
    return tmp_path / "site" / PACKAGE


def test_programs_and_libraries_are_copied_side_by_side(package, tmp_path):
    place = copy_programs(package, None, (tmp_path / "shelf",))
    assert (place / PACKAGE / INSTALL / "bin" / "postgres").read_text() == "#!"
    assert (place / f"{PACKAGE}.libs" / "libpq.so").read_text() == "elf"
    assert place.stat().st_mode & 0o777 == 0o755


def test_a_second_start_takes_the_copy_that_is_there(package, tmp_path):
    first = copy_programs(package, None, (tmp_path / "shelf",))
    inode = first.stat().st_ino
    assert copy_programs(package, None, (tmp_path / "shelf",)).stat().st_ino == inode
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [first.name]


def test_a_private_place_is_passed_over_and_keeps_its_rights(package, tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EmbeddedDatabaseError, match="can reach none"):
        copy_programs(package, STRANGER, (private,))
    assert private.stat().st_mode & 0o777 == 0o700
    assert list(private.iterdir()) == []


def test_a_link_planted_in_a_shared_place_is_not_taken(package, tmp_path):
    machine, shared, trap = (tmp_path / name for name in ("machine", "shared", "trap"))
    name = copy_programs(package, None, (tmp_path / "own",)).name
    for folder in (machine, shared, trap):
        folder.mkdir()
    (machine / name).symlink_to(trap)
    (shared / f"tidegate-{os.getuid()}-{name}").symlink_to(trap)
    with pytest.raises(EmbeddedDatabaseError):
        copy_programs(package, None, (machine, shared))
