"""Alerts as the API shows them."""

from datetime import datetime
from typing import Literal

from cloud_api.registry.schemas import Named, View
from cloud_sync.wire.samples import Value


class AlertPoint(View):
    """The point that an alert is about."""

    id: str
    name: str
    key: str
    unit: str


class Alert(View):
    """An alert, raised and perhaps cleared."""

    id: str
    rule: str
    message: str
    priority: Literal["low", "medium", "high", "critical"]
    state: Literal["raised", "cleared"]
    raised_at: datetime
    cleared_at: datetime | None
    value: Value | None
    clear_value: Value | None
    point: AlertPoint | None
    device: Named | None
    gateway: Named
    site: Named


class Alerts(View):
    """A page of alerts, newest first. ``next_cursor`` asks for the next page; null at the end."""

    alerts: list[Alert]
    next_cursor: str | None
