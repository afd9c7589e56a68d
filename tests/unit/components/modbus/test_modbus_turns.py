import asyncio

import pytest

from components.modbus.turns import MIN_PAUSE_S, Silence, Turns, next_silence


async def use(turns, unit, order):
    await turns.take(unit)
    order.append(unit)
    turns.give()


async def order_of(turns, *units):
    """Let tasks of these units queue while unit 0 holds the line; give the order of their turns."""
    order = []

    await turns.take(0)
    async with asyncio.TaskGroup() as tasks:
        for unit in units:
            tasks.create_task(use(turns, unit, order))
        await asyncio.sleep(0)
        assert order == []
        turns.give()
    return order


async def test_units_take_turns():
    assert await order_of(Turns(), 1, 1, 1, 2, 3) == [1, 2, 3, 1, 1]


async def test_line_is_free_after_all_turns():
    turns = Turns()
    await order_of(turns, 1, 2)
    assert await order_of(turns, 2) == [2]


async def test_who_gives_up_waiting_keeps_nobody_from_the_line():
    turns, order = Turns(), []
    await turns.take(1)
    tasks = [asyncio.create_task(use(turns, unit, order)) for unit in (1, 2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    turns.give()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [2]


async def test_turn_of_somebody_cancelled_at_that_moment_is_passed_on():
    turns, order = Turns(), []
    await turns.take(1)
    tasks = [asyncio.create_task(use(turns, unit, order)) for unit in (1, 2)]
    await asyncio.sleep(0)
    turns.give()
    tasks[0].cancel()  # its turn has come, but it did not run yet
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [2]


def test_one_lost_answer_is_no_reason_to_leave_a_unit_alone():
    assert next_silence(None, now=100.0, timeout_s=2.0) == Silence(1, 100.0)


@pytest.mark.parametrize(("timeout_s", "pause_s"), [(0.1, MIN_PAUSE_S), (2.0, 8.0), (20.0, 80.0)])
def test_unit_that_stays_silent_leaves_the_others_most_of_the_line(timeout_s, pause_s):
    silence = next_silence(Silence(1, 0.0), now=100.0, timeout_s=timeout_s)
    assert silence == Silence(2, 100.0 + pause_s)
