"""Tables of ``tidegate cloud`` for people; plain text where the output is no terminal."""

from datetime import UTC, datetime

from cloud_api.administration import CloudStatus
from cloud_api.overview.schemas import GatewayView
from tidegate.cli.tables import NONE, as_time, coloured, new_table, open_console


def status_table(found: CloudStatus) -> None:
    """Show a running cloud, its tenants and how their gateways are."""
    now = datetime.now(UTC)
    console = open_console()
    console.print(f"dashboard {found.http}   gateways {found.https}")
    table = new_table("tenant", "site", "gateway", "state", "contact>", "good points>", "waiting>")
    for tenant in found.tenants:
        for view in tenant.gateways:
            table.add_row(
                tenant.name, view.site.name, view.name, coloured(view.state.value),
                _contact(view, now), f"{view.points.good}/{view.points.total}",
                str(view.backlog.samples),
            )  # fmt: skip
        if not tenant.gateways:
            table.add_row(tenant.name, *[NONE] * 6)
    console.print(table)


def _contact(view: GatewayView, now: datetime) -> str:
    if view.last_contact_at is None:
        return NONE
    return f"{as_time((now - view.last_contact_at).total_seconds())} ago"
