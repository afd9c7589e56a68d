import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.modbus.identification import Identity, parse


def answer(*objects, kind=14):
    body = b"".join(bytes([number, len(text)]) + text for number, text in objects)
    return bytes([kind, 1, 1, 0, 0, len(objects)]) + body


def test_basic_objects_are_read():
    data = answer((0, b"Acme"), (1, b"Flow 100"), (2, b"V2.1"))
    assert parse(data) == Identity("Acme", "Flow 100", "V2.1")
    assert parse(data).title == "Acme Flow 100 V2.1"


def test_objects_are_read_as_far_as_they_go():
    data = answer((0, b"Acme"), (1, b"Flow 100"))
    assert parse(data[:-3]) == Identity("Acme")


def test_text_of_a_stranger_is_made_printable_and_short():
    identity = parse(answer((0, b"A\x00\x1b[31mB\xff"), (1, b"x" * 200)))
    assert identity.vendor == "A[31mB\ufffd"
    assert len(identity.product) == 100


@pytest.mark.parametrize("data", [b"", b"\x0e\x01", answer((0, b"A"), kind=13), answer()])
def test_what_is_no_identification_is_none(data):
    assert parse(data) is None


@given(st.binary(max_size=250))
def test_nothing_breaks_it(data):
    parse(b"\x0e" + data)
