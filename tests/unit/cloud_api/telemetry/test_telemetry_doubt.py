"""Which batches, and which of their samples, have times in doubt."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.telemetry.columns import decode
from cloud_api.telemetry.doubt import UNSYNCHRONISED, boot_in_doubt, part
from cloud_api.telemetry.uploads import Opened
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, open_batch, seal_batch
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample, encode_samples

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1e6)
SECOND = 1_000_000


def opened(*samples, clock=ClockQuality.UNSYNCHRONISED, boot="boot-1"):
    payload = encode_samples(samples)
    times = [sample.received_us for sample in samples]
    seal = Seal(Stream.SAMPLES, "e" * 16, 1, boot, 1, clock)
    batch = open_batch(
        seal_batch(
            seal,
            count=len(samples),
            first_us=min(times),
            last_us=max(times),
            payload=payload,
        )
    )
    return Opened(batch, columns=decode(payload))


def at(us, clock=ClockQuality.UNSYNCHRONISED, boot="boot-1"):
    return boot_in_doubt(opened(Sample("a/b", us, 1.0), clock=clock, boot=boot).batch, NOW)


def test_a_batch_of_1970_is_in_doubt():
    assert at(0) == "boot-1"


@pytest.mark.parametrize("apart", [-4, 0, 4])
def test_a_batch_that_arrives_when_it_says_is_not(apart):
    assert at(NOW_US + apart * SECOND) is None


@pytest.mark.parametrize("apart", [-6, 6])
def test_a_batch_that_is_late_or_early_is(apart):
    assert at(NOW_US + apart * SECOND) == "boot-1"


@pytest.mark.parametrize("clock", [ClockQuality.SYNCHRONISED, ClockQuality.UNKNOWN])
def test_a_clock_that_is_held_or_not_known_of_is_believed(clock):
    assert at(0, clock) is None


@pytest.mark.parametrize("boot", ["", "b" * 65])
def test_a_boot_without_a_name_can_never_be_repaired(boot):
    assert at(0, boot=boot) is None


def test_samples_with_the_devices_own_time_are_sound():
    mixed = opened(
        Sample("a/x", 1, 1.0, source_us=NOW_US),
        Sample("a/x", 2, 2.0),
        Sample("a/y", 3, "open", source_us=NOW_US),
        Sample("a/z", 4, None, Quality.BAD, "no_answer"),
    )
    (sound,), doubtful = part([mixed], NOW)
    assert (sound.points, sound.times.tolist()) == (["a/x", "a/y"], [NOW_US, NOW_US])
    assert sound.texts is not None
    assert sound.texts.tolist() == [None, "open"]
    (rest,) = doubtful["boot-1"]
    assert (rest.points, rest.counts.tolist(), rest.times.tolist()) == (
        ["a/x", "a/z"],
        [1, 1],
        [2, 4],
    )
    assert {reason for _, reason in rest.verdicts} == {UNSYNCHRONISED, "no_answer"}


def test_an_upload_is_parted_by_boot():
    old = (NOW - timedelta(days=1)).timestamp() * 1e6
    batches = [
        opened(Sample("a/x", 0, 1.0)),
        opened(Sample("a/x", 0, 2.0), boot="boot-2"),
        opened(Sample("a/x", round(old), 3.0), clock=ClockQuality.SYNCHRONISED),
    ]
    sound, doubtful = part(batches, NOW)
    assert [columns.values.tolist() for columns in sound] == [[3.0]]
    assert {boot: len(columns) for boot, columns in doubtful.items()} == {"boot-1": 1, "boot-2": 1}
