"""What is told of devices while their adapter is away."""

import contextlib

import pytest

from cloud_sync.wire.events import EventKind
from edge_runtime.adapters.absence import ABSENT_S, Absence
from edge_runtime.bus import Bus
from edge_runtime.inbox.journal import Journal
from edge_runtime.model import Quality, Reading
from edge_runtime.normalise import Normalised
from edge_runtime.outages import Outages

POINTS = {"serial-1": {"pump": ["pump/flow", "pump/level"], "fan": ["fan/speed"]}}
GOOD = Normalised("pump", [Reading("pump/flow", 1.0)], ())
BAD = Normalised("pump", [Reading("pump/flow", None, Quality.BAD, "no_answer")], ())


class Watched:
    def __init__(self, journal, clock):
        self.bus, self.clock = Bus(), clock
        self.readings, self.events = [], []
        self.bus.on_readings(self.readings.append)
        self.bus.on_event(self.events.append)
        self.absence = Absence(POINTS, self.bus, Outages(journal), clock)

    async def pass_time(self, seconds):
        await self.clock.advance(seconds)
        self.absence.look()

    def told(self):
        return [(event.kind, event.body["device"]) for event in self.events]


@pytest.fixture
def journal(tmp_path, clock):
    with contextlib.closing(Journal(tmp_path / "journal.db", clock)) as journal:
        yield journal


@pytest.fixture
def watched(journal, clock):
    return Watched(journal, clock)


async def test_an_adapter_that_starts_again_soon_is_nothing_to_tell(watched):
    watched.absence.went("serial-1")
    await watched.pass_time(ABSENT_S - 1)
    watched.absence.came("serial-1")
    await watched.pass_time(ABSENT_S)
    assert watched.events == watched.readings == []


async def test_an_adapter_that_stays_away_makes_its_devices_silent_once(watched):
    for _ in range(3):
        await watched.pass_time(ABSENT_S)
    assert watched.told() == [(EventKind.DEVICE_SILENT, name) for name in ("pump", "fan")]
    assert watched.events[0].body["reason"] == "the adapter serial-1 does not run"


async def test_the_rules_no_longer_trust_the_last_values_and_nothing_is_recorded(watched):
    await watched.pass_time(ABSENT_S)
    readings = [reading for normalised in watched.readings for reading in normalised.readings]
    assert {(r.point, r.quality, r.reason) for r in readings} == {
        (point, Quality.BAD, "stale") for points in POINTS["serial-1"].values() for point in points
    }
    assert not any(normalised.reported for normalised in watched.readings)


async def test_the_first_good_value_ends_the_silence(watched):
    await watched.pass_time(ABSENT_S)
    watched.absence.came("serial-1")
    watched.absence.heard(BAD)
    assert len(watched.events) == 2
    await watched.clock.advance(5)
    watched.absence.heard(GOOD)
    watched.absence.heard(GOOD)
    assert watched.told()[2:] == [(EventKind.DEVICE_BACK, "pump")]
    assert watched.events[2].body["silent_s"] == 5.0


async def test_a_silence_is_not_told_again_after_a_restart(watched, journal, clock):
    await watched.pass_time(ABSENT_S)
    again = Watched(journal, clock)
    await again.pass_time(ABSENT_S)
    assert again.events == []
    again.absence.heard(GOOD)
    assert again.told() == [(EventKind.DEVICE_BACK, "pump")]
