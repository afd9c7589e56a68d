"""Read a device profile with its points as its driver understands them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.errors import SettingsError
from edge_runtime.marked_yaml import Marked, read_marked
from edge_runtime.model import Point
from edge_runtime.profiles.loader import ProfileHead
from edge_runtime.settings import FindDriver
from edge_runtime.validation import Findings
from tidegate.profiles.columns import point_type

HINT = "mend the file and run 'tidegate edge profile check' again"


@dataclass(frozen=True, slots=True)
class CheckedProfile:
    """A profile that can be used."""

    head: ProfileHead
    fields: dict[str, Any]
    """The head as it stands in the file, points left out."""
    points: tuple[Point, ...]


def read_profile(path: Path, find_driver: FindDriver) -> CheckedProfile:
    """Read one profile.

    Raises:
        FileProblemsError: a :class:`SettingsError` with everything that is wrong in it.

    """
    tree = read_marked(path)
    findings = Findings()
    head = findings.model(ProfileHead, tree, ())
    findings.done(hint=HINT)
    assert head is not None
    if head.profile != path.stem:
        text = f"found '{head.profile}'; the file's name asks for '{path.stem}'"
        findings.add(tree.at(("profile",)), ("profile",), text)
    points = _points(tree, head, find_driver, findings)
    findings.done(hint=HINT)
    fields = {key: node.plain() for key, node in tree.entries().items() if key != "points"}
    return CheckedProfile(head, fields, tuple(points))


def _points(
    tree: Marked, head: ProfileHead, find_driver: FindDriver, findings: Findings
) -> list[Point]:
    try:
        driver = find_driver(head.protocol)
    except SettingsError as exc:
        findings.add(tree.at(("protocol",)), ("protocol",), f"{exc}. {exc.hint}")
        return []
    for key, node in (tree.entries().get("defaults") or tree).entries().items():
        if "defaults" in tree.entries() and key not in driver.settings.model_fields:
            findings.add(node, ("defaults", key), f"unknown setting of '{head.protocol}'")
    kind, points, lines = point_type(driver), [], dict[str, int]()
    for index, node in enumerate(tree.entries()["points"].items()):
        point = findings.model(kind, node, ("points", index))
        if point is None:
            continue
        if point.name in lines:
            text = f"the name '{point.name}' stands in line {lines[point.name]} already"
            findings.add(node.at(("name",)), ("points", index, "name"), text)
        lines[point.name] = node.mark.line
        points.append(point)
    for index, point in enumerate(points):
        if point.scale_point is not None and point.scale_point not in lines:
            text = f"there is no point '{point.scale_point}'"
            findings.add(tree, ("points", index, "scale_point"), text)
    return points
