from components.modbus.learned import RETRY_S, Learned, halves
from components.modbus.plan import plan_requests
from components.modbus.settings import Point, Settings, Table

POINTS = [Point(name=f"p{a}", address=a) for a in (0, 1, 2, 5)]
SETTINGS = Settings(name="device", host="127.0.0.1", points=POINTS)


def test_refused_point_is_remembered_with_its_reason():
    learned = Learned()
    learned.refuse([POINTS[1]], "0x02", now=0.0)
    assert learned.reason_of(POINTS[1]) == "device_error:0x02"
    assert learned.reason_of(POINTS[0]) == ""


def test_refused_addresses_are_not_touched_again():
    learned = Learned()
    learned.refuse([POINTS[2]], "0x02", now=0.0)
    wanted = [POINTS[0], POINTS[1], POINTS[3]]
    requests = plan_requests(SETTINGS, wanted, learned.holes)
    assert [(request.first, request.count) for request in requests] == [(0, 2), (5, 1)]


def test_refused_point_is_tried_again_after_a_while():
    learned = Learned()
    learned.refuse([POINTS[1]], "0x02", now=10.0)
    assert learned.retry(POINTS, now=10.0 + RETRY_S - 1) == []
    assert learned.retry(POINTS, now=10.0 + RETRY_S) == [POINTS[1]]


def test_bits_of_a_refused_register_are_tried_again_together():
    bits = [Point(name=f"b{i}", address=7, bit=i) for i in range(4)]
    learned = Learned()
    learned.refuse(bits, "0x02", now=0.0)
    assert learned.retry([*bits, *POINTS], now=RETRY_S) == bits


def test_accepted_point_is_planned_again():
    learned = Learned()
    learned.refuse([POINTS[1]], "0x02", now=0.0)
    before = learned.version
    learned.accept([POINTS[1]])
    assert learned.reason_of(POINTS[1]) == ""
    assert learned.version > before


def test_same_refusal_again_makes_no_new_plans():
    learned = Learned()
    learned.refuse([POINTS[1]], "0x02", now=0.0)
    before = learned.version
    learned.refuse([POINTS[1]], "0x02", now=60.0)
    assert learned.version == before


def test_request_is_halved_between_points():
    [whole] = plan_requests(SETTINGS, POINTS)
    low, high = halves(whole)
    assert [(part.first, part.count) for part in (low, high)] == [(0, 2), (2, 4)]


def test_bits_of_one_register_are_not_halved():
    bits = [Point(name=f"b{i}", address=7, bit=i) for i in range(4)]
    [whole] = plan_requests(SETTINGS, bits)
    assert halves(whole) is None


def test_wall_parts_requests_from_then_on():
    learned = Learned()
    learned.part(Table.HOLDING, 2)
    requests = plan_requests(SETTINGS, POINTS, learned.holes)
    assert [(request.first, request.count) for request in requests] == [(0, 2), (2, 4)]
