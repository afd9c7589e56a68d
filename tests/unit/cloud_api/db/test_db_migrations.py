import pytest

from cloud_api.db.migrate import Migration, load_migrations, pending
from cloud_api.errors import MigrationError

FIRST = Migration(1, "pre", "0001_pre_a.sql", "SELECT 1")
SECOND = Migration(2, "post", "0002_post_b.sql", "SELECT 2")


def test_files_are_numbered_from_one_without_a_hole():
    numbers = [migration.number for migration in load_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_only_what_was_not_applied_is_pending():
    assert pending([FIRST, SECOND], {1: FIRST.checksum}) == [SECOND]
    assert pending([FIRST, SECOND], {1: FIRST.checksum, 2: SECOND.checksum}) == []


def test_a_changed_file_is_refused():
    with pytest.raises(MigrationError, match="changed after it was applied"):
        pending([FIRST, SECOND], {1: SECOND.checksum})


def test_a_database_ahead_of_the_code_is_refused():
    with pytest.raises(MigrationError, match="0003"):
        pending([FIRST, SECOND], {1: FIRST.checksum, 3: "…"})


def test_no_migration_fills_data_or_drops_without_a_trace():
    for migration in load_migrations():
        assert "UPDATE " not in migration.sql.replace("FOR UPDATE", "").replace(
            "DO UPDATE", ""
        ).replace("SELECT, INSERT, UPDATE", ""), migration.name
