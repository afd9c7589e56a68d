"""Uploads against a real database: exactly once, whatever is sent how often."""

import time

import pytest

from cloud_sync.wire import paths
from cloud_sync.wire.events import EventKind
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample
from cloud_sync.wire.uplink import Backlog

SECOND = 1_000_000
NOW = time.time_ns() // 1000 // SECOND * SECOND
STORED, DUPLICATE = ("stored", ""), ("duplicate", "")


async def rows(database, tenant, query, *values):
    async with database.transaction(tenant.id) as db:
        return await (await db.execute(query, values)).fetchall()


async def stored(database, tenant):
    """Read all samples by the view, as (key, µs, value, text, quality, reason)."""
    return await rows(
        database,
        tenant,
        """SELECT key, (extract(epoch FROM time) * 1e6)::bigint, value, text, quality, reason
        FROM sample JOIN point ON point.id = point_id ORDER BY 1, 2""",
    )


async def latest(database, tenant):
    return await rows(
        database,
        tenant,
        """SELECT key, value, quality, good_value FROM latest JOIN point ON point.id = point_id
        ORDER BY 1""",
    )


async def test_samples_arrive_as_they_were_read(database, wire):
    line = await wire()
    batch = line.samples(
        Sample("pump/flow", NOW, 2.5),
        Sample("pump/flow", NOW + SECOND, None, Quality.BAD, "no_answer"),
        Sample("pump/on", NOW, True),
        Sample("pump/state", NOW, "run\0ning", Quality.UNCERTAIN, "stale", NOW - 5),
        Sample("pump/state", NOW + 7, None, Quality.BAD, "no_answer"),
    )
    assert await line.post(batch) == [STORED]
    assert await stored(database, line.gateway.tenant) == [
        ("pump/flow", NOW, 2.5, None, 0, ""),
        ("pump/flow", NOW + SECOND, None, None, 2, "no_answer"),
        ("pump/on", NOW, 1.0, None, 0, ""),
        ("pump/state", NOW - 5, None, "run\ufffdning", 1, "stale"),
        ("pump/state", NOW + 7, None, None, 2, "no_answer"),
    ]


async def test_repeated_batch_is_acknowledged_and_stored_once(database, wire):
    line = await wire()
    batch, other = (
        line.samples(Sample("pump/flow", NOW, 1.0)),
        line.samples(Sample("pump/flow", NOW + 1, 2.0)),
    )
    assert await line.post(batch) == [STORED]
    assert await line.post(batch, other, batch) == [DUPLICATE, STORED, DUPLICATE]
    assert len(await stored(database, line.gateway.tenant)) == 2


