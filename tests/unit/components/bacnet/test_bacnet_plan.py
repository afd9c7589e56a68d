"""Which properties go into which request."""

from components.bacnet.messages import Ref
from components.bacnet.plan import chunks, describe, halves, refs_for, size_of
from components.bacnet.settings import Point, Settings

FLAGS = 111


def point(name, number=1, **fields):
    return Point(**{"name": name, "object": f"analog-input,{number}"} | fields)


def settings(count, **fields):
    points = [point(f"p{n}", n) for n in range(count)]
    return Settings(name="device", host="192.0.2.1", points=points, **fields)


def test_present_value_brings_its_flags():
    assert refs_for([point("a")]) == [Ref((0, 1)), Ref((0, 1), FLAGS)]


def test_object_without_flags_is_not_asked_for_them():
    assert refs_for([point("a")], {(0, 1)}) == [Ref((0, 1))]


def test_points_of_the_same_property_are_read_once():
    assert len(refs_for([point("a"), point("b", bit=1), point("c", property="description")])) == 3


def test_requests_have_answers_that_fit():
    refs = refs_for(settings(200).points)
    for room in 206, 480, 1_476:
        parts = chunks(refs, room)
        assert [ref for part in parts for ref in part] == refs
        assert all(size_of(part) <= room for part in parts)


def test_about_sixty_objects_fit_into_the_longest_message():
    assert len(chunks(refs_for(settings(60).points), 1_476)) == 1


def test_object_larger_than_the_room_goes_alone():
    assert len(chunks(refs_for(settings(3).points), 50)) == 3


def test_halves_part_between_objects():
    first, second = halves(refs_for(settings(3).points))
    assert {r.object for r in first}.isdisjoint({r.object for r in second})
    assert halves(first[:2]) is None


def test_plan_follows_the_devices_longest_message():
    names = [f"p{n}" for n in range(120)]
    assert len(describe(settings(120), names)) == 2
    assert len(describe(settings(120, max_apdu=480), names)) == 7
