"""The chart of a point, over HTTP."""

import time
from datetime import UTC, datetime

import pytest

from cloud_sync.wire.events import EventKind
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Sample

SECOND = 1_000_000
NOW = time.time_ns() // 1000 // SECOND * SECOND


def text_of(us):
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat()


async def point_id(database, line, key="pump/flow"):
    async with database.transaction(line.gateway.tenant.id) as db:
        rows = await db.execute("SELECT id FROM point WHERE key = %s", (key,))
        return (await rows.fetchone())[0]


@pytest.fixture
async def ask(client, database):
    async def asked(line, start_us, end_us, *, key="pump/flow"):
        answer = await client.get(
            f"/v1/points/{await point_id(database, line, key)}/history",
            params={"from": text_of(start_us), "to": text_of(end_us), "buckets": 10},
            headers=line.gateway.tenant.headers,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asked


async def test_samples_are_folded_into_buckets(ask, wire):
    line = await wire()
    await line.post(
        line.samples(*(Sample("pump/flow", line.now + i * SECOND, float(i)) for i in range(20)))
    )
    chart = await ask(line, line.now, line.now + 20 * SECOND)
    assert chart["bucket_s"] == 2
    assert chart["time"] == [line.now // 1000 + i * 2000 for i in range(10)]
    assert chart["min"] == [i * 2 for i in range(10)]
    assert chart["mean"] == [i * 2 + 0.5 for i in range(10)]
    assert chart["max"] == chart["last"] == [i * 2 + 1 for i in range(10)]
    assert chart["count"] == [2] * 10
    assert chart["good"] == [1] * 10
    assert chart["from"].endswith("Z")


async def test_chunk_that_began_before_the_window_counts(ask, wire):
    line = await wire()
    hour = line.now // (3600 * SECOND) * 3600 * SECOND
    await line.post(
        line.samples(*(Sample("pump/flow", hour + i * SECOND, float(i)) for i in range(30)))
    )
    chart = await ask(line, hour + 10 * SECOND, hour + 20 * SECOND)
    assert chart["last"] == list(range(10, 20))


async def test_late_samples_are_in_their_place(ask, wire):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", line.now + 5 * SECOND, 5.0)))
    await line.post(line.samples(Sample("pump/flow", line.now + 2 * SECOND, 2.0)))
    assert (await ask(line, line.now, line.now + 10 * SECOND))["last"] == [2, 5]


async def test_bad_samples_make_a_span(ask, wire):
    line = await wire()
    await line.post(line.samples(
        Sample("pump/flow", line.now, 1.0),
        Sample("pump/flow", line.now + SECOND, None, Quality.BAD, "no_answer"),
        Sample("pump/flow", line.now + 3 * SECOND, 2.0),
    ))  # fmt: skip
    chart = await ask(line, line.now, line.now + 10 * SECOND)
    assert (chart["last"], chart["good"]) == ([1, None, 2], [1, 0, 1])
    found = [(s["kind"], s["from"], s["to"]) for s in chart["spans"]]
    assert found == [("bad", z(line.now + SECOND), z(line.now + 3 * SECOND))]


def z(us):
    return text_of(us).replace("+00:00", "Z")


async def test_samples_that_came_late_are_marked(ask, wire):
    line = await wire()
    old = line.now - 600 * SECOND
    await line.post(
        line.samples(Sample("pump/flow", old, 1.0), Sample("pump/flow", old + SECOND, 1.0))
    )
    await line.post(
        line.samples(
            Sample("pump/flow", old + 3 * SECOND, 1.0), Sample("pump/flow", old + 4 * SECOND, 1.0)
        )
    )
    await line.post(line.samples(Sample("pump/flow", line.now, 1.0)))
    spans = (await ask(line, old - SECOND, line.now + SECOND))["spans"]
    assert [(s["kind"], s["from"], s["to"]) for s in spans] == [
        ("backfilled", z(old), z(old + 4 * SECOND))
    ]


@pytest.mark.parametrize(("age_s", "kinds"), [(2, []), (8, ["backfilled"])])
async def test_late_means_more_than_five_seconds(ask, wire, age_s, kinds):
    line = await wire()
    read = time.time_ns() // 1000 - age_s * SECOND
    await line.post(line.samples(Sample("pump/flow", read, 1.0)))
    spans = (await ask(line, read - SECOND, read + SECOND))["spans"]
    assert [span["kind"] for span in spans] == kinds


async def test_gap_is_marked_between_the_batches_around_it(ask, wire):
    line = await wire()
    gap = {
        "stream": "samples",
        "epoch": line.epoch,
        "first": 2,
        "last": 4,
        "count": 30,
        "reason": "disk full",
    }
    await line.post(
        line.samples(Sample("pump/flow", line.now, 1.0), seq=1),
        line.samples(Sample("pump/flow", line.now + 9 * SECOND, 1.0), seq=5),
        line.events(line.event(EventKind.GAP, line.now + 9 * SECOND, **gap)),
    )
    spans = (await ask(line, line.now, line.now + 10 * SECOND))["spans"]
    assert spans == [
        {"kind": "lost", "from": z(line.now), "to": z(line.now + 9 * SECOND), "reason": "disk full"}
    ]


async def test_silent_device_is_marked(ask, wire):
    line = await wire()
    await line.post(
        line.events(
            line.declaration(line.now),
            line.event(
                EventKind.DEVICE_SILENT, line.now + SECOND, device="pump", reason="no_answer"
            ),
            line.event(EventKind.DEVICE_BACK, line.now + 4 * SECOND, device="pump", silent_s=3),
        )
    )
    assert (await ask(line, line.now, line.now + 10 * SECOND))["spans"] == [{
        "kind": "device_silent", "from": z(line.now + SECOND), "to": z(line.now + 4 * SECOND),
        "reason": "no_answer",
    }]  # fmt: skip


async def test_boolean_and_text_have_their_charts(ask, wire):
    line = await wire()
    await line.post(line.samples(
        Sample("pump/on", line.now, False), Sample("pump/on", line.now + 1, True), Sample("pump/state", line.now, "up"),
    ))  # fmt: skip
    chart = await ask(line, line.now, line.now + SECOND, key="pump/on")
    assert (chart["min"], chart["max"], chart["last"]) == ([0], [1], [1])
    chart = await ask(line, line.now, line.now + SECOND, key="pump/state")
    assert (chart["last"], chart["count"]) == ([None], [1])


@pytest.mark.parametrize("point", ["1", "999999", "x", "9" * 30])
async def test_foreign_and_unknown_points_look_the_same(client, wire, add_tenant, point):
    line = await wire()
    await line.post(line.samples(Sample("pump/flow", NOW, 1.0)))
    other = await add_tenant("bolt")
    answer = await client.get(
        f"/v1/points/{point}/history",
        params={"from": z(NOW), "to": z(NOW + SECOND)},
        headers=other.headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "window",
    [
        {"from": z(NOW), "to": z(NOW)},
        {"from": z(NOW)},
        {"from": "2026-01-01T00:00:00", "to": z(NOW)},
    ],
)
async def test_impossible_window_is_refused(client, add_tenant, window):
    tenant = await add_tenant()
    answer = await client.get("/v1/points/1/history", params=window, headers=tenant.headers)
    assert (answer.status_code, answer.json()["code"]) in {
        (400, "invalid-request"),
        (422, "invalid-request"),
    }
