"""What the driver learns from refusals, and how few requests it needs then."""

import pytest

from components.modbus import learned
from components.modbus.driver import driver
from edge_runtime.model import Quality
from simulators.modbus.faults import FaultyDevice, serve_faulty


def settings_of(port, addresses, **fields):
    points = [{"name": f"p{a}", "address": a} for a in addresses]
    return driver.settings(name="device", host="127.0.0.1", port=port, points=points, **fields)


async def read_taught(device, addresses, **fields):
    """Read all points until nothing is learned any more; gives reasons and requests of a read."""
    async with serve_faulty(device) as port:
        settings = settings_of(port, addresses, **fields)
        names = [point.name for point in settings.points]
        async with driver.open_device(settings) as opened:
            for _ in range(3):
                device.asked.clear()
                readings = await opened.read(names)
    assert sorted(reading.point for reading in readings) == sorted(names)
    bad = {r.point: r.reason for r in readings if r.quality is not Quality.GOOD}
    return bad, [(asked.address, asked.count) for asked in device.asked]


def without(*missing, end=200):
    return FaultyDevice(registers={a: a for a in range(end) if a not in missing})


@pytest.mark.parametrize("bad", [0, 1, 49, 98, 99])
async def test_one_unreadable_point_is_bad_and_no_neighbour(bad):
    reasons, requests = await read_taught(without(bad), range(100))
    assert reasons == {f"p{bad}": "device_error:0x02"}
    assert len(requests) <= 2


async def test_several_unreadable_points_are_all_found():
    reasons, requests = await read_taught(without(3, 50, 51, 97), range(100))
    assert sorted(reasons) == ["p3", "p50", "p51", "p97"]
    assert len(requests) == 4


async def test_unreadable_gap_is_not_read_along_again():
    reasons, requests = await read_taught(without(12), [*range(10), *range(15, 30)])
    assert reasons == {}
    assert requests == [(0, 10), (15, 15)]


async def test_unreadable_gap_among_readable_ones_is_found():
    wanted = [0, 1, 5, 6, 10, 11, 15, 16]
    reasons, requests = await read_taught(without(13), wanted)
    assert reasons == {}
    assert len(requests) == 2


async def test_limit_of_the_device_is_learned():
    device = FaultyDevice(registers={a: a for a in range(200)}, max_count=60)
    reasons, requests = await read_taught(device, range(120))
    assert reasons == {}
    assert len(requests) in {2, 3}


async def test_what_was_learned_outlives_an_outage_but_not_new_settings():
    device = without(7)
    async with serve_faulty(device) as port:
        requests = []
        for addresses in (range(20), range(20), range(21)):
            settings = settings_of(port, addresses)
            device.asked.clear()
            async with driver.open_device(settings) as opened:
                await opened.read([point.name for point in settings.points])
            requests.append(len(device.asked))
    assert requests[0] > 2
    assert requests[1] == 2
    assert requests[2] > 2


async def test_refused_point_is_good_again_once_the_device_has_it(monkeypatch):
    monkeypatch.setattr(learned, "RETRY_S", 0.0)
    device = without(7)
    async with serve_faulty(device) as port:
        settings = settings_of(port, range(20))
        names = [point.name for point in settings.points]
        async with driver.open_device(settings) as opened:
            bad = [
                {r.point for r in await opened.read(names) if r.quality is Quality.BAD}
                for _ in range(2)
            ]
            device.registers[7] = 1
            for _ in range(2):
                device.asked.clear()
                readings = await opened.read(names)
                assert {reading.quality for reading in readings} == {Quality.GOOD}
                assert len(readings) == len(names)
    assert bad == [{"p7"}, {"p7"}]
    assert len(device.asked) <= 2


async def test_learning_is_bounded_and_ends_on_a_later_read():
    device = without(*range(0, 120, 3))
    async with serve_faulty(device) as port:
        settings = settings_of(port, range(120))
        names = [point.name for point in settings.points]
        async with driver.open_device(settings) as opened:
            for _ in range(12):
                device.asked.clear()
                readings = await opened.read(names)
                assert len(device.asked) <= 100
    bad = {reading.point for reading in readings if reading.quality is not Quality.GOOD}
    assert bad == {f"p{a}" for a in range(0, 120, 3)}


async def test_thousand_points_in_ten_blocks_need_at_most_twelve_requests():
    blocks = [start + i for start in range(0, 20_000, 2_000) for i in range(100)]
    device = FaultyDevice(registers={a: a % 65_536 for a in blocks})
    reasons, requests = await read_taught(device, blocks)
    assert reasons == {}
    assert len(requests) <= 12


async def test_counter_shows_that_points_of_a_request_are_read_once():
    device = FaultyDevice(registers=dict.fromkeys(range(10), 0), counter=0)
    async with serve_faulty(device) as port:
        points = [
            {"name": "count", "address": 0, "type": "uint32"},
            *({"name": f"b{i}", "address": 4, "bit": i} for i in range(16)),
        ]
        settings = driver.settings(name="device", host="127.0.0.1", port=port, points=points)
        async with driver.open_device(settings) as opened:
            for expected in range(1, 4):
                readings = await opened.read([point.name for point in settings.points])
                [count] = [r.value for r in readings if r.point == "count"]
                assert count == expected
