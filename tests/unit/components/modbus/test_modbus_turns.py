import asyncio

from components.modbus.turns import FIRST_PAUSE_S, MAX_PAUSE_S, Turns, next_silence


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


def test_silence_grows_to_a_limit():
    silence, pauses = None, []
    for _ in range(8):
        silence = next_silence(silence, now=100.0, timeout_s=0.2)
        pauses.append(silence.pause_s)
    assert pauses == [FIRST_PAUSE_S, 2, 4, 8, 16, MAX_PAUSE_S, MAX_PAUSE_S, MAX_PAUSE_S]
    assert silence.until == 100.0 + MAX_PAUSE_S


def test_first_silence_leaves_others_most_of_the_line():
    assert next_silence(None, now=0.0, timeout_s=2.0).pause_s == 8.0
    assert next_silence(None, now=0.0, timeout_s=20.0).pause_s == 80.0
