import os

import msgspec

from edge_runtime.status import memory_bytes, proportional_size, read_status, write_status


class Some(msgspec.Struct):
    time_us: int
    name: str = ""


def test_what_is_written_is_read(tmp_path):
    write_status(tmp_path / "run", "runtime", Some(7))
    assert read_status(tmp_path / "run", "runtime", Some) == Some(7)
    assert os.listdir(tmp_path / "run") == ["runtime.json"]  # noqa: PTH208 - names are enough


def test_a_missing_or_strange_status_is_none(tmp_path):
    assert read_status(tmp_path, "runtime", Some) is None
    for strange in (b'{"time_us": "x"}', b'{"time_us": 1, "name": "\xff"}'):
        (tmp_path / "runtime.json").write_bytes(strange)
        assert read_status(tmp_path, "runtime", Some) is None


def test_memory_is_told_in_bytes():
    assert memory_bytes() > 1 << 20


def test_a_process_that_is_gone_has_no_memory():
    assert proportional_size(2**22 + 1) == 0
