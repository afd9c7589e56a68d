import pytest

from simulators.modbus.faults import Asked, FaultyDevice


def pdu(function, address, count, *rest):
    return bytes([function]) + address.to_bytes(2, "big") + count.to_bytes(2, "big") + bytes(rest)


def test_counter_grows_by_one_with_each_read_that_holds_it():
    device = FaultyDevice(registers={0: 0, 1: 0xFFFF, 2: 9}, counter=0)
    assert device.answer(1, pdu(3, 0, 2)).hex() == "030400010000"
    assert device.answer(1, pdu(3, 0, 3)).hex() == "0306000100010009"
    assert device.answer(1, pdu(3, 2, 1)).hex() == "03020009"


@pytest.mark.parametrize(
    ("request_pdu", "answer"),
    [
        (pdu(3, 5, 1), "8302"),
        (pdu(4, 0, 3), "8403"),
        (pdu(1, 0, 1), "8102"),
        (pdu(0x2B, 0, 1), "ab01"),
        (pdu(6, 9, 1), "8602"),
    ],
)
def test_what_it_does_not_have_is_an_exception(request_pdu, answer):
    device = FaultyDevice(registers={0: 1, 1: 2, 2: 3}, max_count=2)
    assert device.answer(1, request_pdu).hex() == answer


def test_unit_that_is_not_there_is_a_gateways_exception():
    device = FaultyDevice(registers={0: 1}, units=[1, 2])
    assert device.answer(3, pdu(3, 0, 1)).hex() == "830b"
    assert device.asked == [Asked(3, 3, 0, 1)]


def test_writes_are_kept():
    device = FaultyDevice(registers={0: 0, 1: 0}, coils={0: False})
    device.answer(1, pdu(16, 0, 2, 4, 0, 7, 0, 8))
    device.answer(1, pdu(5, 0, 0xFF00))
    assert (device.registers, device.coils) == ({0: 7, 1: 8}, {0: True})
