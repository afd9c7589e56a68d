"""One view of the line for both lanes: what is logged, what is waited for."""

import asyncio
import logging

import pytest

from cloud_sync.errors import CloudBusyError, CloudUnreachableError, LineDownError
from cloud_sync.line import DOWNLINK, MAX_RETRY_AFTER_S, UPLINK, Line
from cloud_sync.pacing import UNREACHABLE_LIMIT_S
from cloud_sync.status import SyncStatus
from simulators.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def line(clock):
    return Line(SyncStatus(), clock)


async def fail(line, clock, times, lane=UPLINK):
    for _ in range(times):
        failing = asyncio.create_task(line.failed(lane, LineDownError()))
        await clock.advance(31)
        await failing


async def test_an_outage_is_logged_once_at_each_end(line, clock, caplog):
    caplog.set_level(logging.INFO)
    line.works(UPLINK)
    await fail(line, clock, 5)
    assert not line.status.connected
    line.works(UPLINK)
    line.works(UPLINK)
    assert line.status.connected
    assert [r.getMessage() for r in caplog.records] == [
        "line to the cloud is down",
        "line to the cloud is back",
    ]


async def test_a_single_failure_is_not_an_outage(line, clock, caplog):
    line.works(UPLINK)
    await fail(line, clock, 1)
    assert line.status.connected
    line.works(UPLINK)
    assert not caplog.records


async def test_the_lane_that_gets_through_wakes_the_other(line, clock):
    await fail(line, clock, 10)
    waiting = asyncio.create_task(line.failed(UPLINK, LineDownError()))
    await asyncio.sleep(0)
    line.reached()
    await waiting
    assert clock.monotonic() == 310


async def test_a_busy_cloud_gets_the_time_it_asked_for(line, clock):
    waiting = asyncio.create_task(line.failed(UPLINK, CloudBusyError(retry_after_s=10)))
    await clock.advance(9.9)
    line.reached()
    assert not waiting.done()
    await clock.advance(0.3)
    assert waiting.done()


async def test_a_mistaken_retry_after_does_not_silence_a_site(line, clock):
    waiting = asyncio.create_task(line.failed(UPLINK, CloudBusyError(retry_after_s=1e9)))
    await clock.advance(MAX_RETRY_AFTER_S + 1)
    assert waiting.done()


async def test_a_line_without_connection_is_tried_every_few_seconds(line, clock):
    await fail(line, clock, 20)
    waiting = asyncio.create_task(line.failed(UPLINK, CloudUnreachableError()))
    await clock.advance(UNREACHABLE_LIMIT_S)
    assert waiting.done()


async def test_a_failing_downlink_alone_is_no_outage(line, clock):
    line.works(UPLINK)
    await fail(line, clock, 5, DOWNLINK)
    assert line.status.connected
