"""Which edge node and device, and which of their metrics are points."""

from typing import Self

from pydantic import Field, model_validator

from components.mqtt.broker_settings import BrokerSettings, Will
from components.sparkplug.topic import ID, NAMESPACE
from edge_runtime import model


class Point(model.Point):
    """One metric."""

    metric: str = Field(min_length=1, max_length=512)
    """Its name, as the birth gives it: ``Drive 1/Speed``."""


class Settings(BrokerSettings):
    """An edge node, or a device of one."""

    group_id: str = Field(pattern=ID, max_length=128)
    edge_node_id: str = Field(pattern=ID, max_length=128)
    device_id: str = Field(default="", pattern=rf"{ID}|^$", max_length=128)
    """Empty for the metrics of the edge node itself."""
    host_id: str = Field(default="", pattern=rf"{ID}|^$", max_length=128)
    """Name of this host application; given, its STATE is published for edge nodes that wait for
    their primary host."""
    interval_s: float = Field(default=60.0, ge=0.05, le=86_400)
    """How long a living edge node may say nothing about a metric: it reports changes only."""
    max_payload_bytes: int = Field(default=1 << 20, ge=256, le=16 << 20)
    """Births of large edge nodes are long."""
    points: tuple[Point, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _host_has_its_own_name(self) -> Self:
        if self.host_id and not self.clean_start:
            msg = "'host_id' needs 'clean_start: true' (Sparkplug 3.0, 4.3)"
            raise ValueError(msg)
        return self

    @property
    def source(self) -> str:
        """Who gives the metrics, in Sparkplug's words."""
        named = f"{self.group_id}/{self.edge_node_id}"
        return f"{named}/{self.device_id}" if self.device_id else named

    @property
    def at(self) -> str:
        """Where the device is, for people."""
        return f"{self.broker.at} {self.source}"

    def will(self) -> Will | None:
        """Give the STATE that says that this host application is gone (Sparkplug 3.0, 6.4.26)."""
        if not self.host_id:
            return None
        return Will(
            topic=f"{NAMESPACE}/STATE/{self.host_id}",
            gone='{"online":false,"timestamp":NOW_MS}',
            alive='{"online":true,"timestamp":NOW_MS}',
        )
