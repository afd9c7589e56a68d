"""From what a scan found to devices that can be written into gateway.yaml, with live values."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from edge_runtime.clock import Clock
from edge_runtime.discovery import Found
from edge_runtime.driver import Driver, Inspection
from edge_runtime.errors import DeviceError
from edge_runtime.marked_yaml import Mark, Marked
from edge_runtime.profiles.loader import Profile, merge
from edge_runtime.profiles.matching import matching_profiles
from edge_runtime.settings import ConfiguredDevice
from edge_runtime.validation import Findings
from tidegate.edge.foreign_text import harmless, name_from
from tidegate.edge.reading import PointRead, look_at, normalise
from tidegate.edge.scanning import said

MAX_IDENTITY = 200
FOR_PEOPLE = {"vendor", "model", "description"}
"""Fields that are only shown; all others have to stay as the device has them."""
_QUOTED = re.compile(r"'([^']{1,200})'")
_HERE = Mark("proposal", 0, 0)


class Proposed(msgspec.Struct, frozen=True):
    """One found device as it would stand in gateway.yaml."""

    name: str
    protocol: str
    address: str
    identity: str
    title: str
    profile: str
    """Empty where the points stand with the device."""
    profiles: list[str]
    """All that fit, the best first."""
    known_as: str
    """Name of the device of gateway.yaml that this is; empty for a new one."""
    moved_from: str
    """Address of that device in gateway.yaml, where it is another one by now."""
    fields: dict[str, Any]
    """To be written into gateway.yaml; empty where neither profile nor points are known."""
    values: list[PointRead]
    notes: list[str]

    @property
    def addable(self) -> bool:
        """Whether it is new and complete."""
        return bool(self.fields) and not self.known_as

    @property
    def sound(self) -> bool:
        """Whether it can be added without anybody looking: some value of it is good."""
        return self.addable and any(value.quality != "bad" for value in self.values)


class Proposer:
    """Makes proposals; knows the profiles, and the devices that are there already."""

    def __init__(
        self,
        drivers: Sequence[Driver],
        profiles: Sequence[Profile],
        known: Sequence[ConfiguredDevice],
        clock: Clock,
        *,
        fallback_profile: str = "",
    ) -> None:
        self._drivers = {driver.protocol: driver for driver in drivers}
        self._profiles = {profile.head.profile: profile for profile in profiles}
        self._known = known
        self._clock = clock
        self._fallback = fallback_profile
        self._names = {device.settings.name for device in known}

    async def propose(self, found: Found) -> Proposed:
        """Choose a name and a profile, and read live values."""
        fitting = self.fitting(found)
        chosen = fitting[0] if fitting and not found.points else ""
        if not found.points and not chosen:
            chosen = self._fallback
        return await self.with_profile(found, chosen)

    async def with_profile(self, found: Found, profile: str) -> Proposed:
        """Propose a device with this profile; with its own points where it is empty."""
        notes = [harmless(note) for note in found.notes]
        fitting = self.fitting(found)
        name = self._free_name(found, profile)
        fields = entry_fields(found, name, profile)
        if not found.points and not profile:
            notes.append(
                "no profile fits: name one as NUMBER=profile-name or by --profile, or write one"
            )
            fields = {}
        device = self._configured(found.protocol, fields, notes) if fields else None
        known = self._known_device(found, device)
        values = await self._values(found, device, notes) if device is not None else []
        there = known.driver.address(known.settings) if known is not None else ""
        self._names.add(name)
        return Proposed(
            name=name,
            protocol=found.protocol,
            address=harmless(found.address),
            identity=harmless(found.identity, MAX_IDENTITY),
            title=harmless(found.title),
            profile=profile,
            profiles=fitting,
            known_as=known.settings.name if known is not None else "",
            moved_from=there if known is not None and there != found.address else "",
            fields=fields if device is not None else {},
            values=values,
            notes=notes,
        )

    def fitting(self, found: Found) -> list[str]:
        """Name the profiles that fit: the driver's choice, then by what the device says."""
        of_protocol = [p for p in self._profiles.values() if p.head.protocol == found.protocol]
        by_text = matching_profiles(
            of_protocol,
            vendor=said(found, "vendor"),
            model=said(found, "model"),
            title=found.title,
        )
        first = [found.profile] if found.profile in {p.head.profile for p in of_protocol} else []
        return list(dict.fromkeys([*first, *by_text]))

    def _free_name(self, found: Found, profile: str) -> str:
        wanted = name_from(said(found, "model"), profile, place_name(found), found.title)
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def _configured(
        self, protocol: str, fields: dict[str, Any], notes: list[str]
    ) -> ConfiguredDevice | None:
        """Check the fields as gateway.yaml would be checked."""
        driver, node = self._drivers[protocol], marked(fields)
        profile = self._profiles.get(fields.get("profile", ""))
        if "profile" in fields and profile is None:
            notes.append(f"there is no profile '{fields['profile']}'")
            return None
        merged = merge(profile, node) if profile is not None else node
        plain = {key: value for key, value in merged.entries().items() if key != "protocol"}
        findings = Findings()
        settings = findings.model(driver.settings, Marked(plain, _HERE), ())
        notes.extend(f"{p.path}: {p.text}" for p in findings.problems)
        return ConfiguredDevice(driver, settings) if settings is not None else None

    def _known_device(
        self, found: Found, device: ConfiguredDevice | None
    ) -> ConfiguredDevice | None:
        identity = harmless(found.identity, MAX_IDENTITY)
        for known in self._known:
            if known.driver.protocol != found.protocol:
                continue
            if identity and known.settings.device_identity == identity:
                return known
            addresses = {found.address, place_of(device) if device is not None else ""}
            same_device = not identity or not known.settings.device_identity
            if same_device and {place_of(known), known.driver.address(known.settings)} & addresses:
                return known
        return None

    async def _values(
        self, found: Found, device: ConfiguredDevice, notes: list[str]
    ) -> list[PointRead]:
        if found.values:
            own = [Inspection(reading, "") for reading in found.values]
            seen = normalise(device, device.settings.points, own, self._clock)
            return [s.read for s in seen]
        try:
            seen = await look_at(device, (), self._clock, beneath=False)
        except DeviceError as exc:
            notes.append(f"could not be read with this profile: {harmless(str(exc))}")
            return []
        bad = sum(s.read.quality == "bad" for s in seen)
        if bad:
            doubt = ": is this the right profile?" if 2 * bad > len(seen) else ""
            notes.append(f"{bad} of {len(seen)} points are bad{doubt}")
        return [s.read for s in seen]


