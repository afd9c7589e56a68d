import struct

import pytest
from pymodbus.pdu import ExceptionResponse

from components.modbus.errors import ExceptionAnswerError, UnitSilentError, WrongAnswerError
from components.modbus.frames import RAW_ANSWERS, checked, data_of, is_frame, skip_late, unit_of
from simulators.modbus.faults import frame


def raw(function, data):
    answer = next(cls for cls in RAW_ANSWERS if cls.function_code == function)()
    answer.decode(data)
    return answer


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (frame(1, 1, b"\x03\x02\x00\x07"), True),
        (frame(1, 1, b"\x83\x02"), True),
        (frame(1, 1, b"\x03\x02\x00\x07")[:5], True),
        (b"HTTP/1.1 400", False),
        (struct.pack(">HHHBB", 1, 0, 2, 1, 3), False),
        (struct.pack(">HHHBB", 1, 0, 255, 1, 3), False),
        (frame(1, 1, b"\x2c\x0e\x01"), False),
    ],
)
def test_bytes_are_told_from_frames(data, is_one):
    assert is_frame(data) is is_one


def test_late_answers_are_skipped():
    late, wanted = frame(1, 1, b"\x03\x02\x00\x01"), frame(2, 1, b"\x03\x02\x00\x02")
    assert skip_late(late + wanted, 2) == wanted
    assert skip_late(late + late, 2) == b""
    assert skip_late(late[:9], 2) == late[:9]


def test_unit_is_read_as_soon_as_it_is_there():
    assert unit_of(frame(1, 9, b"\x83\x02")) == 9
    assert unit_of(b"\0\1\0\0\0\3") is None


def test_exception_answer_is_raised():
    with pytest.raises(ExceptionAnswerError, match="0x02"):
        checked(ExceptionResponse(3, 2), 3, "unit 1")


@pytest.mark.parametrize("code", [0x0A, 0x0B])
def test_exception_of_a_gateway_means_that_the_unit_is_not_there(code):
    with pytest.raises(UnitSilentError, match="gateway"):
        checked(ExceptionResponse(3, code), 3, "unit 1")


def test_answer_to_another_function_is_wrong():
    with pytest.raises(WrongAnswerError, match="function 4 when asked for 3"):
        checked(raw(4, b"\2\0\0"), 3, "unit 1")


@pytest.mark.parametrize("answer", [b"", b"\4\0\1", b"\2\0\1", b"\4\0\1\0\2\0"])
def test_answer_of_another_length_is_wrong(answer):
    with pytest.raises(WrongAnswerError, match="when asked for 4"):
        data_of(answer, 4, "unit 1")


def test_answer_text_stays_short():
    assert str(raw(3, bytes(251))) == "RawAnswer3(251 bytes)"
