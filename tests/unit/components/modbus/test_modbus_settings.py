import pytest
from pydantic import ValidationError

from components.modbus.settings import Point, Settings

DEVICE = {"name": "meter", "host": "10.0.0.7"}


def test_a_register_is_uint16_by_default():
    point = Point(name="a", address=0)
    assert (point.register_type, point.size) == ("uint16", 1)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"table": "coil", "type": "int16"}, "is one bit"),
        ({"table": "discrete", "bit": 3}, "is one bit"),
        ({"type": "string"}, "'length'"),
        ({"type": "int16", "length": 2}, "'length'"),
        ({"type": "uint16", "bit": 16}, "bit 16 does not exist"),
        ({"type": "float32", "bit": 0}, "bit 0 does not exist"),
        ({"address": 65_535, "type": "int32"}, "pass the end"),
        ({"type": "string", "length": 2, "encoding": "klingon"}, "no text encoding"),
        ({"word_order": "ACBD"}, "word_order"),
        ({"adress": 4}, "adress"),
    ],
)
def test_point_that_cannot_be_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Point(**{"name": "a", "address": 0, **fields})


def test_point_longer_than_the_device_gives_is_refused():
    with pytest.raises(ValidationError, match="takes 2 registers, the device gives 1"):
        Settings(**DEVICE, max_registers=1, points=[{"name": "a", "address": 0, "type": "float32"}])


def test_point_in_an_unreadable_range_is_refused():
    hole = {"table": "holding", "first": 4, "last": 9}
    with pytest.raises(ValidationError, match="unreadable range 4 to 9"):
        Settings(**DEVICE, unreadable=[hole], points=[{"name": "a", "address": 9}])


def test_unreadable_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="first 9 is above last 4"):
        Settings(
            **DEVICE,
            unreadable=[{"table": "input", "first": 9, "last": 4}],
            points=[{"name": "a", "address": 0}],
        )
