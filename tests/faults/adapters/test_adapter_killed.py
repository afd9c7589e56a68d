"""``kill -9`` of an adapter and of the runtime at random moments: every sample arrives once.

The device counts its reads, so what an adapter committed in one life is a run of numbers without a
hole; committed is what the adapter logged after its commit.
"""

import asyncio
import contextlib
import random
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from adapter_victim import GATEWAY, LIFE

from cloud_sync.wire.batch import Stream, open_batch
from cloud_sync.wire.samples import decode_samples
from edge_runtime.adapters.messages import WINDOW
from edge_runtime.host.context import Folders
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.status import AdapterStatus, adapter_file, read_status

VICTIM = Path(__file__).with_name("adapter_victim.py")
ROOT = Path(__file__).parents[3]
COMMITTED = re.compile(rb"adapter: outbox committed stream=samples seq=\d+ count=(\d+)")
LONGEST_LIFE_S = 0.4
STARTS_KILLED = 0.2
SIDES = ("runtime", "adapter")


class Gateway:
    """The folder of a gateway, and its processes one life after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.run = Folders(folder / "state").run
        self.lives = Counter()
        self.processes = {}
        (folder / "gateway.yaml").write_text(GATEWAY)

    async def start(self, side):
        life = self.lives[side] = self.lives[side] + 1
        with self.log(side, life).open("wb") as log:
            self.processes[side] = await asyncio.create_subprocess_exec(
                sys.executable, str(VICTIM), side, str(self.folder), str(life),
                stderr=log, env={"PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    async def kill(self, *sides):
        for side in sides:
            log = self.log(side, self.lives[side])
            assert self.processes[side].returncode is None, log.read_text()
            self.processes[side].kill()
        for side in sides:
            await self.processes[side].wait()

    def log(self, side, life):
        return self.folder / f"{side}-{life}.log"

    async def are_connected(self):
        """This life of the runtime talks to this life of the adapter."""
        log = self.log("runtime", self.lives["runtime"])
        wanted = b"serial-1 is connected, process %d" % self.processes["adapter"].pid
        async with asyncio.timeout(30):
            while wanted not in log.read_bytes():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)

    async def kill_again_and_again(self, rounds, chance):
        for _ in range(rounds):
            sides = chance.choice([("runtime",), ("adapter",), SIDES])
            if chance.random() < STARTS_KILLED:
                await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
            else:
                await self.are_connected()
                await asyncio.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
            await self.kill(*sides)
            for side in sides:
                await self.start(side)

    async def hand_everything_over(self):
        """Both processes undisturbed, until nothing waits."""

        def is_done():
            found = read_status(self.run, adapter_file("serial-1"), AdapterStatus)
            mine = found is not None and found.pid == self.processes["adapter"].pid
            return mine and found.handed_over and found.waiting <= WINDOW

        async with asyncio.timeout(30):
            while not is_done():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)
        await self.kill(*SIDES)

    def arrived(self):
        """The numbers of each point in the runtime's outbox, in order of arrival."""
        numbers = defaultdict(list)
        with contextlib.closing(OutboxReader(self.folder / "state" / "outbox")) as reader:
            stored = reader.stored(Stream.SAMPLES)
            assert len(stored) == 1, "a number of the runtime's outbox is missing"
            for found in reader.load(Stream.SAMPLES, range(*stored[0]), 1 << 40):
                for sample in decode_samples(open_batch(found.message).payload):
                    if sample.value is not None:
                        numbers[sample.point].append(sample.value)
        return numbers

    def committed(self, life):
        return sum(map(int, COMMITTED.findall(self.log("adapter", life).read_bytes())))


def runs_of(numbers):
    """Part what arrived into the lives of the adapter that read it."""
    lives = defaultdict(list)
    for number in numbers:
        lives[number // LIFE].append(number % LIFE)
    return lives


async def test_kills_of_adapter_and_runtime_lose_and_double_nothing(
    tmp_path, fault_rounds, record_property
):
    seed = random.randrange(1 << 30)
    record_property("seed", seed)
    gateway = Gateway(tmp_path)
    for side in SIDES:
        await gateway.start(side)
    await gateway.kill_again_and_again(fault_rounds, random.Random(seed))
    await gateway.hand_everything_over()
    arrived = gateway.arrived()
    per_life = Counter()
    for point in ("one/a", "one/b", "two/a"):
        for life, run in runs_of(arrived[point]).items():
            assert run == list(range(len(run))), f"{point} of life {life}"
            per_life[life] += len(run)
    last = gateway.lives["adapter"]
    lost = {n: gateway.committed(n) - per_life[n] for n in range(1, last)}
    record_property("samples", sum(per_life.values()))
    assert not {n: count for n, count in lost.items() if count > 0}
    assert sum(per_life.values()) > 10 * fault_rounds
