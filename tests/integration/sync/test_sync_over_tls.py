"""The uplink over TLS on the loopback: what arrives, arrives once, whatever the line does."""

import asyncio
import logging
import time

from starlette.responses import Response

from cloud_sync.wire.problems import Problem
from cloud_sync.wire.uplink import MEDIA_TYPE
from simulators.cloud_line.server import problem


async def test_every_committed_batch_arrives_and_is_acknowledged(site, until):
    await site.read(3)
    async with site.agent():
        await until(lambda: site.acknowledged == ((1, 4),))
        await site.read(2)
        await until(lambda: site.acknowledged == ((1, 6),))
    assert sorted(site.arrived) == [1, 2, 3, 4, 5]
    assert site.cloud.books.duplicates == 0


async def test_events_arrive_before_samples(site, until):
    await site.read(3)
    await site.happen("alarm")
    async with site.agent():
        await until(lambda: len(site.cloud.books.arrivals) == 4)
    assert site.cloud.books.arrivals[0] == ("events", 1)


async def test_a_new_batch_is_sent_without_being_asked_for(site, until):
    async with site.agent():
        await until(lambda: site.cloud.books.uploads)
        assert not site.arrived
        await site.read(1)
        await until(lambda: site.arrived)


async def test_after_an_outage_the_newest_goes_first_and_nothing_is_missing(site, until):
    async with site.agent():
        await site.read(1)
        await until(lambda: site.arrived == [1])
        await site.line.cut()
        await site.read(100)
        await until(lambda: site.status["line"]["state"] == "offline")
        await site.line.restore()
        await until(lambda: site.acknowledged == ((1, 102),))
    assert site.arrived[1] == 101
    assert sorted(site.arrived) == list(range(1, 102))


async def test_a_lost_answer_doubles_nothing(site, until):
    async with site.agent():
        await site.read(1)
        await until(lambda: site.acknowledged == ((1, 2),) and site.status["line"]["downlink"])
        site.line.lose_answers()
        await site.read(1)
        await until(lambda: site.acknowledged == ((1, 3),))
    assert site.arrived == [1, 2]
    assert site.cloud.books.duplicates == 1


async def test_an_agent_that_was_killed_goes_on_from_its_folders(site, until):
    site.cloud.lost_answers = 2
    await site.read(3)
    async with site.agent():
        await until(lambda: len(site.arrived) == 3)
    async with site.agent():
        await until(lambda: site.acknowledged == ((1, 4),))
    assert sorted(site.arrived) == [1, 2, 3]


async def test_a_refused_token_is_renewed(site, until):
    async with site.agent():
        await site.read(1)
        await until(lambda: site.arrived == [1])
        issued = site.cloud.books.tokens_issued
        site.cloud.books.tokens.clear()
        await site.read(1)
        await until(lambda: site.acknowledged == ((1, 3),))
    assert site.cloud.books.tokens_issued == issued + 1
    assert site.status["line"]["errors"] == 0


async def test_a_busy_cloud_is_left_alone_for_as_long_as_it_asks(site, until):
    busy = problem(503, Problem.NOT_READY)
    busy.headers["retry-after"] = "1"
    site.cloud.faults.append(busy)
    started = time.monotonic()
    await site.read(1)
    async with site.agent():
        await until(lambda: site.arrived)
    assert time.monotonic() - started >= 1.0


async def test_only_the_clouds_own_answer_acknowledges(site, until):
    site.cloud.faults.extend([
        Response("<html>Please sign in</html>", media_type="text/html"),
        Response(b"not msgpack", media_type=MEDIA_TYPE),
        Response(status_code=302, headers={"location": "https://example.invalid/"}),
    ])  # fmt: skip
    await site.read(1)
    async with site.agent():
        await until(lambda: len(site.cloud.faults) == 0)
        assert site.acknowledged == ()
        await until(lambda: site.acknowledged == ((1, 2),))
    assert site.cloud.books.duplicates == 0
    assert site.status["line"]["errors"] == 3


async def test_an_outage_is_logged_once_when_it_starts_and_once_when_it_ends(site, until, caplog):
    caplog.set_level(logging.INFO, "cloud_sync")
    async with site.agent():
        await until(lambda: site.cloud.books.uploads)
        await site.line.cut()
        await site.read(1)
        await until(lambda: site.status["line"]["errors"] >= 4)
        await site.line.restore()
        await until(lambda: site.status["line"]["connected"])
    texts = [r.getMessage() for r in caplog.records if "line to the cloud" in r.getMessage()]
    assert texts == ["line to the cloud is down", "line to the cloud is back"]


async def test_a_copied_outbox_stops_and_says_so(site, until, context, tmp_path):
    await site.read(1)
    async with site.agent():
        await until(lambda: site.acknowledged == ((1, 2),))
    epoch = site.outbox.epoch
    known = site.cloud.books.batches["samples", epoch]
    known[2] = known[1]
    await site.read(1)
    async with site.agent():
        await until(lambda: site.status["line"]["clone"])
        uploads = len(site.cloud.books.uploads)
        await site.read(1)
        await asyncio.sleep(0.1)
    assert len(site.cloud.books.uploads) == uploads
    assert site.acknowledged == ((1, 2),)