def place_name(found: Found) -> str:
    """Give the last part of a path by which a device is known: ``site/boiler`` is the boiler."""
    quoted = _QUOTED.search(found.title)
    for text in (found.identity, quoted[1] if quoted is not None else ""):
        if "/" in text:
            return text.rstrip("/").rpartition("/")[2]
    return ""


def place_of(device: ConfiguredDevice) -> str:
    """Give what two devices have in common only when they are the same: line and address."""
    return f"{device.driver.connection(device.settings)} {device.driver.address(device.settings)}"


def entry_fields(found: Found, name: str, profile: str) -> dict[str, Any]:
    """Give the fields of a found device in gateway.yaml, in the order in which people read them."""
    fields: dict[str, Any] = {"name": name, "protocol": found.protocol}
    if profile:
        fields["profile"] = profile
    told = {k: v for k, v in found.settings.items() if k not in {"name", "protocol", "profile"}}
    if profile:
        told = {k: v for k, v in told.items() if k not in {"vendor", "model"}}
    fields |= {key: harmless(str(v)) if key in FOR_PEOPLE else v for key, v in told.items()}
    if found.identity:
        fields["device_identity"] = harmless(found.identity, MAX_IDENTITY)
    if not profile and found.points:
        fields["points"] = [dict(point) for point in found.points]
    return fields


def marked(value: Any) -> Marked:
    """Dress plain values as if they had been read from a file."""
    if isinstance(value, dict):
        return Marked({key: marked(inner) for key, inner in value.items()}, _HERE)
    if isinstance(value, list | tuple):
        return Marked([marked(inner) for inner in value], _HERE)
    return Marked(value, _HERE)
