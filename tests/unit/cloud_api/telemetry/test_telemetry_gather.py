"""Joining the batches of an upload and cutting them into chunks."""

from cloud_api.telemetry.columns import decode
from cloud_api.telemetry.gather import (
    CHUNK_SPAN_US,
    gather,
    last_good_of_points,
    last_of_points,
    starts_of_chunks,
)
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample, encode_samples

IDS = {"a/x": 70, "a/y": 30}


def gathered(*batches):
    return gather([decode(encode_samples(batch)) for batch in batches], IDS)


def rows(result):
    ids = [result.ids[index] for index in result.points]
    return list(zip(ids, result.times.tolist(), result.values.tolist(), strict=True))


def test_batches_are_joined_point_by_point():
    result = gathered(
        [Sample("a/x", 1, 1.0), Sample("a/y", 1, 2.0)],
        [Sample("a/y", 2, 3.0), Sample("a/x", 2, 4.0)],
    )
    assert rows(result) == [(70, 1, 1), (70, 2, 4), (30, 1, 2), (30, 2, 3)]


def test_times_that_ran_backwards_are_put_in_order():
    result = gathered([Sample("a/x", 5, 1.0), Sample("a/x", 3, 2.0)], [Sample("a/x", 4, 3.0)])
    assert rows(result) == [(70, 3, 2), (70, 4, 3), (70, 5, 1)]


def test_samples_of_the_same_time_stay_as_they_were_sent():
    result = gathered([Sample("a/x", 9, 0.0), Sample("a/x", 5, 1.0)], [Sample("a/x", 5, 2.0)])
    assert rows(result) == [(70, 5, 1), (70, 5, 2), (70, 9, 0)]


def test_qualities_of_different_batches_do_not_mix():
    bad = Sample("a/y", 2, None, Quality.BAD, "no_answer")
    result = gathered(
        [Sample("a/x", 1, 1.0)], [bad, Sample("a/x", 2, 1.0, Quality.UNCERTAIN, "stale")]
    )
    found = [result.verdicts[code] for code in result.verdict]
    assert found == [(Quality.GOOD, ""), (Quality.UNCERTAIN, "stale"), (Quality.BAD, "no_answer")]
    assert result.qualities.tolist() == [0, 1, 2]


def test_text_beside_numbers():
    result = gathered([Sample("a/x", 1, 1.0)], [Sample("a/y", 1, "on")])
    assert result.texts.tolist() == [None, "on"]


def test_chunk_ends_with_its_point_and_with_its_hour():
    hour = CHUNK_SPAN_US
    result = gathered([
        Sample("a/x", hour - 1, 1.0), Sample("a/x", hour, 1.0), Sample("a/x", hour + 5, 1.0),
        Sample("a/y", hour + 5, 1.0),
    ])  # fmt: skip
    assert starts_of_chunks(result).tolist() == [0, 1, 3]


def test_newest_and_newest_good_sample_of_each_point():
    result = gathered([
        Sample("a/x", 1, 1.0), Sample("a/x", 2, None, Quality.BAD, "no_answer"),
        Sample("a/y", 1, None, Quality.BAD, "no_answer"),
    ])  # fmt: skip
    assert last_of_points(result).tolist() == [1, 2]
    assert last_good_of_points(result).tolist() == [0, -1]
