"""What becomes of each batch of an upload."""

import msgspec
import pytest

from cloud_api.telemetry.uploads import open_upload, plan
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, digest, open_batch, seal_batch
from cloud_sync.wire.events import Event, encode_events
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.uplink import BatchResult, Outcome

EPOCH = "0123456789abcdef"
KEY = (Stream.SAMPLES, EPOCH)


def sealed(
    seq, value=1.5, *, stream=Stream.SAMPLES, epoch=EPOCH, count=1, payload=None, last_us=10
):
    body = payload or encode_samples([Sample("pump/flow", 10, value)])
    seal = Seal(stream, epoch, seq, "boot", 1, ClockQuality.SYNCHRONISED)
    return seal_batch(seal, count=count, first_us=10, last_us=last_us, payload=body)


def outcomes(messages, received=None):
    made = plan(open_upload(messages), received or {})
    return [(r.seq, r.outcome.value, r.reason) for r in made.results]


def test_new_numbers_are_stored_in_their_order():
    made = plan(open_upload([sealed(9), sealed(2)]), {})
    assert [opened.batch.seq for opened in made.new] == [2, 9]
    assert [result.seq for result in made.results] == [9, 2]


def test_events_come_before_samples():
    events = sealed(7, stream=Stream.EVENTS, payload=encode_events([Event("e", "k", 1, {})]))
    made = plan(open_upload([sealed(1), events]), {})
    assert [opened.batch.stream for opened in made.new] == ["events", "samples"]


def test_received_number_with_the_same_hash_is_a_duplicate():
    first = sealed(3)
    received = {(KEY, 3): open_batch(first).sha256}
    assert outcomes([first], received) == [(3, "duplicate", "")]


def test_received_number_with_another_hash_is_a_clone():
    assert outcomes([sealed(3)], {(KEY, 3): b"another"}) == [(3, "refused", "clone")]


def test_number_whose_hash_is_forgotten_is_a_duplicate():
    assert outcomes([sealed(3)], {(KEY, 3): None}) == [(3, "duplicate", "")]


def test_same_number_twice_in_one_upload_is_stored_once():
    again, other = sealed(3), sealed(3, 2.5)
    assert outcomes([again, again, other]) == [
        (3, "stored", ""), (3, "duplicate", ""), (3, "refused", "clone"),
    ]  # fmt: skip


def test_number_of_another_epoch_is_new():
    assert outcomes([sealed(3, epoch="f" * 16)], {(KEY, 3): b"another"}) == [(3, "stored", "")]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"not a batch", "damaged"),
        (sealed(4)[:-1] + b"\xff", "damaged"),
        (sealed(4, payload=b"no zstd"), "damaged"),
        (sealed(4, count=2), "invalid"),
        (sealed(4, epoch="no/epoch"), "invalid"),
        (sealed((1 << 63) - 1), "invalid"),
        (sealed(4, last_us=1 << 62), "invalid"),
    ],
    ids=["noise", "flipped", "payload", "count", "epoch", "number", "time"],
)
def test_unusable_batch_is_refused_and_the_rest_goes_on(message, reason):
    made = plan(open_upload([message, sealed(5)]), {})
    assert [(r.outcome, r.reason) for r in made.results] == [
        (Outcome.REFUSED, reason), (Outcome.STORED, ""),
    ]  # fmt: skip


def test_unknown_stream_is_refused():
    batch = open_batch(sealed(1))
    renamed = msgspec.structs.replace(batch, stream="pictures")
    message = msgspec.msgpack.encode(msgspec.structs.replace(renamed, sha256=digest(renamed)))
    assert open_upload([message]) == [BatchResult("pictures", EPOCH, 1, Outcome.REFUSED, "invalid")]
