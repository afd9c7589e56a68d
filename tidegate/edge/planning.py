"""``tidegate edge plan``: what reading will cost, before anything is deployed. Pure.

The load of a line is the share of time that its requests take; above 100 % the intervals cannot be
kept. The age of a value is at most its interval, a whole cycle of the line, and one time-out for
each other unit on the line that is dead.
"""

import msgspec

from edge_runtime.schedule import groups_of
from edge_runtime.settings import ConfiguredDevice, GatewaySettings

BUSY = 0.7
"""From this load on a line has too little room for repeats."""


class PlannedRequest(msgspec.Struct, frozen=True):
    """One request of a cycle."""

    device: str
    label: str
    interval_s: float
    points: int
    bytes_out: int
    bytes_in: int
    seconds: float


class PlannedDevice(msgspec.Struct, frozen=True):
    """One device of a line."""

    name: str
    address: str
    points: int
    requests: int
    points_per_s: float
    age_s: float
    """Oldest that a value gets while every unit answers."""
    worst_age_s: float
    """Oldest that a value gets while all other units of the line are dead."""


class PlannedLine(msgspec.Struct, frozen=True):
    """One connection with the devices that share it."""

    connection: str
    cycle_s: float
    load: float
    devices: list[PlannedDevice]
    requests: list[PlannedRequest]

    @property
    def verdict(self) -> str:
        """Say what the load means."""
        if self.load > 1:
            return "cannot keep its intervals: lengthen them or use another line"
        return "little room for repeats" if self.load > BUSY else ""


class GatewayPlan(msgspec.Struct, frozen=True):
    """The whole gateway."""

    gateway: str
    points: int
    points_per_s: float
    requests_per_s: float
    bytes_per_s: float
    lines: list[PlannedLine]

    @property
    def feasible(self) -> bool:
        """Whether every line can keep its intervals."""
        return all(line.load <= 1 for line in self.lines)


def plan_gateway(settings: GatewaySettings) -> GatewayPlan:
    """Plan every line."""
    lines: dict[str, list[ConfiguredDevice]] = {}
    for device in settings.devices:
        lines.setdefault(device.driver.connection(device.settings), []).append(device)
    planned = [plan_line(connection, devices) for connection, devices in lines.items()]
    requests = [request for line in planned for request in line.requests]
    return GatewayPlan(
        gateway=settings.name,
        points=sum(device.points for line in planned for device in line.devices),
        points_per_s=sum(device.points_per_s for line in planned for device in line.devices),
        requests_per_s=sum(1 / request.interval_s for request in requests),
        bytes_per_s=sum((r.bytes_out + r.bytes_in) / r.interval_s for r in requests),
        lines=planned,
    )


def plan_line(connection: str, devices: list[ConfiguredDevice]) -> PlannedLine:
    """Plan one line; its cycle is every request once."""
    requests = [request for device in devices for request in plan_requests(device)]
    cycle_s = sum(request.seconds for request in requests)
    return PlannedLine(
        connection=connection,
        cycle_s=cycle_s,
        load=sum(request.seconds / request.interval_s for request in requests),
        devices=[_device(device, devices, requests, cycle_s) for device in devices],
        requests=requests,
    )


def plan_requests(device: ConfiguredDevice) -> list[PlannedRequest]:
    """Ask the driver for the requests of each group of points."""
    return [
        PlannedRequest(
            device=device.settings.name,
            label=request.label,
            interval_s=group.interval_s,
            points=len(request.points),
            bytes_out=request.bytes_out,
            bytes_in=request.bytes_in,
            seconds=request.seconds,
        )
        for group in groups_of(device.settings, 0.0)
        for request in device.driver.plan(device.settings, group.points)
    ]


def _device(
    device: ConfiguredDevice,
    line: list[ConfiguredDevice],
    requests: list[PlannedRequest],
    cycle_s: float,
) -> PlannedDevice:
    settings = device.settings
    groups = groups_of(settings, 0.0)
    age_s = max(group.interval_s for group in groups) + cycle_s
    dead_s = sum(other.settings.timeout_s for other in line if other is not device)
    return PlannedDevice(
        name=settings.name,
        address=device.driver.address(settings),
        points=len(settings.points),
        requests=sum(1 for request in requests if request.device == settings.name),
        points_per_s=sum(len(group.points) / group.interval_s for group in groups),
        age_s=age_s,
        worst_age_s=age_s + dead_s,
    )
