"""The file: a mark, then frames of zstd, each with its length and checksum.

A recording grows at its end only. What a crash or a full disk leaves of the last frame is told and
passed over; damage in the middle ends it there, told as well.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
import zstandard

from edge_runtime.errors import SettingsError, StoreDamagedError, StoreError, StoreFullError
from edge_runtime.recording.records import VERSION, Ended, Header, Record

MARK = b"TGREC\r\n\x01"
FRAME_BYTES = 1 << 17
"""Unpacked bytes at which a frame is written."""
MAX_FRAME_BYTES = 1 << 24
MAX_UNPACKED_BYTES = 1 << 26
"""Of one frame."""
MAX_TAPE_BYTES = 1 << 30
"""All frames unpacked: a replay keeps them in memory."""
LEVEL = 6

_HEAD = struct.Struct(">II")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)
_header = msgspec.msgpack.Decoder(Header)


@dataclass(frozen=True, slots=True)
class Recording:
    """A file as it was read."""

    header: Header
    records: tuple[Record, ...]
    damage: str
    """What is wrong with its end; empty where it is whole."""

    @property
    def length_us(self) -> int:
        """From the start to the last record."""
        return self.records[-1].t_us if self.records else 0


class Tape:
    """A recording that is being written."""

    def __init__(self, file: IO[bytes], header: Header, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._records: list[bytes] = []
        self._pending = 0
        self.size = 0
        self.count = 0
        self._write(MARK)
        self._frame([_encoder.encode(header)])

    @property
    def full(self) -> bool:
        """Whether it has reached its limit; what is added from then on is not taken."""
        return self.size + self._pending >= self._max_bytes

    def add(self, record: Record) -> None:
        """Add a record; it is written with the next flush, so that no disk holds up a device."""
        if self.full:
            return
        self._add(record)

    def _add(self, record: Record) -> None:
        data = _encoder.encode(record)
        self._records.append(data)
        self._pending += len(data)
        self.count += 1

    def flush(self) -> None:
        """Write what waits, in frames.

        Raises:
            StoreFullError: the disk is full.

        """
        records, self._records, self._pending = self._records, [], 0
        begun, size = 0, 0
        for place, record in enumerate(records, 1):
            size += len(record)
            if size >= FRAME_BYTES or place == len(records):
                self._frame(records[begun:place])
                begun, size = place, 0

    def end(self, t_us: int) -> None:
        """Say that it ended as it was meant to."""
        self._add(Ended(t_us))
        self.flush()

    def _frame(self, records: list[bytes]) -> None:
        body = b"".join(struct.pack(">I", len(record)) + record for record in records)
        packed = zstandard.ZstdCompressor(level=LEVEL).compress(body)
        self._write(_HEAD.pack(len(packed), zlib.crc32(packed)) + packed)

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as exc:
            msg = f"the recording cannot be written: {exc.strerror}"
            raise StoreFullError(msg, hint="What was written so far can be replayed.") from exc
        self.size += len(data)


def read_recording(path: Path) -> Recording:
    """Read a whole recording.

    Raises:
        StoreError: the file cannot be read, or is too long to be kept in memory.
        StoreDamagedError: it is no recording, or damaged before its first record.
        SettingsError: a newer version wrote it.

    """
    try:
        with path.open("rb") as file:
            frames = _frames(file, path)
            header = _read_header(next(frames, None), path)
            records: list[Record] = []
            damage = _collect(frames, records)
    except OSError as exc:
        msg = f"{path} cannot be read: {exc.strerror}"
        raise StoreError(msg, hint="Is the path right?") from exc
    if not damage and not (records and isinstance(records[-1], Ended)):
        damage = "the recording was interrupted: its end is missing"
    return Recording(header, tuple(records), damage)


def _read_header(frame: "list[bytes] | _Damage | None", path: Path) -> Header:
    if not isinstance(frame, list):
        msg = f"{path} is damaged at its start: {frame.told if frame else 'it is empty'}"
        raise StoreDamagedError(msg, hint="Record again.")
    try:
        header = _header.decode(frame[0])
    except (msgspec.MsgspecError, IndexError) as exc:
        msg = f"{path} is damaged at its start: {exc}"
        raise StoreDamagedError(msg, hint="Record again.") from exc
    if header.version > VERSION:
        msg = f"{path} is of version {header.version}; this program knows {VERSION}"
        raise SettingsError(msg, hint="Replay it with the version that recorded it.")
    return header


def _collect(frames: "Iterator[list[bytes] | _Damage]", records: list[Record]) -> str:
    """Decode all records in order; gives what is wrong."""
    for frame in frames:
        if isinstance(frame, _Damage):
            return frame.told
        try:
            records.extend(_decoder.decode(data) for data in frame)
        except msgspec.MsgspecError as exc:
            return f"a record cannot be understood: {exc}"
    return ""


@dataclass(frozen=True, slots=True)
class _Damage:
    told: str


def _frames(file: IO[bytes], path: Path) -> Iterator[list[bytes] | _Damage]:
    if file.read(len(MARK)) != MARK:
        msg = f"{path} is no recording"
        raise StoreDamagedError(msg, hint="Recordings are made by 'tidegate edge record'.")
    total = 0
    while head := file.read(_HEAD.size):
        frame = _frame(file, head)
        yield frame
        if isinstance(frame, _Damage):
            return
        total += sum(map(len, frame))
        if total > MAX_TAPE_BYTES:
            msg = f"{path} holds more than {MAX_TAPE_BYTES >> 20} MiB: too long to replay"
            raise StoreError(msg, hint="Record a shorter time.")


def _frame(file: IO[bytes], head: bytes) -> list[bytes] | _Damage:
    if len(head) < _HEAD.size:
        return _Damage("its last frame is torn")
    length, checksum = _HEAD.unpack(head)
    if length > MAX_FRAME_BYTES:
        return _Damage(f"a frame of {length} bytes is none of ours")
    packed = file.read(length)
    if len(packed) < length:
        return _Damage("its last frame is torn")
    if zlib.crc32(packed) != checksum:
        return _Damage(f"a frame of {length} bytes does not verify")
    try:
        return _split(zstandard.ZstdDecompressor().decompress(packed, MAX_UNPACKED_BYTES))
    except (zstandard.ZstdError, struct.error) as exc:
        return _Damage(f"a frame cannot be unpacked: {exc}")


def _split(body: bytes) -> list[bytes]:
    if len(body) > MAX_UNPACKED_BYTES:
        msg = f"{len(body)} bytes in one frame"
        raise zstandard.ZstdError(msg)
    records, place = [], 0
    while place < len(body):
        (length,) = struct.unpack_from(">I", body, place)
        records.append(body[place + 4 : place + 4 + length])
        place += 4 + length
    return records
