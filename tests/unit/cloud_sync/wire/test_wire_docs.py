"""The worked example of docs/wire.md is a real message, and its tables are the code's."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from cloud_sync.wire import planes, version
from cloud_sync.wire.batch import Batch, ClockQuality, Seal, Stream, open_batch, seal_batch
from cloud_sync.wire.events import EventKind
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Kind, Sample, SampleColumns, decode_columns, encode_samples

DOCUMENT = (Path(__file__).parents[4] / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLE = DOCUMENT.partition("## Worked example")[2]
MESSAGE, ENVELOPE, PAYLOAD = re.findall(r"^```\w+\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)
T = 1_764_000_000_000_000
SAMPLES = [
    Sample("pump/pressure", T, 3.12),
    Sample("pump/pressure", T + 1_000_000, None, Quality.BAD, "no_answer"),
    Sample("pump/pressure", T + 2_000_000, 3.15),
]


def make_example() -> bytes:
    seal = Seal(
        Stream.SAMPLES, "5915fe9099b68757", 42, "b1f2", 90_000_000, ClockQuality.SYNCHRONISED
    )
    payload = encode_samples(SAMPLES)
    return seal_batch(seal, count=3, first_us=T, last_us=T + 2_000_000, payload=payload)


def envelope_of(message: bytes) -> dict:
    fields = msgspec.structs.asdict(open_batch(message))
    return {name: value for name, value in fields.items() if name not in {"sha256", "payload"}}


def columns_of(message: bytes) -> dict:
    fields = msgspec.structs.asdict(decode_columns(open_batch(message).payload))
    for name in ("clock", "ticks", "integers", "source"):
        fields[name] = planes.unpack_deltas(fields[name])
    for name in ("kinds", "exponents", "verdict"):
        fields[name] = list(fields[name])
    fields["floats"] = list(planes.unpack_floats(fields["floats"]))
    fields["verdicts"] = [list(pair) for pair in fields["verdicts"]]
    return fields


def hex_lines(message: bytes) -> str:
    return "".join(message[i : i + 32].hex(" ", 4) + "\n" for i in range(0, len(message), 32))


def test_the_example_opens_and_says_what_the_page_says():
    message = bytes.fromhex(MESSAGE)
    assert f"travels, {len(message)} bytes:" in EXAMPLE
    assert envelope_of(message) == json.loads(ENVELOPE)
    assert columns_of(message) == json.loads(PAYLOAD)


def test_the_example_is_what_the_code_makes():
    assert envelope_of(make_example()) == json.loads(ENVELOPE)
    assert columns_of(make_example()) == json.loads(PAYLOAD)


@pytest.mark.parametrize("struct", [Batch, SampleColumns])
def test_the_places_of_fields_are_those_of_the_page(struct):
    for place, field in enumerate(struct.__struct_fields__):
        assert f"| {place} | `{field}` |" in DOCUMENT


def test_every_kind_is_on_the_page():
    for kind in EventKind:
        assert f"| `{kind}` |" in DOCUMENT
    assert ", ".join(f"{kind.value} {kind.name.lower()}" for kind in Kind) in DOCUMENT
    assert ", ".join(f"{quality.value} {quality.name.lower()}" for quality in Quality) in DOCUMENT


def test_the_version_and_the_limits_are_on_the_page():
    assert f"Protocol version: **{version.PROTOCOL}**" in DOCUMENT
    for what, most in {
        "samples in a batch": f"{version.MAX_BATCH_SAMPLES:,}",
        "events in a batch": f"{version.MAX_BATCH_EVENTS:,}",
        "payload of a batch, packed": f"{version.MAX_PAYLOAD_BYTES >> 20} MiB",
        "payload of a batch, unpacked": f"{version.MAX_UNPACKED_BYTES >> 20} MiB",
        "batches in an upload": f"{version.MAX_UPLOAD_BATCHES}",
        "an upload": f"{version.MAX_UPLOAD_BYTES >> 20} MiB",
        "a document": f"{version.MAX_DOCUMENT_BYTES >> 20} MiB",
        "a point's key": f"{version.MAX_NAME_CHARS} characters",
    }.items():
        assert f"| {what} | {most} |" in DOCUMENT
