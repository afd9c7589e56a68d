"""gateway.yaml into settings: strict, all errors at once, each with file, line and path.

A device is validated by the settings of its driver; which protocols there are is for the caller to
say (``find_driver``), because the runtime knows no driver.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr, model_validator

from edge_runtime.driver import DeviceSettings, Driver
from edge_runtime.errors import SettingsError
from edge_runtime.marked_yaml import Loc, Marked
from edge_runtime.names import CLOUD_URL, NAME
from edge_runtime.outbox.settings import OutboxSettings
from edge_runtime.profiles.loader import Profiles, merge
from edge_runtime.validation import Findings

MAX_DEVICES = 1_000
MAX_POINTS = 50_000
HINT = "mend the file and run 'tidegate edge check' again; nothing was started"

FindDriver = Callable[[str], Driver]
"""Give the driver of a protocol; raises :class:`SettingsError` for one that is not there."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CloudSettings(_Section):
    """Where the cloud is. The claim is needed for the first enrolment only."""

    url: str = Field(pattern=CLOUD_URL, max_length=500)
    claim: SecretStr | None = None
    claim_file: Path | None = None
    """A file that holds the claim, relative to gateway.yaml."""

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        if self.claim is not None and self.claim_file is not None:
            msg = "give 'claim' or 'claim_file', not both"
            raise ValueError(msg)
        return self


class GatewaySection(_Section):
    """The part ``gateway`` of the file."""

    name: str = Field(pattern=NAME, max_length=63)
    state_dir: Path = Path("state")
    """Relative to the file, as every path in it."""
    cloud: CloudSettings | None = None
    """Without it the gateway only reads, keeps and acts."""
    outbox: OutboxSettings = OutboxSettings()
    rules: Path | None = None
    profiles: tuple[Path, ...] = Field(default=(), max_length=16)


@dataclass(frozen=True, slots=True)
class ConfiguredDevice:
    """A device of the file: its driver and the settings that the driver asked for."""

    driver: Driver
    settings: DeviceSettings


class GatewaySettings(GatewaySection):
    """The whole file; all paths absolute."""

    file: Path
    devices: tuple[InstanceOf[ConfiguredDevice], ...] = ()

    def devices_of(self, adapter: str) -> tuple[ConfiguredDevice, ...]:
        """Give the devices that an adapter reads; those of the runtime itself for no name."""
        return tuple(d for d in self.devices if d.settings.adapter == adapter)

    def adapters(self) -> tuple[str, ...]:
        """Name the adapters, in the order of the file."""
        return tuple(dict.fromkeys(d.settings.adapter for d in self.devices if d.settings.adapter))


def load_settings(
    path: Path, find_driver: FindDriver, *, adapter: str | None = None
) -> GatewaySettings:
    """Read gateway.yaml with the profiles it names; all devices, or those of one adapter.

    With ``adapter`` the others are not even looked at, and their drivers not loaded.

    Raises:
        FileProblemsError: a :class:`SettingsError` with everything that is wrong.

    """
    findings = Findings()
    tree = _read(path, findings)
    gateway = _section(tree, findings)
    folder = path.absolute().parent
    folders = [folder / extra for extra in (gateway.profiles if gateway else ())]
    reader = _DeviceReader(folder, Profiles(folders), find_driver, findings)
    devices = reader.read(tree, adapter)
    findings.done(hint=HINT)
    assert gateway is not None
    return _anchored(gateway, path.absolute(), tuple(devices))


def load_section(path: Path) -> GatewaySettings:
    """Read the section ``gateway`` of gateway.yaml and no device: what the agent needs.

    Raises:
        FileProblemsError: a :class:`SettingsError` with everything that is wrong in it.

    """
    findings = Findings()
    gateway = _section(_read(path, findings, without=("devices",)), findings)
    findings.done(hint=HINT)
    assert gateway is not None
    return _anchored(gateway, path.absolute(), ())


def _read(path: Path, findings: Findings, *, without: Collection[str] = ()) -> Marked:
    tree = findings.read(path, without=without)
    findings.done(hint=HINT)
    assert tree is not None
    return tree


def _section(tree: Marked, findings: Findings) -> GatewaySection | None:
    _only_sections(tree, findings)
    section = tree.entries().get("gateway")
    return findings.model(GatewaySection, section, ("gateway",)) if section else None


def _only_sections(tree: Marked, findings: Findings) -> None:
    if not isinstance(tree.value, dict):
        findings.add(tree, (), "expected the sections 'gateway' and 'devices'")
        return
    for key, node in tree.entries().items():
        if key not in {"gateway", "devices"}:
            findings.add(node, (key,), "unknown section; known are gateway, devices")
    if "gateway" not in tree.entries():
        findings.add(tree, ("gateway",), "is missing")


def _anchored(
    gateway: GatewaySection, file: Path, devices: tuple[ConfiguredDevice, ...]
) -> GatewaySettings:
    """Make every path absolute, counted from the file's folder."""
    folder = file.parent
    cloud = gateway.cloud
    if cloud is not None and cloud.claim_file is not None:
        cloud = cloud.model_copy(update={"claim_file": folder / cloud.claim_file})
    return GatewaySettings(
        name=gateway.name,
        state_dir=folder / gateway.state_dir,
        cloud=cloud,
        outbox=gateway.outbox,
        rules=folder / gateway.rules if gateway.rules is not None else None,
        profiles=tuple(folder / extra for extra in gateway.profiles),
        file=file,
        devices=devices,
    )


