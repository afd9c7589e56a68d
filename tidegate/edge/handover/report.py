"""What a hand-over report says, as data: the same that its page shows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from edge_runtime.profiles.loader import ProfileHead, Profiles
from edge_runtime.settings import ConfiguredDevice, GatewaySettings
from edge_runtime.validation import Findings
from tidegate.edge.foreign_text import harmless
from tidegate.edge.handover.checks import Check, Progress, Verdict, count, current_checks
from tidegate.edge.proposing import marked

FORMAT = "tidegate-hand-over/1"


class People(msgspec.Struct, frozen=True):
    """Who hands over what to whom."""

    by: str
    customer: str = ""
    site: str = ""
    note: str = ""


class SignedBy(msgspec.Struct, frozen=True):
    """The key under the report."""

    kind: str
    """``gateway``: the key that the gateway is enrolled with. ``commissioning``: one made for this."""
    fingerprint: str
    """SHA-256 of the public key (SubjectPublicKeyInfo), hex."""
    gateway_id: str = ""
    """By which the cloud knows the gateway; empty before enrolment."""


class DeviceInReport(msgspec.Struct, frozen=True):
    """One device and where its points come from."""

    name: str
    title: str
    protocol: str
    address: str
    identity: str
    profile: str
    document: str
    """Where the profile's map comes from; empty where the points stand in gateway.yaml."""
    evidence: str
    checks: list[Check]


class Report(msgspec.Struct, frozen=True):
    """Everything in a report."""

    format: str
    gateway: str
    people: People
    made_at: str
    """ISO 8601, UTC."""
    begun_at: str
    software: str
    signed_by: SignedBy
    counts: dict[str, int]
    devices: list[DeviceInReport]

    @property
    def checks(self) -> list[Check]:
        """Every check."""
        return [check for device in self.devices for check in device.checks]


def make_report(
    settings: GatewaySettings,
    devices: Sequence[ConfiguredDevice],
    progress: Progress,
    people: People,
    signed_by: SignedBy,
    *,
    now_us: int,
    software: str,
) -> Report:
    """Put together what is known of these devices."""
    heads = profile_heads(settings, devices)
    parts = [_device(device, heads, progress) for device in devices]
    return Report(
        format=FORMAT,
        gateway=settings.name,
        people=People(*(harmless(text) for text in msgspec.structs.astuple(people))),
        made_at=iso(now_us),
        begun_at=iso(progress.begun_us),
        software=software,
        signed_by=signed_by,
        counts=count(check for part in parts for check in part.checks),
        devices=parts,
    )


def profile_heads(
    settings: GatewaySettings, devices: Sequence[ConfiguredDevice]
) -> dict[str, ProfileHead]:
    """Read what the devices' profiles say of themselves."""
    profiles, findings = Profiles(settings.profiles), Findings()
    names = {d.settings.profile for d in devices} - {""}
    found = {name: profiles.find(name, findings, marked(None), ()) for name in names}
    return {name: profile.head for name, profile in found.items() if profile is not None}


def problems_left(report: Report) -> list[Check]:
    """Give what was not accepted, and what was accepted though its quality is not good."""
    return [c for c in report.checks if c.verdict is not Verdict.ACCEPTED or c.quality != "good"]


def iso(time_us: int) -> str:
    """Write a time as ISO 8601 in UTC, to the second."""
    return f"{datetime.fromtimestamp(time_us / 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _device(
    device: ConfiguredDevice, heads: Mapping[str, ProfileHead], progress: Progress
) -> DeviceInReport:
    settings = device.settings
    head = heads.get(settings.profile)
    product = " ".join(part for part in (settings.vendor, settings.model) if part)
    return DeviceInReport(
        name=settings.name,
        title=harmless(product or settings.description),
        protocol=device.driver.protocol,
        address=device.driver.address(settings),
        identity=settings.device_identity,
        profile=settings.profile,
        document=head.document if head is not None else "",
        evidence=head.evidence if head is not None else "",
        checks=current_checks([device], progress),
    )
