"""``kill -9`` of runtime and agent at random moments, on a whole site in real processes.

Accepted is what the runtime logged after its commit: that line survives the kill of its writer.
"""

import asyncio
import random
import re
from collections.abc import Callable
from pathlib import Path

import psycopg

from simulators.site.processes import Part
from simulators.site.site import Site, run_site, site_folder

OUTBOX = {"commit_interval_s": 0.2}
LONGEST_LIFE_S = 0.8
STARTS_KILLED = 0.2
"""Share of the kills that may hit a process while it still starts."""
START_S = 30.0
STEADY_S = 3.0
COMMITTED = re.compile(rb"outbox committed stream=(\w+) seq=(\d+) count=\d+ sha256=(\w+)")

Books = dict[tuple[str, int], str]


async def kill_again_and_again(
    site: Site, process: str, rounds: int, chance: random.Random
) -> None:
    for _ in range(rounds):
        part = await site.start_process(process)
        if chance.random() < STARTS_KILLED:
            await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
        else:
            await at_work(site, process, part)
            await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
        part.check()
        part.process.kill()
        await part.process.wait()


async def at_work(site: Site, process: str, part: Part) -> None:
    async with asyncio.timeout(START_S):
        while site.status(process).get("pid") != part.pid:
            part.check()
            await asyncio.sleep(0.02)


async def run_undisturbed(site: Site, seconds: float) -> None:
    """Run both processes for a while and stop them cleanly; nothing may need repair by hand."""
    parts = [await site.start_process(process) for process in ("runtime", "agent")]
    await asyncio.sleep(seconds)
    for part in parts:
        part.check()
        await part.stop()


def accepted_batches(log: Path) -> Books:
    """Read the runtime's own words; a number that was given twice fails here."""
    books: Books = {}
    for stream, seq, sha256 in COMMITTED.findall(log.read_bytes()):
        key, digest = (stream.decode(), int(seq)), sha256.decode()
        assert books.setdefault(key, digest) == digest, f"{key} was given to two batches"
    return books


async def received_batches(dsn: str) -> Books:
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        rows = await db.execute("SELECT stream, seq, encode(sha256, 'hex') FROM tidegate.batch")
        return {(stream, seq): digest async for stream, seq, digest in rows}


async def open_ends(dsn: str) -> list[tuple[str, str]]:
    """Streams of the cloud that are not one whole range from 1 on."""
    async with await psycopg.AsyncConnection.connect(dsn) as db:
        rows = await db.execute(
            "SELECT stream, received::text FROM tidegate.stream"
            " WHERE received <> int8multirange(int8range(1, upper(received)))"
        )
        return await rows.fetchall()


async def test_kills_of_both_processes_lose_and_double_nothing(
    fault_rounds: int, record_property: Callable[[str, object], None]
) -> None:
    seed = random.randrange(1 << 30)
    with site_folder() as folder:
        async with run_site(folder) as site:
            site.outbox, site.log = OUTBOX, "debug"
            await site.settle_in()
            await asyncio.gather(
                kill_again_and_again(site, "runtime", fault_rounds, random.Random(seed)),
                kill_again_and_again(site, "agent", fault_rounds, random.Random(seed + 1)),
            )
            await run_undisturbed(site, STEADY_S)
            account = await site.account()
            accepted = accepted_batches(folder / "runtime.log")
            received = await received_batches(site.dsn)
            broken = await open_ends(site.dsn)
    record_property("seed", seed)
    record_property("kills", 2 * fault_rounds)
    record_property("batches", len(accepted))
    assert len(accepted) > fault_rounds
    assert accepted.items() <= received.items()
    assert (account.missing, account.duplicate, account.lost) == (0, 0, 0)
    assert account.accepted == account.arrived
    assert broken == []
