"""Time that runs as fast as it may and leaves nobody out."""

import asyncio
import time

from edge_runtime.recording.clock import ScaledClock

START_US = 1_700_000_000_000_000


async def test_sleepers_wake_in_order_at_their_own_moments():
    clock, woken = ScaledClock(1e9, START_US), []

    async def sleeper(name, seconds):
        for _ in range(3):
            await clock.sleep(seconds)
            woken.append((name, round(clock.monotonic(), 6)))

    await asyncio.gather(sleeper("a", 1.0), sleeper("b", 1.5))
    assert woken == [("a", 1.0), ("b", 1.5), ("a", 2.0), ("b", 3.0), ("a", 3.0), ("b", 4.5)]
    assert clock.wall_us() == START_US + 4_500_000


async def test_speed_is_the_most():
    clock, began = ScaledClock(100.0, START_US), time.monotonic()
    await clock.sleep(10.0)
    assert time.monotonic() - began >= 0.095


async def test_cancelled_sleeper_holds_nobody_up():
    clock = ScaledClock(1e9, START_US)
    task = asyncio.create_task(clock.sleep(1e12))
    await asyncio.sleep(0)
    task.cancel()
    await clock.sleep(1.0)
    assert clock.monotonic() == 1.0


async def test_time_waits_while_there_is_too_much_to_do():
    busy = [True]
    clock = ScaledClock(1e9, START_US, busy=lambda: busy[0])
    task = asyncio.create_task(clock.sleep(1.0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    busy[0] = False
    await task


async def test_sleep_of_nothing_lets_others_run():
    clock = ScaledClock(1.0, START_US)
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.monotonic() == 0
