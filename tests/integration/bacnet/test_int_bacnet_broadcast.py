"""Real broadcasts: two network namespaces with a cable between them."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = "tests.integration.bacnet.bacnet_broadcast"
LIMIT_S = 20
OURS, LOCAL = "10.9.0.1", "10.9.0.1/24"
THEIRS = ("10.9.0.2", "10.9.0.3", "10.9.0.4")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=LIMIT_S)


@pytest.fixture(scope="module")
def cable():
    """Names of two namespaces that see each other."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip, to make network namespaces")
    one, two = (f"bac{os.getpid()}{end}" for end in "ab")
    try:
        try:
            ip("netns", "add", one)
            ip("netns", "add", two)
            ip("link", "add", one, "netns", one, "type", "veth", "peer", "name", two, "netns", two)
        except subprocess.CalledProcessError as exc:
            pytest.skip(f"needs root that may make network namespaces: {exc.stderr.decode()}")
        for space, addresses in ((one, [OURS]), (two, THEIRS)):
            for address in addresses:
                ip("-n", space, "address", "add", f"{address}/24", "brd", "+", "dev", space)
            ip("-n", space, "link", "set", space, "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield one, two
    finally:
        for space in one, two:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)


@asynccontextmanager
async def running(space: str, *words: str):
    process = await asyncio.create_subprocess_exec(
        "ip", "netns", "exec", space, sys.executable, "-m", SCRIPT, *words,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), LIMIT_S)


async def said(process):
    return json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT_S))


async def say(process) -> None:
    process.stdin.write(b"\n")
    await process.stdin.drain()


async def test_devices_are_found_by_their_instances_and_again_when_they_move(cable):
    ours, theirs = cable
    async with running(ours, "read", LOCAL, "2001", "2002") as reader:
        async with running(theirs, "serve", "10.9.0.2/24=2001", "10.9.0.3/24=2002") as devices:
            assert await said(devices) == "ready"
            first = await said(reader)
        assert first == [[2001.0, "10.9.0.2"], [2002.0, "10.9.0.3"]]
        async with running(theirs, "serve", "10.9.0.4/24=2001", "10.9.0.2/24=2002") as devices:
            assert await said(devices) == "ready"
            await say(reader)
            assert await said(reader) == [[2001.0, "10.9.0.4"], [2002.0, "10.9.0.2"]]
            await say(reader)


async def test_scan_finds_all_by_one_broadcast(cable):
    ours, theirs = cable
    async with running(theirs, "serve", "10.9.0.2/24=2001", "10.9.0.3/24=2002") as devices:
        assert await said(devices) == "ready"
        scans = [f"{LOCAL}=broadcast", f"{LOCAL}=10.9.0.0/24", "-=broadcast"]
        async with running(ours, "scan", *scans) as scanner:
            for _ in scans:
                assert await said(scanner) == [["2001", "10.9.0.2"], ["2002", "10.9.0.3"]]
