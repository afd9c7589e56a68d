"""How gateways and sites are doing, told from ages and never from the state of a socket. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(seconds=15)
"""A gateway in contact posts at least a heartbeat in a third of this."""
CATCHING_UP_AFTER = timedelta(seconds=15)
"""A gateway on which a sample waits for longer than this is behind."""
LATE_AFTER = timedelta(seconds=5)
"""A sample that reached the cloud later than this was back-filled."""


class GatewayState(StrEnum):
    """State of a gateway, best first; of a site: the worst of its gateways, or ``empty``."""

    LIVE = "live"
    CATCHING_UP = "catching_up"
    WAITING = "waiting"
    SILENT = "silent"


def gateway_state(
    now: datetime, last_contact_at: datetime | None, oldest_waiting_at: datetime | None
) -> GatewayState:
    """Judge a gateway by its last contact, and by the oldest sample that it had not sent then."""
    if last_contact_at is None:
        return GatewayState.WAITING
    if now - last_contact_at > SILENT_AFTER:
        return GatewayState.SILENT
    if oldest_waiting_at is not None and last_contact_at - oldest_waiting_at > CATCHING_UP_AFTER:
        return GatewayState.CATCHING_UP
    return GatewayState.LIVE


def worst_state(states: list[GatewayState]) -> str:
    """Give the worst state, ``empty`` where there is none."""
    order = list(GatewayState)
    return max(states, key=order.index).value if states else "empty"
