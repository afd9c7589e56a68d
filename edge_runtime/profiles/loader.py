"""Find a device profile by its name and merge it below a device's own settings.

A profile lies in ``<name>.yaml``; folders of the site come before the built-in one, so that a site
can mend a map without waiting for a release.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge_runtime.marked_yaml import Loc, Mark, Marked
from edge_runtime.names import NAME
from edge_runtime.problems import suggestion
from edge_runtime.validation import Findings


class Identification(BaseModel):
    """What a device says of itself when it is this product.

    Upper and lower case, blanks and punctuation do not count; ``*`` stands for anything. Every text
    that is given has to fit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vendor: str = Field(default="", max_length=100)
    model: str = Field(default="", max_length=100)
    title: str = Field(default="", max_length=200)
    """The line for people that a scan shows."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.vendor or self.model or self.title):
            msg = "needs at least one of vendor, model and title"
            raise ValueError(msg)
        return self


class ProfileHead(BaseModel):
    """What a profile says about itself; its points are checked by the driver's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field(pattern=NAME, max_length=63)
    title: str = Field(max_length=200)
    vendor: str = Field(max_length=100)
    model: str = Field(max_length=100)
    protocol: str
    document: str = Field(min_length=1, max_length=500)
    """Where the map comes from."""
    evidence: Literal["from documentation", "tried on hardware"]
    matches: tuple[Identification, ...] = Field(default=(), max_length=32)
    """By what a scan recognises the product, besides vendor and model as they stand above."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    points: list[Any] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as it was read: its head, and its points with their lines."""

    head: ProfileHead
    tree: Marked


def built_in_folder() -> Path:
    """Give the folder of the profiles that are always there."""
    return Path(str(resources.files("edge_runtime.profiles")))


class Profiles:
    """The profiles of some folders, read when they are asked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = (*folders, built_in_folder())
        self._read: dict[str, Profile | None] = {}

    def names(self) -> list[str]:
        """Name all profiles."""
        return sorted({path.stem for folder in self._folders for path in folder.glob("*.yaml")})

    def for_protocol(self, protocol: str, findings: Findings) -> list[Profile]:
        """Read all profiles of a protocol; one that cannot be used is noted and left out."""
        nowhere = Marked(None, Mark("", 0, 0))
        found = [self.find(name, findings, nowhere, ()) for name in self.names()]
        return [p for p in found if p is not None and p.head.protocol == protocol]

    def find(self, name: str, findings: Findings, node: Marked, loc: Loc) -> Profile | None:
        """Read a profile, or note why it cannot be used; ``node`` is where it is asked for."""
        if name in self._read:
            return self._read[name]
        self._read[name] = None
        for folder in self._folders:
            path = folder / f"{name}.yaml"
            if name in self.names() and path.is_file():
                self._read[name] = _load(path, findings)
                return self._read[name]
        near = suggestion(name, self.names()) or f"; known are {', '.join(self.names()) or 'none'}"
        places = ", ".join(str(folder) for folder in self._folders)
        findings.add(node, loc, f"no profile '{name}'{near} (looked in {places})")
        return None


def _load(path: Path, findings: Findings) -> Profile | None:
    tree = findings.read(path)
    head = findings.model(ProfileHead, tree, ()) if tree is not None else None
    if tree is None or head is None:
        return None
    if head.profile != path.stem:
        text = f"found '{head.profile}'; the file's name asks for '{path.stem}'"
        findings.add(tree.at(("profile",)), ("profile",), text)
        return None
    return Profile(head, tree)


def merge(profile: Profile, device: Marked) -> Marked:
    """Lay a device's own fields over its profile.

    Points are joined by name: a field that the device gives for a point wins over the profile's,
    and a point that the profile does not know is added.
    """
    head, mark = profile.head, device.mark
    defaults = profile.tree.entries().get("defaults")
    fields: dict[str, Marked] = {
        "vendor": Marked(head.vendor, mark),
        "model": Marked(head.model, mark),
        "description": Marked(head.title, mark),
        **(defaults.entries() if defaults is not None else {}),
        **device.entries(),
    }
    own = device.entries().get("points")
    points = profile.tree.entries()["points"]
    fields["points"] = points if own is None else _join(points, own)
    return Marked(fields, mark)


def _join(points: Marked, own: Marked) -> Marked:
    if not isinstance(own.value, list):
        return own
    joined = {point.text("name"): point for point in points.items()}
    for index, point in enumerate(own.items()):
        name = point.text("name") or f"#{index}"
        below = joined[name].entries() if name in joined else {}
        fields = {**below, **point.entries()}
        joined[name] = Marked(fields, point.mark) if point.entries() else point
    return Marked(list(joined.values()), own.mark)
