import errno
import os

import pytest

from edge_runtime.errors import AlreadyRunsError, StoreError
from edge_runtime.host.lock import only_process, take_lock


def test_a_second_process_of_a_kind_is_refused_by_name(tmp_path):
    with only_process(tmp_path, "runtime"), pytest.raises(AlreadyRunsError) as refused:
        take_lock(tmp_path, "runtime")
    assert f"runs already, as process {os.getpid()}" in str(refused.value)
    assert "state_dir" in refused.value.hint


def test_kinds_do_not_hinder_each_other(tmp_path):
    with only_process(tmp_path, "runtime"), only_process(tmp_path, "agent"):
        assert {path.name for path in tmp_path.iterdir()} == {"runtime.lock", "agent.lock"}


def test_the_lock_ends_with_its_holder(tmp_path):
    with only_process(tmp_path, "runtime"):
        pass
    with only_process(tmp_path, "runtime"):
        assert (tmp_path / "runtime.lock").read_text() == str(os.getpid())


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file/state"):
        take_lock(tmp_path / "file" / "state", "runtime")


def test_a_full_disk_keeps_nobody_from_starting(tmp_path, monkeypatch):
    def full(_descriptor, _data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with only_process(tmp_path, "runtime"), pytest.raises(AlreadyRunsError, match="process \\?"):
        take_lock(tmp_path, "runtime")
