"""What gateways tell of alerts, applied; and what other domains ask of them."""

from datetime import datetime
from uuid import UUID

from cloud_api.access.caller import GatewayCaller
from cloud_api.alerts import queries
from cloud_api.alerts.queries import Filter
from cloud_api.alerts.schemas import Alert
from cloud_api.db.session import Db
from cloud_sync.wire.events import AlertCleared, AlertRaised, Event, body_of


async def apply_raised(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> str | None:
    """Store an alert that a rule of a gateway raised; give its id if that is news.

    Raises:
        MessageInvalidError: the event's body does not fit.

    """
    body = body_of(event, AlertRaised)
    new = await queries.raise_alert(db, caller.tenant, caller.gateway, body, time)
    return body.alert if new else None


async def apply_cleared(db: Db, caller: GatewayCaller, event: Event, time: datetime) -> str | None:
    """Note that an alert is over; give its id if that is news.

    Raises:
        MessageInvalidError: the event's body does not fit.

    """
    body = body_of(event, AlertCleared)
    new = await queries.clear_alert(db, caller.tenant, caller.gateway, body, time)
    return body.alert if new else None


async def find_alert(db: Db, tenant: UUID, alert: str) -> Alert | None:
    """Give one alert as the API shows it."""
    found = await queries.list_alerts(db, tenant, Filter(id=alert), 1)
    return found[0] if found else None


async def count_active(db: Db, tenant: UUID) -> dict[UUID, int]:
    """Count the raised alerts of each gateway; gateways without one are left out."""
    return await queries.count_active(db, tenant)
