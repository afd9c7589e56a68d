from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

import edge_runtime.profiles
from components.sunspec.resolving import describe
from components.sunspec.settings import Point, Settings
from edge_runtime.model import Access, PointKind

FOLDER = Path(next(iter(edge_runtime.profiles.__path__)))


def point(**fields):
    return Point(name="point", **fields)


def test_point_takes_what_its_model_says():
    power = point(model=103, field="W")
    assert (power.kind, power.unit, power.description) == (PointKind.FLOAT, "W", "Watts")
    state = point(model=103, field="St")
    assert state.kind is PointKind.ENUMERATION
    assert state.labels[4] == "MPPT"
    limit = point(model=123, field="WMaxLimPct")
    assert (limit.unit, limit.access) == ("%", Access.READ_WRITE)


def test_what_the_file_says_wins():
    own = point(model=103, field="W", unit="kW", kind="integer", description="Mine")
    assert (own.unit, own.kind, own.description) == ("kW", PointKind.INTEGER, "Mine")


def test_flag_is_a_bit_with_a_name():
    hot = point(model=103, field="Evt1", flag="OVER_TEMP")
    assert (hot.bit, hot.kind) == (7, PointKind.BOOLEAN)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"model": 99, "field": "W"}, "no SunSpec model 99"),
        ({"model": 103, "field": "Watt"}, "no field 'Watt'; it has A, AphA"),
        ({"model": 103, "field": "Evt1", "flag": "HOT"}, "no flag 'HOT'; it has GROUND_FAULT"),
        ({"model": 103, "field": "W", "index": 1}, "takes no 'index'"),
        ({"model": 160, "field": "DCW"}, "one 'index' for each of module"),
        ({"model": 705, "field": "Crv.Pt.V", "index": 1}, "for each of Crv, Pt"),
        ({"model": 160, "field": "DCW", "index": 0}, "counts from 1"),
        ({"model": 103, "field": "St", "bit": 1}, "only bit fields"),
        ({"model": 704, "field": "PF"}, "ambiguous"),
        ({"model": "x", "field": "W"}, "model"),
        ({"field": "W"}, "model"),
    ],
)
def test_point_that_is_nowhere_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        point(**fields)


def test_field_longer_than_an_answer_is_refused():
    with pytest.raises(ValidationError, match="takes 16 registers"):
        Settings(
            name="device", host="a", max_registers=8,
            points=[{"name": "serial", "model": 1, "field": "SN"}],
        )  # fmt: skip


def test_plan_is_one_request_a_model_and_hides_scale_factors():
    points = [
        {"name": "power", "model": 103, "field": "W"},
        {"name": "state", "model": 103, "field": "St"},
        {"name": "string", "model": 160, "field": "DCW", "index": 2},
    ]
    settings = Settings(name="device", host="a", points=points)
    plans = describe(settings, ["power", "state", "string"])
    assert [plan.points for plan in plans] == [("power", "state"), ("string",)]


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(FOLDER.glob("*.yaml")) if "protocol: sunspec" in p.read_text()],
    ids=lambda path: path.stem,
)
def test_profile_fits_the_settings(path):
    profile = yaml.safe_load(path.read_text())
    settings = Settings(name="a", host="b", points=profile["points"], **profile["defaults"])
    assert len({p.name for p in settings.points}) == len(settings.points)
