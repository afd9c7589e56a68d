"""The points of a BACnet profile as an EDE file and its file of state texts, for other tools."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from components.bacnet.ede import COLUMNS
from components.bacnet.settings import Point, is_value, ref_of
from components.bacnet.units import PERCENT, UCUM
from edge_runtime.errors import SettingsError
from edge_runtime.model import Access
from tidegate.profiles.checking import CheckedProfile

LAYOUT = "2.3"
HINT = "An EDE file lists BACnet objects; export other profiles as .csv or .xlsx."


def write_ede(profile: CheckedProfile, device: int) -> tuple[bytes, bytes]:
    """Give the EDE file and the file of state texts; points that are no present value are left out.

    Raises:
        SettingsError: the profile is not for BACnet.

    """
    points = [p for p in profile.points if isinstance(p, Point) and is_value(ref_of(p))]
    if not points:
        msg = f"'{profile.head.profile}' is for {profile.head.protocol}, not for bacnet"
        raise SettingsError(msg, hint=HINT)
    codes = {unit: code for code, unit in reversed(UCUM.items()) if unit} | {"%": PERCENT}
    references = {p.name: number for number, p in enumerate(_labelled(points), start=1)}
    rows = [
        ["# Engineering-Data-Exchange - B.I.G.-EU"],
        ["PROJECT_NAME", profile.head.profile],
        ["VERSION_OF_REFERENCEFILE", "1"],
        ["TIMESTAMP_OF_LAST_CHANGE", datetime.now(UTC).strftime("%Y-%m-%d")],
        ["AUTHOR_OF_LAST_CHANGE", "Tidegate"],
        ["VERSION_OF_LAYOUT", LAYOUT],
        [f"# {COLUMNS[0]}", *COLUMNS[1:]],
        *(_row(point, device, codes, references) for point in points),
    ]
    texts = [
        ["#State Text Reference"],
        *([str(references[p.name]), *_texts(p)] for p in _labelled(points)),
    ]
    return _csv(rows), _csv(texts)


def _labelled(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.labels]


def _texts(point: Point) -> list[str]:
    """States count from 1; those without a text keep their place."""
    return [point.labels.get(state, "") for state in range(1, max(point.labels) + 1)]


def _row(point: Point, device: int, codes: dict[str, int], references: dict[str, int]) -> list[str]:
    kind, instance = ref_of(point).object
    settable = point.access is not Access.READ
    cells = {
        "keyname": point.name,
        "device obj.-instance": str(device),
        "object-name": point.name,
        "object-type": str(kind),
        "object-instance": str(instance),
        "description": point.description,
        "min-present-value": "" if point.minimum is None else f"{point.minimum:g}",
        "max-present-value": "" if point.maximum is None else f"{point.maximum:g}",
        "settable": "Y" if settable else "N",
        "supports cov": "N" if point.cov is False else "Y",
        "state-text-reference": str(references.get(point.name, "")),
        "unit-code": str(codes.get(point.unit, "")) if point.unit else "",
    }
    return [cells.get(column, "") for column in COLUMNS]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")
