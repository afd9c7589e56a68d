"""Files that matter are replaced whole or not at all."""

import os
import stat

import pytest

from edge_runtime.durable import make_folder, write_file


def test_content_is_replaced(tmp_path):
    write_file(tmp_path / "a", b"one")
    write_file(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_only_the_owner_can_read(tmp_path):
    make_folder(tmp_path / "x" / "y")
    write_file(tmp_path / "x" / "y" / "a", b"one")
    assert stat.S_IMODE((tmp_path / "x" / "y" / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "x" / "y").stat().st_mode) == 0o700


def test_a_failed_write_keeps_the_old_content(tmp_path, monkeypatch):
    write_file(tmp_path / "a", b"one")

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
