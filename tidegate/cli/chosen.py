"""Devices and points that a person names on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.cli.outcome import ExitCode, leave

if TYPE_CHECKING:
    from edge_runtime.settings import ConfiguredDevice


def chosen_devices(file: Path, names: Sequence[str]) -> "list[ConfiguredDevice]":
    """Load a gateway's devices; only those named where some are. Leaves where one is not there."""
    from tidegate.edge.loading import load_gateway  # noqa: PLC0415 - help must be quick

    return pick_devices(load_gateway(file).settings.devices, names, file)


def pick_devices(
    devices: "Sequence[ConfiguredDevice]", names: Sequence[str], file: Path
) -> "list[ConfiguredDevice]":
    """Give the devices that are named, all where none is. Leaves where one is not there."""
    from edge_runtime.problems import suggestion  # noqa: PLC0415 - help must be quick

    known = [d.settings.name for d in devices]
    for name in names:
        if name not in known:
            leave(ExitCode.NOT_FOUND, f"no device '{name}' in {file}{suggestion(name, known)}")
    return [d for d in devices if not names or d.settings.name in names]


def check_points(devices: "Sequence[ConfiguredDevice]", names: Sequence[str]) -> None:
    """Leave where one of these points is in none of the devices."""
    from edge_runtime.problems import suggestion  # noqa: PLC0415 - help must be quick

    known = sorted({point.name for d in devices for point in d.settings.points})
    for name in names:
        if name not in known:
            leave(ExitCode.NOT_FOUND, f"no point '{name}'{suggestion(name, known)}")
