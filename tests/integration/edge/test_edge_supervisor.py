import asyncio
import sys
from pathlib import Path

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.host.supervisor import restart_delay, supervise

APPEND = "import sys; open(sys.argv[1], 'a').write('x')"
FOR_EVER = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"


async def until(reached):
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - another process writes the file
            await asyncio.sleep(0.01)


@pytest.fixture
async def supervised(tmp_path):
    tasks = []

    def start(code) -> tuple[asyncio.Task, Path]:
        note = tmp_path / "note"
        note.touch()
        command = (sys.executable, "-c", code, str(note))
        tasks.append(asyncio.ensure_future(supervise({"it": command}, SystemClock())))
        return tasks[-1], note

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_process_that_ends_is_started_again(supervised):
    _, note = supervised(APPEND)
    await until(lambda: len(note.read_text()) >= 2)


async def test_stopping_ends_the_process(supervised):
    task, note = supervised(FOR_EVER)
    await until(note.read_text)
    task.cancel()
    async with asyncio.timeout(3):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


def test_restarts_back_off_to_half_a_minute():
    assert [restart_delay(n) for n in (1, 2, 3, 99)] == [0.5, 1.0, 2.0, 30.0]
