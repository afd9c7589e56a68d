"""``tidegate edge check``: what the files say, or everything that is wrong with them."""

from pathlib import Path

import msgspec

from edge_runtime.errors import SettingsError
from edge_runtime.problems import FileProblemsError
from tidegate.edge.loading import Gateway, load_gateway


class Problem(msgspec.Struct, frozen=True):
    """One thing to mend."""

    file: str
    line: int
    path: str
    text: str


class CheckedDevice(msgspec.Struct, frozen=True):
    """One device as it was understood."""

    name: str
    protocol: str
    address: str
    profile: str
    points: int
    interval_s: float


class CheckReport(msgspec.Struct, frozen=True):
    """What a check found."""

    file: str
    problems: list[Problem]
    gateway: str = ""
    cloud: str = ""
    state_dir: str = ""
    points: int = 0
    devices: list[CheckedDevice] = []
    rules: list[str] = []

    @property
    def fine(self) -> bool:
        """Whether the gateway could be started."""
        return not self.problems


def check_gateway(file: Path) -> CheckReport:
    """Read the files and say what they mean."""
    try:
        return _summary(file, load_gateway(file))
    except FileProblemsError as exc:
        found = [Problem(p.file, p.line, p.path, p.text) for p in exc.problems]
        return CheckReport(str(file), found)
    except SettingsError as exc:
        return CheckReport(str(file), [Problem(str(file), 0, "", str(exc))])


def _summary(file: Path, gateway: Gateway) -> CheckReport:
    settings = gateway.settings
    devices = [
        CheckedDevice(
            name=device.settings.name,
            protocol=device.driver.protocol,
            address=device.driver.address(device.settings),
            profile=device.settings.profile,
            points=len(device.settings.points),
            interval_s=device.settings.interval_s,
        )
        for device in settings.devices
    ]
    return CheckReport(
        file=str(file),
        problems=[],
        gateway=settings.name,
        cloud=settings.cloud.url if settings.cloud else "",
        state_dir=str(settings.state_dir),
        points=sum(device.points for device in devices),
        devices=devices,
        rules=[rule.name for rule in gateway.rules],
    )
