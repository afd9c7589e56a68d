"""How a device is read that refuses: fewer objects, single properties, and what is learned."""

import pytest

from components.bacnet import limits
from components.bacnet.errors import (
    AbortedError,
    DeviceSilentError,
    ErrorAnswerError,
    RejectedError,
)
from components.bacnet.memory import Learned
from components.bacnet.messages import Ref, Refusal, read_many, ref_bytes
from components.bacnet.reading import Reader, Refused, reading_of
from components.bacnet.settings import Point
from components.bacnet.values import Kind, encode
from components.bacnet.wire import context_unsigned, inside, put, read_tags
from edge_runtime.model import Quality

REFS = [Ref((0, n)) for n in range(8)]


class Scripted:
    """A device in three lines: answers the value of an object with its instance."""

    def __init__(self, refuse_many=None, refuse_one=None):
        self.refuse_many = refuse_many or (lambda objects: None)
        self.refuse_one = refuse_one or (lambda ref: None)
        self.asked = []

    async def ask(self, service, data):
        self.asked.append(service)
        if service == limits.READ_PROPERTY_MULTIPLE:
            refs = [ref for ref in REFS if read_many([ref])[:5] in data]
            if refusal := self.refuse_many(len(refs)):
                raise refusal
            return b"".join(read_many([ref])[:5] + inside(1, self.value(ref)) for ref in refs)
        [ref] = [ref for ref in REFS if ref_bytes(ref) == data]
        if refusal := self.refuse_one(ref):
            raise refusal
        return data + inside(3, encode(Kind.REAL, float(ref.object[1])))

    def value(self, ref):
        return context_unsigned(2, ref.property) + inside(
            4, encode(Kind.REAL, float(ref.object[1]))
        )


async def read(device, learned=None):
    return await Reader(device.ask, learned or Learned(), 1_476).read(REFS)


async def test_everything_comes_with_one_request():
    device = Scripted()
    assert set(await read(device)) == set(REFS)
    assert device.asked == [14]


async def test_unknown_service_is_learned_and_not_tried_again():
    device = Scripted(lambda _: RejectedError("d", "unrecognized-service"))
    learned = Learned()
    for _ in range(2):
        assert set(await read(device, learned)) == set(REFS)
    assert device.asked.count(14) == 1


async def test_too_long_answer_is_asked_for_in_parts_and_learned():
    device = Scripted(lambda n: AbortedError("d", "segmentation-not-supported") if n > 2 else None)
    learned = Learned()
    assert set(await read(device, learned)) == set(REFS)
    device.asked.clear()
    await read(device, learned)
    assert device.asked == [14] * 4


async def test_device_that_refuses_every_multiple_is_read_singly():
    device = Scripted(lambda _: ErrorAnswerError("d", Refusal(0, 0)))
    learned = Learned()
    assert set(await read(device, learned)) == set(REFS)
    assert not learned.many


async def test_refused_property_is_no_exception():
    wrong = ErrorAnswerError("d", Refusal(1, 31))
    device = Scripted(lambda _: RejectedError("d", "unrecognized-service"), lambda r: wrong if r == REFS[3] else None)  # fmt: skip
    found = await read(device)
    assert found[REFS[3]] == Refused("device_error:unknown-object")
    assert sum(isinstance(result, Refused) for result in found.values()) == 1


async def test_silence_of_a_dead_device_is_raised():
    with pytest.raises(DeviceSilentError):
        await read(Scripted(lambda _: DeviceSilentError("d")))


async def test_silence_after_an_answer_is_the_objects_own():
    device = Scripted(
        lambda _: RejectedError("d", "unrecognized-service"),
        lambda ref: DeviceSilentError("d") if ref in REFS[2:6] else None,
    )
    found = await read(device)
    silent = [ref for ref, result in found.items() if result == Refused("no_answer")]
    assert silent == REFS[2:]
    assert device.asked.count(12) == 4, "after two of them the rest is not waited for"


# --- judging ------------------------------------------------------------------------------------

POINT = Point(name="p", object="analog-input,1")
PV, FLAGS, WHY = (Ref((0, 1), n) for n in (85, 111, 103))


def tags(*encoded):
    return read_tags(b"".join(encoded))


def test_good_value_has_no_reason():
    reading = reading_of(POINT, {PV: tags(encode(Kind.REAL, 21.3)), FLAGS: tags(b"\x82\x04\x00")})
    assert (reading.value, reading.quality) == (21.3, Quality.GOOD)


def test_faulty_value_is_bad_with_the_devices_reason():
    results = {
        PV: tags(encode(Kind.REAL, 0.0)), FLAGS: tags(b"\x82\x04\x40"), WHY: tags(put(9, b"\4")),
    }  # fmt: skip
    reading = reading_of(POINT, results)
    assert (reading.value, reading.reason) == (None, "device_error:open-loop")


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (None, "device_error:wrong-answer"),
        (Refused("no_answer"), "no_answer"),
        (tags(b"\x00"), "not_implemented"),
        (tags(b"\x44\x7f\xc0\x00\x00"), "not_implemented"),
        (tags(b"\x21\x01", b"\x21\x02"), "configuration"),
    ],
)
def test_what_is_no_value_is_bad(result, reason):
    reading = reading_of(POINT, {} if result is None else {PV: result})
    assert (reading.value, reading.quality, reading.reason) == (None, Quality.BAD, reason)


async def test_one_long_text_makes_no_other_request_shorter():
    long = read_many([REFS[5]])[:5]
    device = Scripted()

    async def ask(service, data):
        if service == limits.READ_PROPERTY_MULTIPLE and long in data:
            device.asked.append(service)
            raise AbortedError("d", "segmentation-not-supported")
        return await device.ask(service, data)

    learned = Learned()
    reader = Reader(ask, learned, 1_476)
    assert set(await reader.read(REFS)) == set(REFS)
    device.asked.clear()
    await Reader(ask, learned, 1_476).read(REFS)
    assert device.asked == [14, 12]
