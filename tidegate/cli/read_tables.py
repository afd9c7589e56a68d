"""What ``tidegate edge read`` and ``solve`` show to people, on a wide screen and on a phone."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from tidegate.cli.tables import NONE, as_time, coloured, new_table, open_console
from tidegate.edge.byte_orders import ORDERS, Number
from tidegate.edge.reading import PointRead, RawDevice, RawPoint
from tidegate.edge.side_by_side import Solution

NARROW = 150
"""Below this many columns the bytes of each point stand under it."""


def clear(*, again: bool) -> None:
    """Begin a new picture on a terminal."""
    console = open_console()
    if again and console.is_terminal:
        console.clear()


def read_table(reads: Sequence[RawDevice]) -> None:
    """Show what devices answered."""
    table = new_table("device", "point", "value>", "unit", "quality", "reason")
    for device in reads:
        for point in device.points:
            read = point.read
            table.add_row(
                device.device, read.point, Text(read.shown), Text(read.unit), coloured(read.quality),
                Text(read.reason),
            )  # fmt: skip
    console = open_console()
    console.print(table)
    _summary(console, reads)


def raw_table(reads: Sequence[RawDevice]) -> None:
    """Show what lies beneath readings: bytes, and what they mean in each order."""
    console = open_console()
    for device in reads:
        console.print(Text(f"{device.device} ({device.address})", style="bold"))
        if console.width < NARROW:
            for point in device.points:
                _stacked(console, point)
        else:
            _wide(console, device)
    _summary(console, reads)


def _wide(console: Console, device: RawDevice) -> None:
    table = new_table(
        "point", "where", "bytes", "type", *(f"{order}>" for order in ORDERS),
        "value>", "unit", "quality", "age>", "reason",
    )  # fmt: skip
    for point in device.points:
        under, read = point.beneath, point.read
        orders = [_number(under.orders[o]) if o in under.orders else NONE for o in ORDERS]
        table.add_row(
            read.point, Text(under.shown), _bytes(point), under.type, *orders,
            Text(read.shown), Text(read.unit), coloured(read.quality), _age(read), Text(read.reason),
        )  # fmt: skip
    console.print(table)


def _stacked(console: Console, point: RawPoint) -> None:
    under, read = point.beneath, point.read
    console.print(Text.assemble((read.point, "bold"), f"  {read.shown} {read.unit}  "), end="")
    console.print(coloured(read.quality), Text(read.reason), _age(read))
    console.print(Text(f"  {under.shown}  {_bytes(point)} {under.type}"))
    for order in ORDERS:
        if order in under.orders:
            console.print(Text(f"  {order}  {_number(under.orders[order])}"))


def _summary(console: Console, reads: Sequence[RawDevice]) -> None:
    for device in reads:
        if not device.error:
            count = len(device.points)
            console.print(f"{device.device}: {count} points in {device.duration_s:.3f} s")


def _bytes(point: RawPoint) -> Text:
    raw = "" if point.beneath.raw is None else repr(point.beneath.raw)
    return Text(point.beneath.bytes_shown or raw or NONE)


def _number(value: Number | None) -> str:
    if value is None:
        return NONE
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _age(read: PointRead) -> str:
    return "" if read.age_s is None else as_time(max(0.0, read.age_s))


def show_solution(solution: Solution) -> None:
    """Show what fits a display, and the line to write."""
    console = open_console()
    unit = f" {solution.unit}" if solution.unit else ""
    console.print(Text(f"{solution.device}/{solution.point}, display {solution.display}{unit}"))
    if solution.registers:
        console.print("registers: " + " ".join(f"{a}:{d}" for a, d in solution.registers.items()))
    for number, proposal in enumerate(solution.proposals, 1):
        likely = " likely" if number == 1 and solution.clear else ""
        against = f" ({', '.join(proposal.against)})" if proposal.against else ""
        console.print(Text(f"{number}. reads {proposal.value:.8g}{unit}{likely}{against}"))
        console.print(Text(f"   {proposal.line or 'as it is: nothing to change'}"))
    if solution.proposals and not solution.clear:
        console.print("several fit: ask again when the display shows another value")
    if solution.proposals and solution.proposals[0].changes:
        console.print(f"write the line among the 'points' of {solution.device} in gateway.yaml")
    for note in solution.notes:
        console.print(Text(f"note: {note}"))
