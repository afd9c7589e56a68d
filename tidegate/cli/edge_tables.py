"""Tables of ``tidegate edge`` for people; plain text where the output is no terminal."""

from rich.text import Text

from tidegate.cli.tables import NONE, as_bytes, as_time, coloured, new_table, open_console
from tidegate.edge.checking import CheckReport
from tidegate.edge.health import GatewayHealth
from tidegate.edge.planning import GatewayPlan
from tidegate.edge.verifying import Verified


def check_table(report: CheckReport) -> None:
    """Show what a gateway's files say."""
    console = open_console()
    table = new_table("device", "protocol", "address", "profile", "points>", "every>")
    for device in report.devices:
        table.add_row(
            device.name, device.protocol, device.address, device.profile or NONE,
            str(device.points), as_time(device.interval_s),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{report.gateway}: {len(report.devices)} devices, {report.points} points, "
        f"{len(report.rules)} rules; cloud {report.cloud or 'none'}; state in {report.state_dir}"
    )


def plan_table(plan: GatewayPlan) -> None:
    """Show what reading will cost."""
    console = open_console()
    for line in plan.lines:
        console.print(
            f"{line.connection}: load {line.load:.1%}, {as_time(line.cycle_s)} a cycle"
            + (f" ({line.verdict})" if line.verdict else "")
        )
        table = new_table("device", "request", "points>", "every>", "bytes>", "on the line>")
        for request in line.requests:
            table.add_row(
                request.device, request.label, str(request.points), as_time(request.interval_s),
                str(request.bytes_out + request.bytes_in), as_time(request.seconds),
            )  # fmt: skip
        console.print(table)
        ages = new_table(
            "device", "requests>", "points/s>", "age at most>", "with dead neighbours>"
        )
        for device in line.devices:
            ages.add_row(
                device.name, str(device.requests), f"{device.points_per_s:.3g}",
                as_time(device.age_s), as_time(device.worst_age_s),
            )  # fmt: skip
        console.print(ages)
    console.print(
        f"{plan.gateway}: {plan.points} points, {plan.points_per_s:.4g} points/s, "
        f"{plan.requests_per_s:.3g} requests/s, {plan.bytes_per_s:.4g} bytes/s"
    )


def status_table(health: GatewayHealth) -> None:
    """Show how a gateway is."""
    console = open_console()
    console.print(
        f"{health.gateway}: runtime", coloured(health.runtime), "· agent", coloured(health.agent)
    )
    if health.last_contact_age_s is not None:
        console.print(f"last word of the cloud {as_time(health.last_contact_age_s)} ago")
    for problem in (health.line_error, health.outbox_error):
        if problem:
            console.print(Text(problem, style="red"))
    for adapter in health.adapters:
        console.print(
            f"adapter {adapter.name}:", coloured(adapter.state),
            f"· {adapter.waiting} batches waiting {adapter.error}".rstrip(),
        )  # fmt: skip
    table = new_table("device", "health", "newest good>", "bad points>", "errors>", "reason")
    for device in health.devices:
        age = NONE if device.age_s is None else as_time(device.age_s)
        table.add_row(
            device.name, coloured(device.health), age, f"{device.bad_points}/{device.points}",
            str(device.errors), device.reason,
        )  # fmt: skip
    console.print(table)
    for stream in health.backlog:
        oldest = "" if stream.oldest_age_s is None else f", oldest {as_time(stream.oldest_age_s)}"
        console.print(
            f"{stream.stream}: {stream.items} waiting in {stream.batches} batches{oldest}"
        )
    used = f"outbox: {as_bytes(health.outbox_bytes)} of {as_bytes(health.outbox_max_bytes)}"
    left = "" if health.days_left is None else f", room for {health.days_left:.1f} days offline"
    console.print(used + left)
    if health.alerts:
        console.print(Text(f"alerts raised: {', '.join(health.alerts)}", style="red"))


def verify_table(verified: Verified) -> None:
    """Show both ends' books."""
    table = new_table("stream", "epoch", "received", "to send", "lost", "missing", "twice>")
    for stream in verified.streams:
        twice = NONE if stream.duplicate_items is None else str(stream.duplicate_items)
        table.add_row(
            stream.stream, stream.epoch, stream.received, stream.to_send, stream.lost,
            stream.missing, twice,
        )  # fmt: skip
    console = open_console()
    console.print(table)
    console.print("complete" if verified.complete else "NOT complete")
