"""Messages of every released protocol version stay readable, for ever."""

import json
from pathlib import Path

import msgspec
import pytest

from cloud_sync.wire.batch import open_batch
from cloud_sync.wire.downlink import Command, Document
from cloud_sync.wire.events import (
    AlertCleared,
    AlertRaised,
    ClockSynchronised,
    CommandResult,
    DeviceBack,
    DeviceSilent,
    EventKind,
    Gap,
    GatewayStarted,
    PointsDeclared,
    body_of,
    decode_events,
)
from cloud_sync.wire.identity import EnrolReply, EnrolRequest, StreamsReply, TokenReply
from cloud_sync.wire.ranges import parse
from cloud_sync.wire.samples import decode_samples
from cloud_sync.wire.uplink import decode_reply, decode_upload
from cloud_sync.wire.version import PROTOCOL

GOLDEN = Path(__file__).parent / "golden"
BODIES = {
    EventKind.GATEWAY_STARTED: GatewayStarted,
    EventKind.POINTS_DECLARED: PointsDeclared,
    EventKind.ALERT_RAISED: AlertRaised,
    EventKind.ALERT_CLEARED: AlertCleared,
    EventKind.DEVICE_SILENT: DeviceSilent,
    EventKind.DEVICE_BACK: DeviceBack,
    EventKind.GAP: Gap,
    EventKind.COMMAND_RESULT: CommandResult,
    EventKind.CLOCK_SYNCHRONISED: ClockSynchronised,
}


@pytest.fixture(params=range(1, PROTOCOL + 1))
def released(request):
    return GOLDEN / f"protocol-{request.param}"


def expected(folder, name):
    return json.loads((folder / f"{name}.expected.json").read_text(encoding="utf-8"))


def test_samples_decode_to_what_was_written(released):
    batch = open_batch((released / "samples.msgpack").read_bytes())
    samples = decode_samples(batch.payload)
    assert batch.count == len(samples)
    assert sorted(map(list, samples)) == sorted(expected(released, "samples.msgpack"))


def events_of(path):
    return decode_events(open_batch(path.read_bytes()).payload)


def test_events_decode_to_what_was_written(released):
    for path in released.glob("events*.msgpack"):
        assert msgspec.to_builtins(events_of(path)) == expected(released, path.name)


def test_every_kind_of_event_is_among_them_and_readable(released):
    events = [event for path in released.glob("events*.msgpack") for event in events_of(path)]
    assert {event.kind for event in events} == set(EventKind) == set(BODIES)
    for event in events:
        body = body_of(event, BODIES[EventKind(event.kind)])
        assert msgspec.to_builtins(body).items() >= event.body.items()


def test_an_upload_and_its_reply_are_readable(released):
    upload = decode_upload((released / "upload.msgpack").read_bytes())
    says = expected(released, "upload.msgpack")
    assert msgspec.to_builtins(upload.backlog) == says["backlog"]
    assert [len(batch) for batch in upload.batches] == says["batches"]
    assert [open_batch(batch).stream for batch in upload.batches] == ["events", "samples"]
    reply = decode_reply((released / "reply.msgpack").read_bytes())
    assert msgspec.to_builtins(reply) == expected(released, "reply.msgpack")


def test_a_document_is_readable(released):
    document = msgspec.json.decode((released / "document.json").read_bytes(), type=Document)
    assert msgspec.to_builtins(document) == expected(released, "document.json")
    assert msgspec.convert(document.body, Command).name == "refresh"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("enrol-request.json", EnrolRequest),
        ("enrol-reply.json", EnrolReply),
        ("token-reply.json", TokenReply),
        ("streams-reply.json", StreamsReply),
    ],
)
def test_identity_documents_are_readable(released, name, model):
    text = (released / name).read_text(encoding="utf-8")
    assert json.loads(model.model_validate_json(text).model_dump_json()) == json.loads(text)


def test_the_ranges_of_a_stream_are_readable(released):
    reply = StreamsReply.model_validate_json((released / "streams-reply.json").read_bytes())
    assert (parse(reply.streams[0].received), parse(reply.streams[0].lost)) == (
        ((1, 5),),
        ((5, 10),),
    )
