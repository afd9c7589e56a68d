import random

from hypothesis import given
from hypothesis import strategies as st

from components.modbus.plan import Holes, bridgeable, describe, plan_requests
from components.modbus.settings import AddressRange, Point, Settings, Table

SIZES = {"uint16": 1, "float32": 2, "uint64": 4}


def settings_of(points, **fields):
    return Settings(name="device", host="127.0.0.1", points=points, **fields)


def registers(*addresses, **fields):
    return [Point(name=f"p{address}", address=address, **fields) for address in addresses]


def requests_of(points, **fields):
    return [
        (request.first, request.count)
        for request in plan_requests(settings_of(points, **fields), points)
    ]


def test_hundred_registers_in_a_row_are_one_request():
    assert requests_of(registers(*range(100))) == [(0, 100)]


def test_thousand_registers_in_ten_blocks_are_ten_requests():
    blocks = registers(*(start + i for start in range(0, 10_000, 1_000) for i in range(100)))
    assert len(requests_of(blocks)) == 10


def test_thousand_registers_scattered_over_ten_blocks_are_at_most_twelve_requests():
    rng = random.Random(7)
    starts = rng.sample(range(0, 65_000, 200), 10)
    blocks = registers(*(start + i for start in starts for i in rng.sample(range(118), 100)))
    assert len(requests_of(blocks)) <= 12


def test_request_keeps_the_limit_of_the_device():
    assert requests_of(registers(*range(100)), max_registers=40) == [(0, 40), (40, 40), (80, 20)]


def test_value_of_several_registers_is_never_parted():
    pairs = registers(*range(0, 126, 2), type="float32")
    assert requests_of(pairs) == [(0, 124), (124, 2)]


def test_gap_is_read_along_up_to_the_limit():
    assert requests_of(registers(0, 10), max_gap=9) == [(0, 11)]
    assert requests_of(registers(0, 10), max_gap=8) == [(0, 1), (10, 1)]


def test_gap_is_not_read_along_where_another_request_is_cheaper():
    slow = settings_of(registers(0), baud_rate=1_200, turnaround_s=0.0, max_gap=125)
    fast = settings_of(registers(0), baud_rate=115_200, turnaround_s=0.02, max_gap=125)
    assert bridgeable(slow, Table.HOLDING) < 15
    assert bridgeable(fast, Table.HOLDING) > 100


def test_unreadable_addresses_are_not_read_along():
    hole = AddressRange(table=Table.HOLDING, first=3, last=3)
    assert requests_of(registers(0, 5), unreadable=[hole]) == [(0, 1), (5, 1)]
    other = AddressRange(table=Table.INPUT, first=3, last=3)
    assert requests_of(registers(0, 5), unreadable=[other]) == [(0, 6)]


def test_wall_parts_neighbours():
    points = registers(0, 1, 2, 3)
    holes = Holes(walls=frozenset({(Table.HOLDING, 2)}))
    requests = plan_requests(settings_of(points), points, holes)
    assert [(r.first, r.count) for r in requests] == [(0, 2), (2, 2)]


def test_bits_of_one_register_are_read_once():
    bits = [Point(name=f"b{i}", address=7, bit=i) for i in range(16)]
    assert requests_of(bits) == [(7, 1)]


def test_tables_are_never_mixed():
    points = [
        Point(name=table, table=table, address=0)
        for table in ("holding", "input", "coil", "discrete")
    ]
    assert len(requests_of(points)) == 4


def test_plan_names_requests_in_the_protocols_words():
    settings = settings_of(registers(*range(42)), unit=3)
    [request] = describe(settings, [point.name for point in settings.points])
    assert request.label == "unit 3: read holding registers 0 to 41"
    assert (request.bytes_out, request.bytes_in) == (12, 9 + 84)


def test_plan_computes_time_from_the_baud_rate():
    settings = settings_of(registers(*range(100)), baud_rate=9_600, turnaround_s=0.01)
    [request] = describe(settings, [point.name for point in settings.points])
    on_the_line = (8 + 205 + 2 * 3.5) * 11 / 9_600  # serial frames: request, answer, pauses
    assert abs(request.seconds - on_the_line - 0.01) < 1e-9


@st.composite
def devices(draw):
    kinds = st.sampled_from(sorted(SIZES))
    places = draw(st.dictionaries(st.integers(0, 600), kinds, min_size=1, max_size=60))
    taken = {a + i for a, kind in places.items() for i in range(SIZES[kind])}
    holes = [
        AddressRange(table=Table.HOLDING, first=first, last=first)
        for first in draw(st.sets(st.integers(0, 610), max_size=10)) - taken
    ]
    points = [Point(name=f"p{a}", address=a, type=kind) for a, kind in places.items()]
    return settings_of(
        points,
        unreadable=holes,
        max_registers=draw(st.integers(4, 125)),
        max_gap=draw(st.integers(0, 125)),
    )


@given(devices())
def test_every_point_is_in_exactly_one_request_as_a_whole(settings):
    requests = plan_requests(settings, settings.points)
    names = [point.name for request in requests for point in request.points]
    assert sorted(names) == sorted(point.name for point in settings.points)
    for request in requests:
        end = request.first + request.count
        assert all(request.first <= p.address and p.end <= end for p in request.points)


@given(devices())
def test_no_request_passes_the_limit_or_touches_what_is_unreadable(settings):
    holes = {hole.first for hole in settings.unreadable}
    for request in plan_requests(settings, settings.points):
        assert request.count <= settings.max_registers
        assert holes.isdisjoint(range(request.first, request.first + request.count))


@given(devices())
def test_no_request_reads_a_longer_gap_than_allowed(settings):
    for request in plan_requests(settings, settings.points):
        wanted = {a for p in request.points for a in range(p.address, p.end)}
        gap = 0
        for address in range(request.first, request.first + request.count):
            gap = 0 if address in wanted else gap + 1
            assert gap <= settings.max_gap


@given(devices())
def test_there_are_never_more_requests_than_points(settings):
    assert len(plan_requests(settings, settings.points)) <= len(settings.points)
