"""Tables of ``tidegate edge`` for people; plain text where the output is no terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.edge.checking import CheckReport
from tidegate.edge.health import GatewayHealth
from tidegate.edge.planning import GatewayPlan
from tidegate.edge.reading import DeviceRead
from tidegate.edge.verifying import Verified

STYLES = {
    "good": "green", "running": "green", "connected": "green",
    "uncertain": "yellow", "late": "yellow", "offline": "yellow",
    "bad": "red", "silent": "red", "never": "red", "stopped": "red",
}  # fmt: skip
NONE = "-"
WIDE = 160


def check_table(report: CheckReport) -> None:
    """Show what a gateway's files say."""
    console = _console()
    table = _table("device", "protocol", "address", "profile", "points>", "every>")
    for device in report.devices:
        table.add_row(
            device.name, device.protocol, device.address, device.profile or NONE,
            str(device.points), _seconds(device.interval_s),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{report.gateway}: {len(report.devices)} devices, {report.points} points, "
        f"{len(report.rules)} rules; cloud {report.cloud or 'none'}; state in {report.state_dir}"
    )


def read_table(reads: Sequence[DeviceRead]) -> None:
    """Show what devices answered."""
    table = _table("device", "point", "value>", "unit", "quality", "reason")
    for read in reads:
        for point in read.points:
            table.add_row(
                read.device, point.point, point.shown, point.unit,
                _word(point.quality), point.reason,
            )  # fmt: skip
    console = _console()
    console.print(table)
    for read in reads:
        if not read.error:
            console.print(f"{read.device}: {len(read.points)} points in {read.duration_s:.3f} s")


def plan_table(plan: GatewayPlan) -> None:
    """Show what reading will cost."""
    console = _console()
    for line in plan.lines:
        console.print(
            f"{line.connection}: load {line.load:.1%}, {_seconds(line.cycle_s)} a cycle"
            + (f" ({line.verdict})" if line.verdict else "")
        )
        table = _table("device", "request", "points>", "every>", "bytes>", "on the line>")
        for request in line.requests:
            table.add_row(
                request.device, request.label, str(request.points), _seconds(request.interval_s),
                str(request.bytes_out + request.bytes_in), _seconds(request.seconds),
            )  # fmt: skip
        console.print(table)
        ages = _table("device", "requests>", "points/s>", "age at most>", "with dead neighbours>")
        for device in line.devices:
            ages.add_row(
                device.name, str(device.requests), f"{device.points_per_s:.3g}",
                _seconds(device.age_s), _seconds(device.worst_age_s),
            )  # fmt: skip
        console.print(ages)
    console.print(
        f"{plan.gateway}: {plan.points} points, {plan.points_per_s:.4g} points/s, "
        f"{plan.requests_per_s:.3g} requests/s, {plan.bytes_per_s:.4g} bytes/s"
    )


def status_table(health: GatewayHealth) -> None:
    """Show how a gateway is."""
    console = _console()
    console.print(
        f"{health.gateway}: runtime", _word(health.runtime), "· agent", _word(health.agent)
    )
    if health.last_contact_age_s is not None:
        console.print(f"last word of the cloud {_seconds(health.last_contact_age_s)} ago")
    for problem in (health.line_error, health.outbox_error):
        if problem:
            console.print(Text(problem, style="red"))
    table = _table("device", "health", "newest good>", "bad points>", "errors>", "reason")
    for device in health.devices:
        age = NONE if device.age_s is None else _seconds(device.age_s)
        table.add_row(
            device.name, _word(device.health), age, f"{device.bad_points}/{device.points}",
            str(device.errors), device.reason,
        )  # fmt: skip
    console.print(table)
    for stream in health.backlog:
        oldest = "" if stream.oldest_age_s is None else f", oldest {_seconds(stream.oldest_age_s)}"
        console.print(
            f"{stream.stream}: {stream.items} waiting in {stream.batches} batches{oldest}"
        )
    used = f"outbox: {_bytes(health.outbox_bytes)} of {_bytes(health.outbox_max_bytes)}"
    left = "" if health.days_left is None else f", room for {health.days_left:.1f} days offline"
    console.print(used + left)
    if health.alerts:
        console.print(Text(f"alerts raised: {', '.join(health.alerts)}", style="red"))


def verify_table(verified: Verified) -> None:
    """Show both ends' books."""
    table = _table("stream", "epoch", "received", "to send", "lost", "missing", "twice>")
    for stream in verified.streams:
        twice = NONE if stream.duplicate_items is None else str(stream.duplicate_items)
        table.add_row(
            stream.stream, stream.epoch, stream.received, stream.to_send, stream.lost,
            stream.missing, twice,
        )  # fmt: skip
    console = _console()
    console.print(table)
    console.print("complete" if verified.complete else "NOT complete")


def _console() -> Console:
    """Fit the terminal; wide where the output is none, so that lines stay whole."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def _table(*columns: str) -> Table:
    """Make a table; a column that ends in ``>`` holds numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", overflow="fold")
    return table


def _word(word: str) -> Text:
    return Text(word, style=STYLES.get(word, ""))


def _seconds(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - decimal units
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
