"""``tidegate edge read`` and ``solve``: what devices answer, beside what their displays show."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.chosen import check_points, chosen_devices
from tidegate.cli.outcome import ExitCode, leave, print_json, run_async, say

if TYPE_CHECKING:
    from edge_runtime.settings import ConfiguredDevice

File = Annotated[Path, typer.Argument(help="The gateway's settings.", metavar="gateway.yaml")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
GATEWAY = Path("gateway.yaml")


def read(
    file: File = GATEWAY,
    *,
    device: Annotated[list[str] | None, typer.Option(help="Only this device; repeatable.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="Only this point; repeatable.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Show bytes in all four orders.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(help="Seconds between two reads with --watch.", min=0.1, max=3600)
    ] = 2.0,
    as_json: Json = False,
) -> None:
    """Read every device once and show each point."""
    devices = chosen_devices(file, device or ())
    check_points(devices, point or ())
    silent = _round(devices, point or (), raw=raw, as_json=as_json)
    while watch:
        import time  # noqa: PLC0415 - help must be quick

        time.sleep(every)
        silent = _round(devices, point or (), raw=raw, as_json=as_json, again=True)
    if silent:
        leave(ExitCode.UNREACHABLE)


def _round(
    devices: "Sequence[ConfiguredDevice]",
    points: Sequence[str],
    *,
    raw: bool,
    as_json: bool,
    again: bool = False,
) -> bool:
    """Read once and show it; True where a device is silent."""
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.cli import read_tables as tables  # noqa: PLC0415
    from tidegate.edge import reading  # noqa: PLC0415

    found = run_async(reading.inspect_devices(devices, SystemClock(), points, beneath=raw))
    reads = [device if raw else reading.without_beneath(device) for device in found]
    if as_json:
        print_json({"devices": reads})
    else:
        tables.clear(again=again)
        tables.raw_table(found) if raw else tables.read_table(found)
    silent = [f"{d.device} ({d.address}): {d.error}" for d in found if d.error]
    for line in silent:
        say(line)
    return bool(silent)


def solve(
    *,
    device: Annotated[str, typer.Option(help="The device's name.")],
    point: Annotated[str, typer.Option(help="The point's name.")],
    display: Annotated[str, typer.Option(help="What the device's own display shows now.")],
    file: File = GATEWAY,
    tolerance: Annotated[
        float, typer.Option(help="Percent by which the value may have moved.", min=0, max=50)
    ] = 1.0,
    reads: Annotated[int, typer.Option(help="How often to read.", min=1, max=20)] = 3,
    as_json: Json = False,
) -> None:
    """Find type, byte order, scale and address from one look at the device's display."""
    from edge_runtime.clock import SystemClock  # noqa: PLC0415 - help must be quick
    from tidegate.edge.side_by_side import solve_point  # noqa: PLC0415
    from tidegate.edge.solving import read_display  # noqa: PLC0415

    (chosen,) = chosen_devices(file, [device])
    check_points([chosen], [point])
    try:
        shown = read_display(display, tolerance / 100)
    except ValueError as exc:
        leave(ExitCode.USAGE, str(exc))
    solution = run_async(solve_point(chosen, point, shown, SystemClock(), reads=reads))
    if as_json:
        print_json(solution)
    else:
        from tidegate.cli.read_tables import show_solution  # noqa: PLC0415

        show_solution(solution)
    if not solution.proposals:
        leave(ExitCode.PROBLEMS, f"nothing around '{point}' reads like {display}")
