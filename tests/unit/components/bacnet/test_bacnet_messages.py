"""Bodies of requests, and what answers say."""

from contextlib import suppress

import pytest
from bacpypes3.apdu import (
    ConfirmedRequestPDU,
    ReadPropertyMultipleRequest,
    SubscribeCOVPropertyRequest,
    SubscribeCOVRequest,
    WritePropertyRequest,
)
from hypothesis import given
from hypothesis import strategies as st

from components.bacnet.messages import (
    Ref,
    Refusal,
    Subscription,
    many_answers,
    one_answer,
    read_many,
    read_report,
    ref_bytes,
    refusal_of,
    write_one,
)
from components.bacnet.values import Kind, encode, value_of
from components.bacnet.wire import DamagedError

TEMPERATURE = Ref((0, 1))
FLAGS = Ref((0, 1), 111)
TEXT = Ref((19, 2), 110, 3)


def as_bacpypes3_reads(kind, data):
    """An independent decoder of what we encode."""
    pdu = ConfirmedRequestPDU(kind.service_choice)
    pdu.put_data(data)
    return kind.decode(pdu)


def test_read_many_groups_the_properties_of_an_object():
    request = as_bacpypes3_reads(ReadPropertyMultipleRequest, read_many([TEMPERATURE, FLAGS, TEXT]))
    first, second = request.listOfReadAccessSpecs
    assert [int(p.propertyIdentifier) for p in first.listOfPropertyReferences] == [85, 111]
    assert str(second.objectIdentifier) == "multi-state-value,2"
    assert second.listOfPropertyReferences[0].propertyArrayIndex == 3


def test_write_has_its_priority():
    data = write_one(TEMPERATURE, encode(Kind.REAL, 21.5), 8)
    request = as_bacpypes3_reads(WritePropertyRequest, data)
    assert (request.priority, str(request.propertyIdentifier)) == (8, "present-value")


def test_subscription_without_increment_is_the_plain_service():
    plain = Subscription(7, TEMPERATURE, True, 300)
    request = as_bacpypes3_reads(SubscribeCOVRequest, plain.begin())
    assert plain.service == 5
    assert (request.subscriberProcessIdentifier, request.lifetime) == (7, 300)
    assert request.issueConfirmedNotifications
    assert as_bacpypes3_reads(SubscribeCOVRequest, plain.end()).lifetime is None


def test_subscription_with_increment_names_the_property():
    own = Subscription(7, TEMPERATURE, False, 300, 0.5)
    request = as_bacpypes3_reads(SubscribeCOVPropertyRequest, own.begin())
    assert own.service == 28
    assert str(request.monitoredPropertyIdentifier.propertyIdentifier) == "present-value"
    assert request.covIncrement == 0.5


ACK = bytes.fromhex(
    "0c000000011e29554e4441aa66664f296f4e8204004f1f"
    "0c04c000021e296e39035e910291205f1f"
)  # fmt: skip


def test_answers_are_found_by_what_was_asked():
    found = many_answers(ACK)
    assert value_of(found[TEMPERATURE]) == 21.3
    assert value_of(found[FLAGS]) == 0
    assert found[TEXT] == Refusal(2, 32)


def test_single_answer_is_read():
    data = ref_bytes(TEXT) + bytes.fromhex("3e74006162633f")  # fmt: skip
    assert value_of(one_answer(data, TEXT)) == "abc"


def test_answer_for_another_property_is_refused():
    with pytest.raises(DamagedError):
        one_answer(ref_bytes(FLAGS) + bytes.fromhex("3e21013f"), TEMPERATURE)


def test_error_has_class_and_code():
    assert refusal_of(bytes.fromhex("91029120")) == Refusal(2, 32)
    assert refusal_of(b"\x91") == Refusal(0, 0)


@given(st.integers(0, len(ACK) - 1), st.integers(0, 255))
def test_damaged_answer_is_read_or_refused(place, byte):
    data = ACK[:place] + bytes([byte]) + ACK[place + 1 :]
    for cut in data, data[:place]:
        try:
            many_answers(cut)
        except DamagedError:
            continue


@given(st.binary(max_size=100))
def test_any_answer_is_read_or_refused(data):
    for read in (many_answers, lambda d: one_answer(d, TEMPERATURE)):
        try:
            read(data)
        except DamagedError:
            continue


REPORT = bytes.fromhex("090f1c020004d22c00000001393c4e09552e4441aa66662f096f2e8204002f4f")


def test_report_has_process_object_and_values():
    said = read_report(REPORT)
    assert (said.process, said.object) == (15, (0, 1))
    assert value_of(said.values[TEMPERATURE]) == 21.3
    assert value_of(said.values[FLAGS]) == 0


@given(st.integers(0, len(REPORT) - 1), st.integers(0, 255))
def test_damaged_report_is_read_or_refused(place, byte):
    data = REPORT[:place] + bytes([byte]) + REPORT[place + 1 :]
    for cut in data, data[:place]:
        with suppress(DamagedError):
            read_report(cut)
