"""Ours and a bare library acquire the same values, one after the other, each in a process."""

import asyncio
import contextlib
import json
import statistics
import sys
from collections.abc import AsyncIterator
from typing import Any

ROUNDS = 3
SECONDS = 10.0
SETTLE_S = 3.0
READY_S = 180.0


async def compare(
    protocol: str, target: dict[str, Any], points: int, devices: list[dict[str, Any]]
) -> dict[str, object]:
    """Measure both in turn; ``target`` is what the bare library is told."""
    figures: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        for who, taken in figures.items():
            asked = {
                "who": who, "protocol": protocol, "points": points, "seconds": SECONDS,
                "settle_s": SETTLE_S, "devices": devices if who == "ours" else [], **target,
            }  # fmt: skip
            taken.append(await _acquire(asked))
    ours, bare = (_medians(figures[who]) for who in ("ours", "bare"))
    return {
        "ours": ours,
        "references": {"bare": bare},
        "ratio": {f"{key}_to_bare": round(ours[key] / bare[key], 2) for key in ours if bare[key]},
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "points": points,
    }


def _medians(taken: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in taken) for key in taken[0]}


async def _acquire(asked: dict[str, Any]) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.acquire",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(asked).encode())
    if process.returncode:
        msg = f"{asked['who']} of {asked['protocol']} ended with {process.returncode}"
        raise RuntimeError(msg)
    figures: dict[str, float] = json.loads(out)
    return figures


@contextlib.asynccontextmanager
async def plant(module: str, *arguments: str) -> AsyncIterator[dict[str, Any]]:
    """Run a plant in a process of its own; gives what it prints once it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.bench.peers.{module}", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready = await asyncio.wait_for(process.stdout.readline(), READY_S)
        yield json.loads(ready)
    finally:
        process.kill()
        await process.communicate()
