"""The profiles of a folder, usable or not."""

from pathlib import Path

import msgspec

from edge_runtime.errors import SettingsError
from edge_runtime.settings import FindDriver
from tidegate.profiles.checking import read_profile


class ListedProfile(msgspec.Struct, frozen=True):
    """One profile; ``problem`` says why it cannot be used."""

    name: str
    file: str
    protocol: str = ""
    title: str = ""
    vendor: str = ""
    model: str = ""
    points: int = 0
    evidence: str = ""
    document: str = ""
    problem: str = ""


def list_folder(folder: Path, find_driver: FindDriver) -> list[ListedProfile]:
    """List a folder by name."""
    return [_listed(path, find_driver) for path in sorted(folder.glob("*.yaml"))]


def _listed(path: Path, find_driver: FindDriver) -> ListedProfile:
    try:
        profile = read_profile(path, find_driver)
    except SettingsError as exc:
        return ListedProfile(path.stem, str(path), problem=str(exc).partition("\n")[0])
    head = profile.head
    return ListedProfile(
        name=head.profile,
        file=str(path),
        protocol=head.protocol,
        title=head.title,
        vendor=head.vendor,
        model=head.model,
        points=len(profile.points),
        evidence=head.evidence,
        document=head.document,
    )
