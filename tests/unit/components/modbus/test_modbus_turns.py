import asyncio

from components.modbus.turns import FIRST_PAUSE_S, MAX_PAUSE_S, Turns, next_silence


async def order_of(turns, *units):
    """Let tasks of these units queue while unit 0 holds the line; give the order of their turns."""
    order = []

    async def use(unit):
        async with turns.of(unit):
            order.append(unit)

    async with asyncio.TaskGroup() as tasks, turns.of(0):
        for unit in units:
            tasks.create_task(use(unit))
        await asyncio.sleep(0)
        assert order == []
    return order


async def test_units_take_turns():
    assert await order_of(Turns(), 1, 1, 1, 2, 3) == [1, 2, 3, 1, 1]


async def test_line_is_free_after_all_turns():
    turns = Turns()
    await order_of(turns, 1, 2)
    assert await order_of(turns, 2) == [2]


async def test_who_gives_up_waiting_keeps_nobody_from_the_line():
    turns = Turns()

    async def use(unit):
        async with turns.of(unit):
            pass

    async with turns.of(1):
        tasks = [asyncio.create_task(use(unit)) for unit in (1, 2)]
        await asyncio.sleep(0)
        tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task.cancelled() for task in tasks] == [True, False]


async def test_turn_of_somebody_cancelled_at_that_moment_is_passed_on():
    turns = Turns()

    async def use(unit):
        async with turns.of(unit):
            pass

    async with turns.of(1):
        tasks = [asyncio.create_task(use(unit)) for unit in (1, 2)]
        await asyncio.sleep(0)
    tasks[0].cancel()  # its turn has come, but it did not run yet
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task.cancelled() for task in tasks] == [True, False]


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
