import pytest

from components.modbus.errors import WrongAnswerError
from components.modbus.settings import Point, Settings
from components.modbus.writing import check_echo, write_request
from edge_runtime.errors import DeviceRefusedError


def request(value, **fields):
    point = Point(name="a", address=4, **fields)
    return write_request(Settings(name="device", host="h", unit=3, points=[point]), point, value)


@pytest.mark.parametrize(
    ("fields", "value", "function", "data"),
    [
        ({"table": "coil"}, True, 5, "0004ff00"),
        ({"table": "coil"}, 0, 5, "00040000"),
        ({"type": "int16"}, -2, 6, "0004fffe"),
        ({"type": "uint32"}, 0x10002, 16, "000400020400010002"),
        ({"type": "uint32", "word_order": "CDAB"}, 0x10002, 16, "000400020400020001"),
    ],
)
def test_function_follows_from_table_and_size(fields, value, function, data):
    pdu = request(value, **fields)
    assert (pdu.function_code, pdu.dev_id, pdu.encode().hex()) == (function, 3, data)


@pytest.mark.parametrize(
    ("fields", "value", "complaint"),
    [
        ({"table": "input"}, 1, "read-only"),
        ({"table": "discrete"}, 1, "read-only"),
        ({"bit": 2}, True, "one bit of a register"),
        ({"type": "uint16"}, 70_000, "does not fit"),
        ({"type": "uint16"}, "x", "whole number"),
    ],
)
def test_what_cannot_be_written_is_refused(fields, value, complaint):
    with pytest.raises(DeviceRefusedError, match=complaint):
        request(value, **fields)


def test_answer_has_to_repeat_the_request():
    pdu = request(7)
    check_echo(pdu, bytes.fromhex("00040007"), "unit 3")
    with pytest.raises(WrongAnswerError, match="00 04 00 08"):
        check_echo(pdu, bytes.fromhex("00040008"), "unit 3")
