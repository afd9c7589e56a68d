"""``kill -9`` at any moment: whatever was said to be committed is there, and no number repeats."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from cloud_sync.wire.batch import Stream, open_batch
from edge_runtime.outbox.reader import OutboxReader

VICTIM = Path(__file__).with_name("outbox_victim.py")
ROOT = Path(__file__).parents[3]


def killed(folder: Path, seed: int, seconds: float, *, early: bool) -> list[str]:
    """Let a writer run for a while, kill it, and give what it said.

    The while begins with its first commit; with ``early`` at its start, while it still opens.
    """
    command = [sys.executable, str(VICTIM), str(folder), str(seed)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    ) as victim:
        first = "" if early else victim.stdout.readline()
        time.sleep(seconds)
        victim.send_signal(signal.SIGKILL)
        rest = victim.stdout.read()
    lines = (first + rest).splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n")]


def stored_in(folder: Path) -> dict[tuple[str, str, int], str]:
    """Read and verify every batch: (epoch, stream, number) to what the writer says of it."""
    reader = OutboxReader(folder)
    found = {}
    for stream in Stream:
        numbers = [n for low, high in reader.stored(stream) for n in range(low, high)]
        for stored in reader.load(stream, numbers, 1 << 40):
            batch = open_batch(stored.message)
            said = f"{batch.epoch} {stream.value} {batch.seq} {batch.count} {batch.sha256.hex()}"
            found[batch.epoch, stream.value, batch.seq] = said
        assert [seq for _, s, seq in found if s == stream.value] == numbers
    reader.close()
    return found


def test_nothing_that_was_committed_is_lost_by_kill_9(tmp_path, fault_rounds):
    folder, rng = tmp_path / "outbox", random.Random(20261124)
    said: list[str] = []
    for seed in range(fault_rounds):
        early = seed % 5 == 4
        seconds = rng.uniform(0.15, 0.45) if early else rng.uniform(0, 0.08)
        said += killed(folder, seed, seconds, early=early)
    stored = stored_in(folder)
    assert len(said) > fault_rounds
    assert set(said) <= set(stored.values())
    assert max(Counter(line.rsplit(" ", 2)[0] for line in said).values()) == 1
    for stream in Stream:
        numbers = sorted(seq for _, name, seq in stored if name == stream.value)
        assert numbers == list(range(1, len(numbers) + 1))
    assert len({epoch for epoch, _, _ in stored}) == 1
