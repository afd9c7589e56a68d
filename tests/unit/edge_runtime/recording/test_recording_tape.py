"""The file survives what happens to files."""

import errno
import io
import struct
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import SettingsError, StoreDamagedError, StoreError, StoreFullError
from edge_runtime.recording.records import (
    VERSION,
    Answered,
    Ended,
    Failed,
    Header,
    Heard,
    Opened,
    Shown,
    Taken,
)
from edge_runtime.recording.tape import MARK, Tape, read_recording

HEADER = Header(VERSION, "cellar-1", 1_700_000_000_000_000, "0.1", ())
RECORDS = (
    Opened(0, "a", False),
    Answered(10, "a", 3, (Taken("p", 1.5, 0, "", None), Taken("q", None, 2, "stale", 7))),
    Heard(20, "b", (Taken("p", "x", 0, "", None),), ("q",), None),
    Shown(25, "a", (("p", "holding 0", b"\x00\x01"),)),
    Failed(30, "a", 5, True, "refused", "look"),
)
values = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=5)
takens = st.builds(
    Taken, st.text(max_size=5), values | st.floats(allow_nan=False), st.integers(0, 2),
    st.text(max_size=5), st.none() | st.integers(0, 1 << 60),
)  # fmt: skip


def written(records, max_bytes=1 << 30, *, end=True):
    file = io.BytesIO()
    tape = Tape(file, HEADER, max_bytes)
    for record in records:
        tape.add(record)
    if end:
        tape.end(99)
    else:
        tape.flush()
    return file.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(data):
        (tmp_path / "site.tgrec").write_bytes(data)
        return read_recording(tmp_path / "site.tgrec")

    return read


def test_what_was_written_is_read(read):
    recording = read(written(RECORDS))
    assert recording.header == HEADER
    assert recording.records == (*RECORDS, Ended(99))
    assert (recording.damage, recording.length_us) == ("", 99)


@given(st.lists(takens, max_size=5))
def test_any_reading_is_read_as_it_was(readings):
    file = io.BytesIO()
    tape = Tape(file, HEADER, 1 << 30)
    record = Answered(1, "a", 0, tuple(readings))
    tape.add(record)
    tape.flush()
    assert record.readings == tuple(readings)
    assert tape.count == 1


def test_torn_tail_is_passed_over_and_told(read):
    file = io.BytesIO()
    tape = Tape(file, HEADER, 1 << 30)
    tape.add(RECORDS[0])
    tape.flush()
    whole = len(file.getvalue())
    tape.add(RECORDS[1])
    tape.end(5)
    for cut in range(whole + 1, len(file.getvalue())):
        recording = read(file.getvalue()[:cut])
        assert recording.records == RECORDS[:1]
        assert "torn" in recording.damage


def test_missing_end_is_told(read):
    assert "interrupted" in read(written(RECORDS, end=False)).damage


def test_flipped_bit_ends_it_there(read):
    data = bytearray(written(RECORDS))
    data[-3] ^= 4
    recording = read(bytes(data))
    assert recording.records == ()
    assert "does not verify" in recording.damage


@pytest.mark.parametrize("data", [b"", MARK[:3], b"PK\x03\x04 a zip", MARK, MARK + b"\x00" * 8])
def test_what_is_no_recording_is_refused(read, data):
    with pytest.raises(StoreDamagedError) as caught:
        read(data)
    assert caught.value.hint


def test_newer_version_is_refused_with_what_to_do(read):
    file = io.BytesIO()
    Tape(file, Header(VERSION + 1, "a", 0, "9", ()), 1 << 30)
    with pytest.raises(SettingsError, match="version"):
        read(file.getvalue())


def test_missing_file_is_told(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        read_recording(tmp_path / "none")


def test_frame_that_unpacks_to_too_much_is_refused(read):
    packed = zstandard.compress(b"\0" * (1 << 27))
    frame = struct.pack(">II", len(packed), zlib.crc32(packed)) + packed
    assert read(written(()) + frame).damage


def test_full_tape_takes_no_more_and_still_ends(read):
    records = [Opened(t, f"device-{t}", True) for t in range(1_000)]
    recording = read(written(records, max_bytes=2_000))
    assert 10 < len(recording.records) < 200
    assert recording.damage == ""


@given(st.binary(max_size=200))
def test_any_bytes_are_a_recording_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.tgrec"
    path.write_bytes(written(RECORDS[:1]) + data)
    assert read_recording(path).records[0] == RECORDS[0]


class FullDisk(io.BytesIO):
    def write(self, data):
        if self.tell() > 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_full_disk_is_told_with_what_is_left():
    tape = Tape(FullDisk(), HEADER, 1 << 30)
    tape.add(RECORDS[1])
    with pytest.raises(StoreFullError, match="No space left") as caught:
        tape.flush()
    assert "replayed" in caught.value.hint


def test_much_at_once_becomes_several_frames(read):
    records = [Answered(t, "a", 0, (Taken("p" * 200, t, 0, "", None),)) for t in range(3_000)]
    assert read(written(records)).records == (*records, Ended(99))
