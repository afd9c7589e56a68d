"""Alerts as the API shows them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cloud_sync.wire.samples import Value


class _Output(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(_Output):
    """Something by id and name."""

    id: str
    name: str


class AlertPoint(_Output):
    """The point that an alert is about."""

    id: str
    name: str
    key: str
    unit: str


class Alert(_Output):
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


class Alerts(_Output):
    """A page of alerts, newest first. ``next_cursor`` asks for the next page; null at the end."""

    alerts: list[Alert]
    next_cursor: str | None
