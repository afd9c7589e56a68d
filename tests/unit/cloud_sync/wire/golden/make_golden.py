"""Make the golden messages of this protocol version: ``python make_golden.py``.

Run once when a version is released, and when a kind of event is added; files that are there are
never made again. Each message lies beside the JSON that it must decode to for ever.
"""

import json
from pathlib import Path

import msgspec

from cloud_sync.wire.batch import ClockQuality, Seal, Stream, seal_batch
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.events import (
    AlertCleared,
    AlertRaised,
    ClockSpan,
    ClockSynchronised,
    CommandResult,
    DeviceBack,
    DeviceDeclared,
    DeviceSilent,
    Event,
    EventKind,
    Gap,
    GatewayStarted,
    PointDeclared,
    PointsDeclared,
    encode_events,
)
from cloud_sync.wire.identity import EnrolReply, EnrolRequest, StreamsReply, StreamState, TokenReply
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.uplink import Backlog, BatchResult, Outcome, Upload, UploadReply
from cloud_sync.wire.version import PROTOCOL

T = 1_764_000_000_000_000
EPOCH = "5915fe9099b68757"
HERE = Path(__file__).parent / f"protocol-{PROTOCOL}"

SAMPLES = [
    Sample("pump-station/pressure", T, 3.12),
    Sample("pump-station/running", T, True),
    Sample("pump-station/mode", T, 2),
    Sample("pump-station/serial", T, "PS-4711"),
    Sample("energy-meter/energy", T + 13_000, 1 / 3, source_us=T + 12_345),
    Sample("pump-station/pressure", T + 1_000_000, 3.1, Quality.UNCERTAIN, "out_of_range"),
    Sample("pump-station/running", T + 1_000_000, None, Quality.BAD, "no_answer"),
    Sample("pump-station/pressure", T + 2_000_000, 3.15),
]
BODIES = {
    EventKind.GATEWAY_STARTED: GatewayStarted("0.1.0", "boot-1"),
    EventKind.POINTS_DECLARED: PointsDeclared([
        DeviceDeclared(
            "pump-station", "modbus", "10.0.0.7:502 unit 1", "demo-pump-station", points=[
                PointDeclared("pressure", "float", "bar", decimals=2),
                PointDeclared("mode", "enumeration", labels={"0": "off", "2": "automatic"}),
            ],
        ),
    ]),
    EventKind.ALERT_RAISED: AlertRaised(
        "a-1", "high-pressure", "pump-station/pressure", "high", "Pressure is high", 6.4
    ),
    EventKind.ALERT_CLEARED: AlertCleared("a-1", "high-pressure", "pump-station/pressure", 5.1),
    EventKind.DEVICE_SILENT: DeviceSilent("energy-meter", "no_answer"),
    EventKind.DEVICE_BACK: DeviceBack("energy-meter", 12.5),
    EventKind.GAP: Gap("samples", EPOCH, 5, 9, 5_000, "full", T, T + 5_000_000),
    EventKind.COMMAND_RESULT: CommandResult("c-1", "succeeded"),
}  # fmt: skip
CLOCK = ClockSynchronised(
    "boot-1", T, [ClockSpan(0, 9_000_000, 0), ClockSpan(9_000_000, 60_000_000, 7)]
)


def events_of(bodies: dict[EventKind, msgspec.Struct]) -> list[Event]:
    return [
        Event(f"event-{n}", kind.value, T + n, msgspec.to_builtins(body))
        for n, (kind, body) in enumerate(bodies.items())
    ]


EVENTS = events_of(BODIES)
CLOCK_EVENTS = events_of({EventKind.CLOCK_SYNCHRONISED: CLOCK})


def seal(stream: Stream, seq: int) -> Seal:
    return Seal(stream, EPOCH, seq, "boot-1", 123_456, ClockQuality.SYNCHRONISED)


def messages() -> dict[str, tuple[bytes, object]]:
    """Name, bytes, and what they say."""
    samples = seal_batch(
        seal(Stream.SAMPLES, 42), count=len(SAMPLES), first_us=T, last_us=T + 2_000_000,
        payload=encode_samples(SAMPLES),
    )  # fmt: skip
    events = seal_batch(
        seal(Stream.EVENTS, 7), count=len(EVENTS), first_us=T, last_us=T + len(EVENTS) - 1,
        payload=encode_events(EVENTS),
    )  # fmt: skip
    clock_events = seal_batch(
        seal(Stream.EVENTS, 8), count=1, first_us=T, last_us=T, payload=encode_events(CLOCK_EVENTS)
    )
    upload = Upload(Backlog(3, 2_500, T), "0.1.0", [events, samples])
    reply = UploadReply([
        BatchResult("events", EPOCH, 7, Outcome.STORED),
        BatchResult("samples", EPOCH, 42, Outcome.DUPLICATE),
        BatchResult("samples", EPOCH, 43, Outcome.REFUSED, "clone"),
    ])  # fmt: skip
    document = Document("c-1", "command", T, T + 60_000_000, {"name": "refresh", "arguments": {}})
    return {
        "samples.msgpack": (samples, SAMPLES),
        "events.msgpack": (events, EVENTS),
        "events-clock.msgpack": (clock_events, CLOCK_EVENTS),
        "upload.msgpack": (msgspec.msgpack.encode(upload), {
            "backlog": upload.backlog, "version": "0.1.0", "batches": [len(events), len(samples)],
        }),
        "reply.msgpack": (msgspec.msgpack.encode(reply), reply),
        "document.json": (msgspec.json.encode(document), document),
    }  # fmt: skip


def documents() -> dict[str, object]:
    """Documents that are JSON already."""
    return {
        "enrol-request.json": EnrolRequest(claim="TGC-…", csr="-----…", name="cellar-1", version="0.1.0"),
        "enrol-reply.json": EnrolReply(
            gateway="g", tenant="t", site="s", certificate="-----…", authority="-----…"
        ),
        "token-reply.json": TokenReply(access_token="a.b.c", token_type="Bearer", expires_in=900),
        "streams-reply.json": StreamsReply(streams=[
            StreamState(stream="samples", epoch=EPOCH, received="{[1,5)}", lost="{[5,10)}", samples=8),
        ]),
    }  # fmt: skip


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name, (message, says) in messages().items():
        if (HERE / name).exists():
            continue
        (HERE / name).write_bytes(message)
        expected = json.dumps(msgspec.to_builtins(says), indent=2, ensure_ascii=False)
        (HERE / f"{name}.expected.json").write_text(expected + "\n", encoding="utf-8")
    for name, document in documents().items():
        if not (HERE / name).exists():
            text = document.model_dump_json(indent=2) + "\n"
            (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