async def test_clone_is_refused(database, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", NOW, 1.0), seq=1))
    clone = line.samples(Sample("pump/flow", NOW, 9.0), seq=1)
    assert await line.post(clone) == [("refused", "clone")]
    assert [row[2] for row in await stored(database, line.gateway.tenant)] == [1.0]


async def test_damaged_batch_is_refused_and_the_rest_is_stored(database, wire):
    line = await wire()
    damaged = line.samples(Sample("pump/flow", NOW, 1.0))[:-1] + b"\xff"
    assert await line.post(damaged, line.samples(Sample("pump/flow", NOW, 2.0))) == [
        ("refused", "damaged"), STORED,
    ]  # fmt: skip
    assert [row[2] for row in await stored(database, line.gateway.tenant)] == [2.0]


async def test_batch_with_an_impossible_key_is_refused_and_the_rest_is_stored(database, wire):
    line = await wire()
    odd = line.samples(Sample("no-device", NOW, 1.0))
    assert await line.post(odd, line.samples(Sample("pump/flow", NOW, 2.0))) == [
        ("refused", "invalid"), STORED,
    ]  # fmt: skip
    assert [row[0] for row in await stored(database, line.gateway.tenant)] == ["pump/flow"]


async def test_body_that_is_no_upload_is_an_error_of_the_sender(wire):
    answer = await (await wire()).post_raw(b"hello")
    assert (answer.status_code, answer.json()["code"]) == (400, "message-damaged")


async def test_too_large_a_body_is_refused(wire):
    assert (await (await wire()).post_raw(bytes((8 << 20) + 1))).status_code == 413


async def test_batches_may_come_in_any_order(client, wire):
    line = await wire()
    one, two, three = (line.samples(Sample("pump/flow", NOW + i, 1.0)) for i in range(3))
    await line.post(three)
    await line.post(one)
    streams = (await client.get(paths.STREAMS, headers=line.gateway.headers)).json()["streams"]
    assert [(s["stream"], s["received"], s["samples"]) for s in streams] == [
        ("samples", "{[1,2),[3,4)}", 2)
    ]
    assert await line.post(two, three) == [STORED, DUPLICATE]


async def test_late_samples_do_not_replace_the_latest(database, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", NOW, 5.0)))
    await line.post(line.samples(Sample("pump/flow", NOW - SECOND, 4.0)))
    assert await latest(database, line.gateway.tenant) == [("pump/flow", 5.0, 0, 5.0)]


async def test_bad_sample_keeps_the_newest_good_one(database, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", NOW, 5.0)))
    await line.post(line.samples(Sample("pump/flow", NOW + 1, None, Quality.BAD, "no_answer")))
    assert await latest(database, line.gateway.tenant) == [("pump/flow", None, 2, 5.0)]


async def test_late_good_sample_fills_in_for_one_that_never_came(database, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", NOW, None, Quality.BAD, "no_answer")))
    await line.post(line.samples(Sample("pump/flow", NOW - SECOND, 4.0)))
    assert await latest(database, line.gateway.tenant) == [("pump/flow", None, 2, 4.0)]


@pytest.mark.parametrize("odd", [0, 2_145_916_800 * SECOND], ids=["1970", "2038"])
async def test_times_of_a_clock_that_is_wrong_are_stored(database, wire, odd):
    line = await wire()
    assert await line.post(line.samples(Sample("pump/flow", odd, 1.0))) == [STORED]
    assert [row[1] for row in await stored(database, line.gateway.tenant)] == [odd]


async def test_latest_from_the_future_gives_way(database, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", 2_145_916_800 * SECOND, 1.0)))
    await line.post(line.samples(Sample("pump/flow", NOW, 2.0)))
    assert await latest(database, line.gateway.tenant) == [("pump/flow", 2.0, 0, 2.0)]


async def test_events_are_applied_before_the_samples_of_the_same_upload(database, wire):
    line = await wire()
    samples = line.samples(Sample("pump/on", NOW, True))
    assert await line.post(samples, line.events(line.declaration(NOW))) == [STORED, STORED]
    kinds = "SELECT key, kind, declared_at IS NOT NULL FROM point WHERE key = 'pump/on'"
    assert await rows(database, line.gateway.tenant, kinds) == [("pump/on", "boolean", True)]


async def test_gap_is_booked_as_lost_until_its_batch_comes_after_all(client, wire):
    line = await wire()
    gap = {
        "stream": "samples",
        "epoch": line.epoch,
        "first": 1,
        "last": 3,
        "count": 30,
        "reason": "disk full",
    }
    await line.post(line.events(line.event(EventKind.GAP, NOW, **gap)))
    await line.post(line.samples(Sample("pump/flow", NOW, 1.0), seq=2))
    streams = (await client.get(paths.STREAMS, headers=line.gateway.headers)).json()["streams"]
    assert [(s["received"], s["lost"]) for s in streams if s["stream"] == "samples"] == [
        ("{[2,3)}", "{[1,2),[3,4)}")
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("points.declared", {"devices": "none"}),
        ("points.declared", {"devices": [{"name": "", "protocol": "modbus"}]}),
        ("device.silent", {"device": "nobody", "reason": "no_answer"}),
        (
            "alert.raised",
            {"alert": "x" * 99, "rule": "r", "point": "p", "priority": "odd", "message": ""},
        ),
        ("command.result", {"command": "?", "state": "succeeded"}),
        (
            "gap",
            {"stream": "samples", "epoch": "e", "first": 5, "last": 4, "count": 1, "reason": ""},
        ),
        ("pictures.taken", {"camera": "a\0b", "sizes": [1.5, float("nan")]}),
    ],
)
async def test_event_that_cannot_be_applied_is_kept_and_holds_nothing_up(
    database, wire, kind, body
):
    line = await wire()
    batches = (
        line.events(line.event(kind, NOW, **body)),
        line.samples(Sample("pump/flow", NOW, 1.0)),
    )
    assert await line.post(*batches) == [STORED, STORED]
    assert await rows(database, line.gateway.tenant, "SELECT kind FROM gateway_event") == [(kind,)]


async def test_same_event_in_another_batch_is_applied_once(database, wire):
    line = await wire()
    event = line.event("pictures.taken", NOW)
    await line.post(line.events(event), line.events(event))
    assert len(await rows(database, line.gateway.tenant, "SELECT 1 FROM gateway_event")) == 1


async def test_heartbeat_notes_contact_version_and_backlog(database, wire):
    line = await wire()
    assert await line.post(backlog=Backlog(3, 400, NOW - SECOND)) == []
    found = await rows(
        database,
        line.gateway.tenant,
        "SELECT version, backlog_batches, backlog_samples, last_contact_at IS NOT NULL FROM gateway",
    )
    assert found == [("1.2.3", 3, 400, True)]
