"""The bad line on the loopback, against an echo of our own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from simulators.line.__main__ import obey
from simulators.line.proxy import LineProxy


@dataclass
class Echo:
    port: int = 0
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    echo = Echo()

    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            while data := await reader.read(100):
                echo.heard.append(data)
                writer.write(data)
        except OSError:
            pass
        finally:
            await ended(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    echo.port = server.sockets[0].getsockname()[1]
    yield echo
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def ended(writer) -> None:
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with echoing() as running:
        yield running


@pytest.fixture
async def line(echo) -> AsyncIterator[LineProxy]:
    async with LineProxy("127.0.0.1", echo.port) as proxy:
        yield proxy


async def ask(line: LineProxy, text: bytes = b"hello") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        writer.write(text)
        return await reader.read(100)
    finally:
        await ended(writer)


async def test_a_whole_line_carries_both_ways(line):
    assert await ask(line) == b"hello"
    assert line.bytes_up == line.bytes_down == 5


async def test_a_cut_line_drops_what_is_open_and_refuses_what_is_new(line):
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"hello")
    assert await reader.read(100) == b"hello"
    await line.cut()
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    with pytest.raises(ConnectionRefusedError):
        await ask(line)
    assert line.connections == 0
    await ended(writer)


async def test_a_restored_line_has_the_same_port(line):
    port = line.port
    await line.cut()
    await line.restore()
    assert line.port == port
    assert await ask(line) == b"hello"


async def test_a_stalled_line_keeps_the_connection_and_says_nothing(line, echo):
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"one")
    assert await reader.read(100) == b"one"
    line.stall()
    writer.write(b"two")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(100)
    assert echo.heard == [b"one"]
    await line.restore()
    assert await reader.read(100) == b"two"
    await ended(writer)


async def test_a_lost_answer_was_handled_by_the_other_side(line, echo):
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    writer.write(b"one")
    assert await reader.read(100) == b"one"
    line.lose_answers()
    writer.write(b"two")
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    assert echo.heard == [b"one", b"two"]
    assert await ask(line) == b"hello"
    await ended(writer)


async def test_a_delayed_line_is_slow_but_right(line):
    loop = asyncio.get_running_loop()
    line.delay(0.03)
    started = loop.time()
    assert await ask(line) == b"hello"
    assert loop.time() - started >= 0.06


async def test_a_throttled_line_keeps_to_its_rate(line):
    loop = asyncio.get_running_loop()
    line.throttle(100.0)
    started = loop.time()
    assert await ask(line) == b"hello"
    assert loop.time() - started >= 0.1


async def test_a_flapping_line_ends_up_restored(line):
    await line.flap(up_s=0.01, down_s=0.01, times=3)
    assert await ask(line) == b"hello"


async def test_a_line_to_nowhere_closes_the_connection():
    async with LineProxy("127.0.0.1", 1) as line:
        assert await ask(line) == b""


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["cut"], "done"),
        (["stall"], "done"),
        (["lose"], "done"),
        (["delay", "0.1"], "done"),
        (["throttle", "8000"], "done"),
        (["restore"], "done"),
        (["state"], "0 open, 0 bytes up, 0 down"),
    ],
)
async def test_a_line_in_its_own_process_obeys_words(line, words, answer):
    assert await obey(line, words) == answer


async def test_a_word_it_does_not_know_is_answered_with_those_it_knows(line):
    assert "cut" in await obey(line, ["help"])


async def test_a_line_of_its_own_process_carries_until_its_input_ends(echo):
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "simulators.line", "0", f"127.0.0.1:{echo.port}"],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert (await process.stdout.readline()).startswith(b"line from 127.0.0.1:")
    answers, _ = await process.communicate(b"cut\nstate\n")
    assert answers == b"done\n0 open, 0 bytes up, 0 down\n"
    assert process.returncode == 0
