"""What the cloud and the rules need to know of the points: the settings in the wire's words."""

from cloud_sync.wire.events import DeviceDeclared, PointDeclared, PointsDeclared
from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point, PointKind
from edge_runtime.settings import ConfiguredDevice, GatewaySettings


def declare_points(settings: GatewaySettings) -> PointsDeclared:
    """Declare all devices and points of a gateway."""
    return PointsDeclared([declare_device(device) for device in settings.devices])


def declare_device(device: ConfiguredDevice) -> DeviceDeclared:
    """Declare one device."""
    settings = device.settings
    return DeviceDeclared(
        name=settings.name,
        protocol=device.driver.protocol,
        address=device.driver.address(settings),
        profile=settings.profile,
        vendor=settings.vendor,
        model=settings.model,
        description=settings.description,
        points=[declare_point(settings, point) for point in settings.points],
    )


def declare_point(settings: DeviceSettings, point: Point) -> PointDeclared:
    """Declare one point; intervals are the device's where it has none of its own."""
    own_interval, own_silence = point.interval_s, point.max_silence_s
    return PointDeclared(
        name=point.name,
        kind=PointKind.BOOLEAN.value if point.bit is not None else point.kind.value,
        unit=point.unit,
        description=point.description,
        labels={str(number): label for number, label in point.labels.items()},
        decimals=point.decimals,
        interval_s=settings.interval_s if own_interval is None else own_interval,
        max_silence_s=settings.max_silence_s if own_silence is None else own_silence,
    )


def catalogue(settings: GatewaySettings) -> dict[str, PointDeclared]:
    """Give every point by its key, ``device/point``."""
    return {
        f"{device.settings.name}/{point.name}": declare_point(device.settings, point)
        for device in settings.devices
        for point in device.settings.points
    }
