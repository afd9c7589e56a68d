import pytest

from edge_runtime.driver import DeviceSettings
from edge_runtime.model import Point


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "enumeration"}, "needs 'labels'"),
        ({"minimum": 2, "maximum": 1}, "above maximum"),
        ({"scale": 0}, "scale 0"),
    ],
)
def test_a_point_that_contradicts_itself_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        DeviceSettings(name="d", points=[{"name": "p", **fields}])


def test_a_device_needs_a_point():
    with pytest.raises(ValueError, match="at least 1"):
        DeviceSettings(name="d", points=[])


def test_points_are_named_in_lower_case():
    with pytest.raises(ValueError, match="pattern"):
        Point(name="Level")
