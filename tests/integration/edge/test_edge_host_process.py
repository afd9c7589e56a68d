import asyncio
import os
import signal
import sys

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.errors import StoreError
from edge_runtime.host import supervisor
from edge_runtime.host.agent import run_agent
from edge_runtime.host.context import Context
from edge_runtime.host.process import run_until_stopped
from edge_runtime.settings import GatewaySettings

STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "open(sys.argv[1], 'w').write('x')\n"
    "time.sleep(60)\n"
)


async def for_ever():
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_cancels_the_work_and_is_told(told):
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), told)
    assert await run_until_stopped(for_ever()) == told


async def test_work_that_ends_by_itself_tells_no_signal():
    assert await run_until_stopped(asyncio.sleep(0)) == 0


async def test_an_error_of_the_work_comes_through():
    async def fail():
        raise StoreError("full")

    with pytest.raises(StoreError):
        await run_until_stopped(fail())


@pytest.mark.parametrize(("parent", "follows"), [(os.getpid(), b"True"), (1, b"False")])
async def test_a_process_follows_the_parent_that_it_has(parent, follows):
    code = "import sys; from edge_runtime.host.process import *; print(follow_parent(%d))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code % parent, stdout=asyncio.subprocess.PIPE
    )
    assert (await process.communicate())[0].strip() == follows


async def test_when_one_component_fails_all_end(tmp_path):
    ended = []

    async def steady(context):
        try:
            await for_ever()
        finally:
            ended.append(context.settings.name)

    async def failing(context):
        raise StoreError("full")

    settings = GatewaySettings(name="cellar-1", file=tmp_path / "gateway.yaml")
    context = Context(settings, SystemClock(), "0.0.1")
    with pytest.raises(ExceptionGroup) as caught:
        await run_agent(context, [steady, failing])
    assert caught.group_contains(StoreError)
    assert ended == ["cellar-1"]


async def test_a_process_that_does_not_stop_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_S", 0.0)
    note = tmp_path / "note"
    command = (sys.executable, "-c", STUBBORN, str(note))
    task = asyncio.ensure_future(supervisor.supervise({"it": command}, SystemClock()))
    async with asyncio.timeout(5):
        while not note.exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
