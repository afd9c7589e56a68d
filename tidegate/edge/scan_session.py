"""One scan from looking to saving: what was found, what is proposed, what was picked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from components.drivers import find_driver
from edge_runtime.clock import Clock
from edge_runtime.discovery import ScanTarget
from edge_runtime.driver import Driver
from edge_runtime.errors import SettingsError
from edge_runtime.profiles.loader import Profile, Profiles
from edge_runtime.settings import ConfiguredDevice, FindDriver, load_settings
from edge_runtime.validation import Findings
from tidegate.edge.entries import add_devices, entry_text
from tidegate.edge.proposing import Proposed, Proposer
from tidegate.edge.scanning import Report, Scanned, scan


class Session:
    """A scan with these drivers, for one gateway's file or for none."""

    def __init__(
        self,
        drivers: Sequence[Driver],
        proposer: Proposer,
        into: Path | None,
        find: FindDriver,
        notes: Sequence[str] = (),
    ) -> None:
        self._drivers = drivers
        self._proposer = proposer
        self._into = into
        self._find = find
        self.scanned = Scanned([], 0, True, [])
        self.proposals: list[Proposed] = []
        self.picked: list[Proposed] = []
        self.notes = list(notes)
        self.backup: Path | None = None

    async def scan(self, target: ScanTarget, report: Report) -> None:
        """Look for devices.

        Raises:
            SettingsError: no driver understands the targets.

        """
        self.scanned = await scan(self._drivers, target, report)

    async def propose(self, report: Callable[[str], None]) -> None:
        """Make a proposal of everything that was found, with live values."""
        for found in self.scanned.found:
            report(found.address)
            self.proposals.append(await self._proposer.propose(found))

    async def pick(self, numbers: Mapping[int, str]) -> None:
        """Take these proposals, counted from 1; where a profile is named, with that one.

        Raises:
            SettingsError: one of them cannot be added.

        """
        self.picked = []
        for number, profile in numbers.items():
            proposal = self.proposals[number - 1]
            if profile and not proposal.known_as:
                found = self.scanned.found[number - 1]
                proposal = await self._proposer.with_profile(found, profile)
                self.proposals[number - 1] = proposal
            if not proposal.addable:
                msg = f"{number}. {proposal.address} cannot be added: {_why_not(proposal)}"
                raise SettingsError(msg)
            self.picked.append(proposal)

    def text(self) -> str:
        """Give what would be added."""
        return "".join(entry_text(p.fields, comment=comment_of(p)) for p in self.picked)

    def save(self) -> None:
        """Add what was picked to the gateway's file.

        Raises:
            SettingsError: the file cannot be used with it; it is as it was.

        """
        assert self._into is not None
        self.backup = add_devices(
            self._into,
            [(p.fields, comment_of(p)) for p in self.picked],
            self._find,
        )

    def as_json(self) -> dict[str, Any]:
        """Give everything for a program; described in docs/commissioning.md."""
        return {
            "requests": self.scanned.requests,
            "complete": self.scanned.complete,
            "found": [
                {"number": n, **msgspec.to_builtins(p), "addable": p.addable, "sound": p.sound}
                for n, p in enumerate(self.proposals, 1)
            ],
            "skipped": self.scanned.skipped,
            "notes": self.notes,
            "added": [p.name for p in self.picked] if self.backup is not None else [],
            "would_add": self.text(),
            "backup": str(self.backup) if self.backup is not None else "",
        }


def open_session(
    drivers: Sequence[Driver],
    into: Path | None,
    clock: Clock,
    profile: str = "",
    *,
    find: FindDriver = find_driver,
) -> Session:
    """Begin a scan; what stands in the gateway's file already will be recognised.

    Raises:
        SettingsError: the gateway's file cannot be used, or there is no such profile.

    """
    known: Sequence[ConfiguredDevice] = ()
    folders: Sequence[Path] = ()
    if into is not None:
        settings = load_settings(into, find)
        known, folders = settings.devices, settings.profiles
    findings, profiles = Findings(), Profiles(folders)
    usable: list[Profile] = []
    for driver in drivers:
        usable += profiles.for_protocol(driver.protocol, findings)
    if profile and profile not in {p.head.profile for p in usable}:
        msg = f"no profile '{profile}' for {', '.join(d.protocol for d in drivers)}"
        raise SettingsError(msg)
    proposer = Proposer(drivers, usable, known, clock, fallback_profile=profile)
    return Session(drivers, proposer, into, find, [str(p) for p in findings.problems])


def comment_of(proposal: Proposed) -> str:
    """Say in the file where an entry comes from."""
    when = f"{datetime.now().astimezone():%Y-%m-%d}"
    return f"Found {when} by a scan at {proposal.address}: {proposal.title}".rstrip(": ")


def _why_not(proposal: Proposed) -> str:
    if proposal.known_as:
        return f"it is '{proposal.known_as}' of the file already"
    return "; ".join(proposal.notes) or "neither a profile nor points are known"
