"""Tags to bytes and back, and bytes of anybody."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.bacnet import wire
from components.bacnet.wire import DamagedError, read_tags


def test_application_tag_is_read():
    [tag] = read_tags(bytes.fromhex("4441aa6666"))
    assert (tag.context, tag.number, tag.value, tag.data.hex()) == (False, 4, 4, "41aa6666")


def test_boolean_has_its_value_in_the_length():
    assert [tag.value for tag in read_tags(wire.boolean(True) + wire.boolean(False))] == [1, 0]


def test_structure_is_found_with_its_end():
    tags = read_tags(wire.inside(1, wire.inside(2, wire.put(2, b"\1")) + wire.put(2, b"\2")))
    assert tags[0].opens(1)
    assert wire.structure(tags, 0) == len(tags) - 1


def test_numbers_and_lengths_beyond_the_first_byte():
    [tag] = read_tags(b"\xfd\x20\xfe\x01\x00" + bytes(256))
    assert (tag.context, tag.number, len(tag.data)) == (True, 32, 256)


@pytest.mark.parametrize("size", [0, 4, 5, 253, 254, 300])
def test_contents_of_any_length_come_back(size):
    [tag] = read_tags(wire.put(6, bytes(size)))
    assert tag.data == bytes(size)


@pytest.mark.parametrize(
    "data",
    ["44", "4441", "75", "75fe01", "75ff000000", "1f", "0e", "2e2f3e", "46", "07", "4e" * 17],
)
def test_damaged_bytes_are_refused(data):
    with pytest.raises(DamagedError):
        read_tags(bytes.fromhex(data))


def test_structure_that_another_closes_is_refused():
    tags = read_tags(bytes.fromhex("0e1f"))
    with pytest.raises(DamagedError):
        wire.structure(tags, 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_come_back(value):
    data = wire.signed_bytes(value)
    assert int.from_bytes(data, signed=True) == value
    assert len(data) == 1 or int.from_bytes(data[1:], signed=True) != value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with suppress(DamagedError):
        assert all(0 <= tag.number <= 255 for tag in read_tags(data))
