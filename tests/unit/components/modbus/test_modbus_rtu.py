import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu.bit_message import ReadCoilsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, WriteSingleRegisterRequest

from components.modbus.errors import WrongAnswerError
from components.modbus.rtu import RtuFraming, frames_in, length_at, shape_of, with_checksum
from simulators.modbus.faulty_rtu import checksum, sealed


def read(unit=1, address=0, count=2):
    return ReadHoldingRegistersRequest(address=address, count=count, dev_id=unit)


def answer(*words, unit=1, function=3):
    data = b"".join(word.to_bytes(2, "big") for word in words)
    return sealed(bytes([unit, function, len(data)]) + data)


@pytest.fixture
def framing():
    framing = RtuFraming("/dev/ttyX")
    framing.ask(read())
    framing.note_sent(sealed(b"\x01\x03\x00\x00\x00\x02"))
    return framing


@given(st.binary(min_size=1, max_size=40))
def test_checksum_is_that_of_the_standard(data):
    assert with_checksum(data) == data + checksum(data)


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"\x01\x03", None),
        (b"\x01\x03\x04", 9),
        (b"\x01\x83\x02", 5),
        (b"\x01\x06\x00", 8),
        (b"\x01\x10\x00", 8),
        (b"\x01\x03\x00", 0),
        (b"\x01\x03\xff", 0),
        (b"\x01\x07\x00", 0),
        (b"\x01\x2b\x0e\x01\x01\x00\x00", None),
        (b"\x01\x2b\x0e\x01\x01\x00\x00\x01\x00", None),
        (b"\x01\x2b\x0e\x01\x01\x00\x00\x01\x00\x03", 15),
        (b"\x01\x2b\x0e\x01\x01\x00\x00\x01\x00\xff", 0),
    ],
)
def test_length_is_known_from_the_head(data, length):
    assert length_at(data) == length


def test_frames_are_found_between_noise():
    data = b"\xff\x00" + answer(1, 2) + b"\x01" + answer(3, unit=2) + b"\x01\x03"
    assert [(frame.unit, frame.data) for frame in frames_in(data)] == [
        (1, answer(1, 2)),
        (2, answer(3, unit=2)),
    ]


@given(st.binary(max_size=300))
def test_nothing_on_the_line_breaks_the_search(data):
    framing = RtuFraming("/dev/ttyX")
    framing.ask(read())
    fresh = framing.sift(data).fresh
    assert not fresh or fresh[0] == 1
    framing.silence(data)


def test_answer_is_awaited_until_it_is_whole(framing):
    whole = answer(1, 2)
    for end in range(len(whole)):
        assert framing.sift(whole[:end]) == (b"", None, whole[:end])
    assert framing.sift(whole).fresh == whole


def test_exception_is_an_answer(framing):
    assert framing.sift(sealed(b"\x01\x83\x02")).fresh == sealed(b"\x01\x83\x02")


def test_damaged_answer_is_wrong_at_once(framing):
    assert isinstance(framing.sift(answer(1, 2)[:-1] + b"?").trouble, WrongAnswerError)


def test_shorter_answer_is_given_on_to_be_complained_about(framing):
    assert framing.sift(answer(1)).fresh == answer(1)


def test_answer_of_a_shape_that_is_owed_is_skipped(framing):
    framing.note_timeout()
    framing.ask(read(count=1))
    assert framing.sift(answer(1, 2)).fresh == b""
    assert framing.sift(answer(1, 2) + answer(7)).fresh == answer(7)


def test_echo_of_a_read_is_taken_away(framing):
    echo = sealed(b"\x01\x03\x00\x00\x00\x02")
    assert framing.sift(echo + answer(1, 2)).fresh == answer(1, 2)


@pytest.mark.parametrize("echoes", [True, False])
def test_write_is_confirmed_by_what_looks_like_an_echo_only_where_none_is_known(framing, echoes):
    if echoes:
        framing.sift(sealed(b"\x01\x03\x00\x00\x00\x02"))
    write = sealed(b"\x01\x06\x00\x05\x00\x07")
    framing.ask(WriteSingleRegisterRequest(address=5, registers=[7], dev_id=1))
    framing.note_sent(write)
    assert bool(framing.sift(write).fresh) is not echoes
    assert framing.sift(write + write).fresh == write


def test_other_unit_and_noise_are_told(framing):
    assert "unit 7 answered instead" in framing.silence(answer(1, 2, unit=7))
    assert "3 bytes" in framing.silence(b"abc")
    assert framing.silence(b"") == ""


# --- late answers -------------------------------------------------------------------------------


def test_request_whose_answer_could_be_mistaken_is_preceded_by_another(framing):
    framing.note_timeout()
    doubt = framing.doubts(read(address=9))
    assert (doubt.address, doubt.count, doubt.dev_id) == (9, 1, 1)
    assert framing.doubts(read(count=3)) is None
    assert framing.doubts(read(unit=2)) is None


@pytest.mark.parametrize(("count", "instead"), [(1, 9), (8, 9), (9, 1), (100, 1)])
def test_request_for_bits_is_preceded_by_one_of_another_size(count, instead):
    framing = RtuFraming("/dev/ttyX")
    request = ReadCoilsRequest(address=0, count=count, dev_id=1)
    framing.ask(request)
    framing.note_timeout()
    doubt = framing.doubts(request)
    assert doubt.count == instead
    assert shape_of(doubt) != shape_of(request)


def test_one_answer_settles_what_a_unit_owed(framing):
    framing.note_timeout()
    framing.ask(read(count=1))
    framing.sift(answer(5))
    assert framing.doubts(read()) is None
