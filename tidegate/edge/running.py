"""``tidegate edge run``: the supervisor, and each of its two processes."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path

from edge_runtime.host.agent import run_agent
from edge_runtime.host.context import Component
from edge_runtime.host.process import run_until_stopped
from edge_runtime.host.runtime import run_runtime
from edge_runtime.host.supervisor import supervise
from tidegate.edge.loading import Gateway

AGENT_COMPONENTS = ("components.sync",)
"""Packages with ``async def run(context)`` that make up the agent."""


class Part(StrEnum):
    """One of the two processes of a gateway."""

    RUNTIME = "runtime"
    AGENT = "agent"


async def run_part(gateway: Gateway, part: Part) -> int:
    """Run one process until it is told to stop; gives the signal that told, or 0."""
    context = gateway.context()
    if part is Part.RUNTIME:
        return await run_until_stopped(run_runtime(context, gateway.rules))
    return await run_until_stopped(run_agent(context, load_components(AGENT_COMPONENTS)))


async def run_all(gateway: Gateway, *, level: str) -> int:
    """Run both processes under supervision until told to stop; gives the signal, or 0."""
    parts = [Part.RUNTIME, *([Part.AGENT] if gateway.settings.cloud else [])]
    commands = {part.value: command(gateway.settings.file, part, level=level) for part in parts}
    return await run_until_stopped(supervise(commands, gateway.context().clock))


def command(file: Path, part: Part, *, level: str) -> Sequence[str]:
    """Give the command line of one process."""
    return (
        sys.executable, "-m", "tidegate", "edge", "run", str(file),
        "--only", part.value, "--log", level, "--parent", str(os.getpid()),
    )  # fmt: skip


def load_components(names: Sequence[str]) -> list[Component]:
    """Import components; only those that this process runs."""
    return [import_module(name).run for name in names]