ModelT = TypeVar("ModelT", bound=BaseModel)


def anchor(settings: ModelT, folder: Path) -> ModelT:
    """Count every relative path in the settings of a device from the file's folder."""
    anchored: dict[str, object] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Path):
            anchored[name] = folder / value.expanduser()
        elif isinstance(value, BaseModel):
            anchored[name] = anchor(value, folder)
    return settings.model_copy(update=anchored) if anchored else settings


class _DeviceReader:
    def __init__(
        self, folder: Path, profiles: Profiles, find_driver: FindDriver, findings: Findings
    ) -> None:
        self._folder = folder
        self._profiles = profiles
        self._find_driver = find_driver
        self._findings = findings
        self._lines: dict[str, int] = {}
        self._adapters: dict[tuple[str, str], DeviceSettings] = {}

    def read(self, tree: Marked, adapter: str | None) -> list[ConfiguredDevice]:
        node = tree.entries().get("devices")
        if node is None:
            return []
        if not isinstance(node.value, list) or len(node.value) > MAX_DEVICES:
            self._findings.add(node, ("devices",), f"expected a list of at most {MAX_DEVICES}")
            return []
        wanted = [
            (("devices", i), item)
            for i, item in enumerate(node.items())
            if adapter is None or item.text("adapter") == adapter
        ]
        read = [self._device(item, loc) for loc, item in wanted]
        devices = [device for device in read if device is not None]
        total = sum(len(device.settings.points) for device in devices)
        if total > MAX_POINTS:
            self._findings.add(node, ("devices",), f"found {total} points; at most {MAX_POINTS}")
        return devices

    def _device(self, node: Marked, loc: Loc) -> ConfiguredDevice | None:
        driver = self._driver(node, loc)
        merged = self._merged(node, loc)
        if driver is None or merged is None:
            return None
        fields = {key: value for key, value in merged.entries().items() if key != "protocol"}
        settings = self._findings.model(driver.settings, Marked(fields, node.mark), loc)
        if settings is None or not self._names_are_unique(node, settings, merged, loc):
            return None
        device = ConfiguredDevice(driver, anchor(settings, self._folder))
        self._check_adapter(node, device, loc)
        return device

    def _check_adapter(self, node: Marked, device: ConfiguredDevice, loc: Loc) -> None:
        """Devices on one line share a process: two of them would disturb each other on it."""
        settings = device.settings
        if settings.adapter != node.text("adapter"):
            text = "stands in a profile's defaults; which process reads a device is for this file"
            self._findings.add(node, (*loc, "adapter"), text)
        line = (device.driver.protocol, device.driver.connection(settings))
        first = self._adapters.setdefault(line, settings)
        if first.adapter != settings.adapter:
            text = (
                f"'{settings.name}' and '{first.name}' are on one line ({line[1]}) and need the "
                f"same adapter; found '{settings.adapter}' and '{first.adapter}'"
            )
            self._findings.add(node, (*loc, "adapter"), text)

    def _driver(self, node: Marked, loc: Loc) -> Driver | None:
        protocol = node.text("protocol")
        if not protocol:
            text = "is missing" if isinstance(node.value, dict) else "expected a mapping of fields"
            self._findings.add(node, (*loc, "protocol"), text)
            return None
        try:
            return self._find_driver(protocol)
        except SettingsError as exc:
            text = f"{exc}. {exc.hint}" if exc.hint else str(exc)
            self._findings.add(node.at(("protocol",)), (*loc, "protocol"), text)
            return None

    def _merged(self, node: Marked, loc: Loc) -> Marked | None:
        name = node.text("profile")
        if not name:
            return node
        place = node.at(("profile",))
        profile = self._profiles.find(name, self._findings, place, (*loc, "profile"))
        if profile is None:
            return None
        if profile.head.protocol != node.text("protocol"):
            text = f"'{name}' is a profile for {profile.head.protocol}, not {node.text('protocol')}"
            self._findings.add(place, (*loc, "profile"), text)
            return None
        return merge(profile, node)

    def _names_are_unique(
        self, node: Marked, settings: DeviceSettings, merged: Marked, loc: Loc
    ) -> bool:
        line = self._lines.setdefault(settings.name, node.mark.line)
        if line != node.mark.line:
            text = f"'{settings.name}' is already the name of the device in line {line}"
            self._findings.add(node.at(("name",)), (*loc, "name"), text)
        names: set[str] = set()
        fine = line == node.mark.line
        for index, point in enumerate(settings.points):
            inner: Loc = ("points", index, "name")
            if point.name in names:
                place = merged.at(inner)
                self._findings.add(place, (*loc, *inner), f"'{point.name}' stands twice")
                fine = False
            names.add(point.name)
        return fine & self._scale_points_exist(settings, merged, loc)

    def _scale_points_exist(self, settings: DeviceSettings, merged: Marked, loc: Loc) -> bool:
        names = {point.name for point in settings.points}
        fine = True
        for index, point in enumerate(settings.points):
            if point.scale_point is not None and point.scale_point not in names:
                inner: Loc = ("points", index, "scale_point")
                text = f"no point '{point.scale_point}' in this device"
                self._findings.add(merged.at(inner), (*loc, *inner), text)
                fine = False
        return fine
