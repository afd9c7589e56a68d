import asyncio
import contextlib
import os
import signal
import sys

import psutil
import pytest

from edge_runtime.host.context import Folders
from edge_runtime.status import RuntimeStatus, read_status
from simulators.modbus.server import serve_plant

GATEWAY = """\
gateway: {{name: cellar-1, state_dir: state}}
devices:
  - {{name: pump-station, protocol: modbus, profile: demo-pump-station, host: 127.0.0.1, port: {port}}}
"""


@pytest.fixture
async def plant():
    async with serve_plant(first_port=0) as devices:
        yield devices["pump-station"][1]


@pytest.fixture
def file(tmp_path, plant):
    path = tmp_path / "gateway.yaml"
    path.write_text(GATEWAY.format(port=plant))
    return path


def status(file):
    return read_status(Folders(file.parent / "state").run, "runtime", RuntimeStatus)


async def tidegate(*args):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tidegate", *map(str, args), stdout=asyncio.subprocess.PIPE
    )


@contextlib.asynccontextmanager
async def running(file):
    process = await tidegate("edge", "run", file)
    try:
        await until(lambda: status(file) and status(file).readings)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(reached):
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - other processes are watched
            await asyncio.sleep(0.02)


def is_running(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_a_gateway_stops_cleanly(file, told, code):
    async with running(file) as process:
        runtime = status(file).pid
        process.send_signal(told)
        async with asyncio.timeout(5):
            assert await process.wait() == code
    assert not is_running(runtime)


async def test_nothing_is_left_when_the_supervisor_is_killed(file):
    async with running(file) as process:
        runtime = status(file).pid
        process.kill()
        await until(lambda: not is_running(runtime))


@pytest.mark.parametrize("part", [(), ("--only", "runtime")])
async def test_a_second_gateway_in_the_same_folder_is_refused(file, part):
    async with running(file):
        first = status(file).pid
        second = await tidegate("edge", "run", file, *part)
        async with asyncio.timeout(10):
            assert await second.wait() == 5
        assert status(file).pid == first


async def test_a_killed_runtime_is_started_again(file):
    async with running(file):
        first = status(file).pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: status(file).pid != first)


async def test_devices_are_read_once_from_the_command_line(file):
    process = await tidegate("edge", "read", file, "--json")
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b'"outlet_pressure"' in out


async def test_reading_a_device_that_is_not_there_says_unreachable(file):
    file.write_text(GATEWAY.format(port=9))
    process = await tidegate("edge", "read", file, "--json")
    await process.communicate()
    assert process.returncode == 7
