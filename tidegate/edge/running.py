"""``tidegate edge run``: become the supervisor, or run one of its two processes."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from re import fullmatch
from typing import NoReturn

from cloud_sync.wire.batch import Stream
from edge_runtime.clock import SystemClock
from edge_runtime.errors import SettingsError
from edge_runtime.host.context import Component, Context, Folders
from edge_runtime.host.lock import only_process, take_lock
from edge_runtime.host.process import run_until_stopped
from edge_runtime.names import NAME
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.settings import GatewaySettings, load_section, load_settings
from edge_runtime.status import adapter_file
from tidegate import __version__

AGENT_COMPONENTS = ("components.sync",)
"""Packages with ``async def run(context)`` that make up the agent."""


ADAPTER = "adapter:"
"""Begins the name of the part that runs an adapter: ``adapter:serial-1``."""


class Part(StrEnum):
    """One of the processes of a gateway that every gateway has."""

    RUNTIME = "runtime"
    AGENT = "agent"


def adapter_of(part: str) -> str | None:
    """Give the adapter that a part runs, None where it runs none.

    Raises:
        SettingsError: there is no such part.

    """
    if part in set(Part):
        return None
    name = part.removeprefix(ADAPTER)
    if name == part or not fullmatch(NAME, name):
        msg = f"a gateway has no part '{part}'"
        raise SettingsError(msg, hint="give runtime, agent or adapter:NAME")
    return name


async def run_part(file: Path, part: str) -> int:
    """Run one process until it is told to stop; gives the signal that told, or 0.

    Each loads only what it needs: the agent knows no device, the runtime no cloud, an adapter no
    driver but those of its own devices.

    Raises:
        SettingsError: what is wrong in the files.
        AlreadyRunsError: another process of this gateway does this.

    """
    if (adapter := adapter_of(part)) is not None:
        return await _run_adapter(file, adapter)
    if part == Part.AGENT:
        from edge_runtime.host.agent import run_agent  # noqa: PLC0415 - the agent's process only

        context = Context(load_section(file), SystemClock(), __version__)
        with only_process(context.folders.state, part):
            return await run_until_stopped(run_agent(context, load_components(AGENT_COMPONENTS)))
    from edge_runtime.host.runtime import run_runtime  # noqa: PLC0415 - the runtime's process only
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415

    gateway = load_gateway(file)
    with only_process(gateway.settings.state_dir, part):
        return await run_until_stopped(run_runtime(gateway.context(), gateway.rules))


async def _run_adapter(file: Path, name: str) -> int:
    from components.drivers import find_driver  # noqa: PLC0415 - not in the agent's process
    from edge_runtime.host.adapter import run_adapter  # noqa: PLC0415 - the adapter's process only

    settings = load_settings(file, find_driver, adapter=name)
    context = Context(settings, SystemClock(), __version__)
    with only_process(settings.state_dir, adapter_file(name)):
        return await run_until_stopped(run_adapter(context, name))


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
    parts: list[str] = [Part.RUNTIME, *([Part.AGENT] if settings.cloud else [])]
    parts += [ADAPTER + name for name in (*settings.adapters(), *former_adapters(settings))]
    words = (sys.executable, "-m", "tidegate", "edge", "run", str(settings.file))
    return {
        str(part): (*words, "--only", str(part), "--log", level, "--parent", str(os.getpid()))
        for part in parts
    }


def former_adapters(settings: GatewaySettings) -> list[str]:
    """Name adapters that are no longer in the settings and still have something to hand over."""
    folders = Folders(settings.state_dir)
    if not folders.adapters.is_dir():
        return []
    found = sorted(path.name for path in folders.adapters.iterdir())
    names = [name for name in found if fullmatch(NAME, name) and name not in settings.adapters()]
    return [name for name in names if _keeps_something(folders.adapter(name).outbox)]


def _keeps_something(outbox: Path) -> bool:
    reader = OutboxReader(outbox)
    try:
        return any(reader.stored(stream) for stream in Stream)
    finally:
        reader.close()


def load_components(names: Sequence[str]) -> list[Component]:
    """Import components; only those that this process runs."""
    return [import_module(name).run for name in names]
