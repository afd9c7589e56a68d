"""``tidegate edge run``: become the supervisor, or run one of its two processes."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from edge_runtime.clock import SystemClock
from edge_runtime.host.context import Component, Context
from edge_runtime.host.lock import only_process, take_lock
from edge_runtime.host.process import run_until_stopped
from edge_runtime.settings import GatewaySettings, load_section
from tidegate import __version__

AGENT_COMPONENTS = ("components.sync",)
"""Packages with ``async def run(context)`` that make up the agent."""


class Part(StrEnum):
    """One of the two processes of a gateway."""

    RUNTIME = "runtime"
    AGENT = "agent"


async def run_part(file: Path, part: Part) -> int:
    """Run one process until it is told to stop; gives the signal that told, or 0.

    Each loads only what it needs: the agent knows no device, the runtime no cloud.

    Raises:
        SettingsError: what is wrong in the files.
        AlreadyRunsError: another process of this gateway does this.

    """
    if part is Part.AGENT:
        from edge_runtime.host.agent import run_agent  # noqa: PLC0415 - the agent's process only

        context = Context(load_section(file), SystemClock(), __version__)
        with only_process(context.folders.state, part):
            return await run_until_stopped(run_agent(context, load_components(AGENT_COMPONENTS)))
    from edge_runtime.host.runtime import run_runtime  # noqa: PLC0415 - the runtime's process only
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415

    gateway = load_gateway(file)
    with only_process(gateway.settings.state_dir, part):
        return await run_until_stopped(run_runtime(gateway.context(), gateway.rules))


def become_supervisor(settings: GatewaySettings, *, level: str) -> NoReturn:
    """Replace this process by the supervisor of the gateway's processes.

    Raises:
        AlreadyRunsError: this gateway has one that runs.

    """
    lock = take_lock(settings.state_dir, "supervisor")
    os.set_inheritable(lock.fileno(), True)  # held on, across exec(2), until the supervisor ends
    commands = json.dumps(commands_of(settings, level=level))
    words = [sys.executable, "-m", "edge_runtime.host", commands, level]
    sys.stdout.flush()
    os.execv(sys.executable, words)  # noqa: S606 - our own interpreter, no shell


def commands_of(settings: GatewaySettings, *, level: str) -> Mapping[str, Sequence[str]]:
    """Give the command line of each process; without a cloud there is no agent."""
    parts = [Part.RUNTIME, *([Part.AGENT] if settings.cloud else [])]
    words = (sys.executable, "-m", "tidegate", "edge", "run", str(settings.file))
    return {
        part.value: (*words, "--only", part.value, "--log", level, "--parent", str(os.getpid()))
        for part in parts
    }


def load_components(names: Sequence[str]) -> list[Component]:
    """Import components; only those that this process runs."""
    return [import_module(name).run for name in names]
