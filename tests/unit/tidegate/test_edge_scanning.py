import asyncio
from dataclasses import replace

import pytest

from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import DeviceUnreachableError, SettingsError
from edge_runtime.model import Quality, Reading
from edge_runtime.profiles.loader import Profiles
from edge_runtime.settings import load_settings
from edge_runtime.validation import Findings
from simulators.manual_clock import ManualClock
from simulators.memory_device import MemoryDevices
from tidegate.edge.foreign_text import name_from
from tidegate.edge.proposing import Proposer, place_name
from tidegate.edge.scan_session import open_session
from tidegate.edge.scanning import scan

PROFILE = """\
profile: acme-m1
title: Acme M1
vendor: Acme
model: M1
protocol: memory
document: Acme M1 manual
evidence: from documentation
matches:
  - {vendor: acme, model: m1*}
points:
  - {name: power, unit: kW, scale: 0.1}
"""
FILE = """\
gateway: {name: cellar-1, profiles: [.]}  # ours
devices:
  - name: old
    protocol: memory
    place: here
    points: [{name: level}]
"""
POINTS = ({"name": "level", "unit": "m"},)


@pytest.fixture
def devices():
    return MemoryDevices()


def put(devices, place, **fields):
    """Place a device that a scan finds."""
    settings = {"place": place, **fields.pop("settings", {})}
    found = Found("memory", place, fields.pop("identity", ""), "Acme", settings, **fields)
    devices.place(place).found = found
    return devices.place(place)


def look(devices, *places, **limits):
    return scan([devices.driver()], ScanTarget(places, **limits), lambda *_: None)


async def test_what_answers_is_found(devices):
    put(devices, "a")
    scanned = await look(devices, "a", "b")
    assert [f.address for f in scanned.found] == ["a"]
    assert (scanned.requests, scanned.complete, scanned.skipped) == (2, True, [])


async def test_a_scan_tells_how_far_it_is(devices):
    told = []
    target = ScanTarget(("a", "b"))
    await scan([devices.driver()], target, lambda protocol, p: told.append((protocol, p)))
    assert told == [("memory", Progress(0, 2, "a", 1)), ("memory", Progress(1, 2, "b", 2))]


async def test_the_bound_ends_a_scan_and_says_so(devices):
    put(devices, "c")
    scanned = await look(devices, "a", "b", "c", max_requests=2)
    assert (scanned.found, scanned.requests, scanned.complete) == ([], 2, False)


async def test_all_protocols_share_the_bound(devices):
    drivers = [devices.driver(), devices.driver()]
    scanned = await scan(drivers, ScanTarget(("a", "b"), max_requests=2), lambda *_: None)
    assert scanned.requests == 2
    assert not scanned.complete
    assert scanned.skipped[0].reason == "no requests were left"


async def test_the_same_device_by_two_ways_is_found_once(devices):
    put(devices, "a", identity="SN 1")
    put(devices, "b", identity="SN 1")
    put(devices, "c")
    scanned = await look(devices, "a", "b", "c", "c")
    assert [f.address for f in scanned.found] == ["a", "c"]


async def test_targets_that_nobody_understands_are_an_error(devices):
    with pytest.raises(SettingsError, match="names of places"):
        await look(devices)


async def test_a_line_that_breaks_keeps_what_was_found(devices):
    put(devices, "a")
    driver = devices.driver()

    async def breaks(target):
        async for item in driver.discover(target):
            yield item
        raise DeviceUnreachableError("the line is gone")

    scanned = await scan([replace(driver, discover=breaks), driver], ScanTarget(("a",)), print)
    assert len(scanned.found) == 1
    assert "the line is gone" in scanned.skipped[0].reason


async def test_a_scan_that_is_interrupted_gives_what_it_found(devices):
    put(devices, "a")
    driver, looking = devices.driver(), asyncio.Event()

    async def hangs(target):
        async for item in driver.discover(target):
            yield item
        looking.set()
        await asyncio.Event().wait()

    drivers = [replace(driver, discover=hangs), driver]
    task = asyncio.create_task(scan(drivers, ScanTarget(("a",)), lambda *_: None))
    await looking.wait()
    task.cancel()
    scanned = await task
    assert ([f.address for f in scanned.found], scanned.complete) == (["a"], False)
    assert (scanned.interrupted, scanned.requests) == (True, 1)


# --- proposals ----------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    (tmp_path / "gateway.yaml").write_text(FILE)
    (tmp_path / "acme-m1.yaml").write_text(PROFILE)
    return tmp_path / "gateway.yaml"


@pytest.fixture
def proposer(devices, site):
    def find(protocol):
        return devices.driver()

    settings = load_settings(site, find)
    profiles = Profiles(settings.profiles).for_protocol("memory", Findings())
    return Proposer([devices.driver()], profiles, settings.devices, ManualClock())


async def test_a_profile_is_proposed_with_live_values(devices, proposer):
    place = put(devices, "there", settings={"vendor": "Acme", "model": "M-1 rev. B"})
    place.values["power"] = 123
    proposal = await proposer.propose(place.found)
    assert (proposal.profile, proposal.addable) == ("acme-m1", True)
    assert [(v.shown, v.unit, v.quality) for v in proposal.values] == [("12.3", "kW", "good")]
    assert list(proposal.fields) == ["name", "protocol", "profile", "place"]


async def test_points_of_the_device_itself_come_with_its_values(devices, proposer):
    values = (Reading("level", 1.5),)
    place = put(devices, "there", points=POINTS, values=values, identity="SN 1")
    proposal = await proposer.propose(place.found)
    assert proposal.fields["points"] == [{"name": "level", "unit": "m"}]
    assert proposal.fields["device_identity"] == "SN 1"
    assert (proposal.values[0].shown, place.reads) == ("1.5", [])


async def test_without_profile_and_points_nothing_can_be_added(devices, proposer):
    proposal = await proposer.propose(put(devices, "there").found)
    assert not proposal.addable
    assert "no profile fits" in proposal.notes[0]


async def test_a_profile_that_does_not_read_is_doubted(devices, proposer):
    place = put(devices, "there", settings={"vendor": "Acme", "model": "M1"})
    proposal = await proposer.propose(place.found)
    assert "1 of 1 points are bad: is this the right profile?" in proposal.notes


async def test_a_silent_device_is_proposed_with_a_note(devices, proposer):
    place = put(devices, "there", settings={"vendor": "Acme", "model": "M1"})
    place.reachable = False
    proposal = await proposer.propose(place.found)
    assert (proposal.addable, proposal.values) == (True, [])
    assert "could not be read" in proposal.notes[0]


async def test_what_stands_in_the_file_is_not_added_again(devices, proposer):
    proposal = await proposer.propose(put(devices, "here", points=POINTS).found)
    assert (proposal.known_as, proposal.moved_from, proposal.addable) == ("old", "", False)


async def test_a_device_that_moved_is_recognised_by_its_identity(devices, site):
    site.write_text(FILE.replace("place: here", "place: here\n    device_identity: SN 7"))
    session = open_session([devices.driver()], site, ManualClock(), find=lambda _: devices.driver())
    put(devices, "there", identity="SN 7", points=POINTS)
    await session.scan(ScanTarget(("there",)), lambda *_: None)
    await session.propose(lambda _: None)
    (proposal,) = session.proposals
    assert (proposal.known_as, proposal.moved_from) == ("old", "here")


async def test_names_are_free_ones(devices, proposer):
    found = [put(devices, p, points=POINTS, settings={"model": "Old"}).found for p in "ab"]
    assert [(await proposer.propose(f)).name for f in found] == ["old-2", "old-3"]


async def test_what_finds_the_device_again_stays_as_it_is(devices, proposer):
    place = put(devices, "a  place", points=POINTS)
    assert (await proposer.propose(place.found)).fields["place"] == "a  place"


@pytest.mark.parametrize(
    ("title", "identity", "name"),
    [
        ("5 values below 'site/boiler'", "", "boiler"),
        ("device plant/line/drive-1, 9 metrics", "plant/line/drive-1", "drive-1"),
        ("Flow meter", "SN 12", "flow-meter"),
    ],
)
def test_a_place_gives_its_name(title, identity, name):
    found = Found("memory", "here", identity, title, {})
    assert name_from(place_name(found), title) == name


async def test_what_the_settings_refuse_is_noted(devices, proposer):
    place = put(devices, "there", points=POINTS, settings={"timeout_s": -1})
    proposal = await proposer.propose(place.found)
    assert not proposal.addable
    assert "timeout_s" in proposal.notes[0]


async def test_nothing_that_steers_a_terminal_gets_through(devices, proposer):
    place = put(devices, "there", points=POINTS, settings={"model": "M\x1b[2J"}, identity="a\nb")
    proposal = await proposer.propose(place.found)
    assert proposal.fields["model"] == "M [2J"
    assert proposal.identity == "a b"


# --- picking and saving -------------------------------------------------------------------------


@pytest.fixture
async def session(devices, site):
    put(devices, "there", settings={"vendor": "Acme", "model": "M1"}).values["power"] = 5
    put(devices, "here", points=POINTS)
    put(devices, "odd")
    session = open_session([devices.driver()], site, ManualClock(), find=lambda _: devices.driver())
    await session.scan(ScanTarget(("there", "here", "odd")), lambda *_: None)
    await session.propose(lambda _: None)
    return session


async def test_nothing_is_saved_before_it_is_picked(session, site):
    assert site.read_text() == FILE
    assert session.as_json()["added"] == []


async def test_what_is_picked_is_added(session, site, devices):
    await session.pick({1: ""})
    session.save()
    added = load_settings(site, lambda _: devices.driver()).devices[1].settings
    assert (added.name, added.profile, added.place) == ("m1", "acme-m1", "there")
    assert "# ours" in site.read_text()
    assert "# Found " in site.read_text()


async def test_a_second_scan_knows_what_the_first_added(session, site, devices):
    await session.pick({1: ""})
    session.save()
    again = open_session([devices.driver()], site, ManualClock(), find=lambda _: devices.driver())
    await again.scan(ScanTarget(("there",)), lambda *_: None)
    await again.propose(lambda _: None)
    assert again.proposals[0].known_as == "m1"


async def test_a_profile_can_be_named_for_what_none_fits(session, devices):
    devices.place("odd").values["power"] = 7
    await session.pick({3: "acme-m1"})
    assert session.picked[0].values[0].shown == "0.7"


async def test_what_is_there_already_cannot_be_picked(session):
    with pytest.raises(SettingsError, match="it is 'old' of the file already"):
        await session.pick({2: ""})


async def test_what_has_no_points_cannot_be_picked(session):
    with pytest.raises(SettingsError, match="no profile fits"):
        await session.pick({3: ""})


async def test_a_program_gets_everything(session):
    await session.pick({1: ""})
    told = session.as_json()
    assert {"requests", "complete", "found", "skipped", "notes", "added", "would_add"} <= set(told)
    assert told["found"][0]["values"][0]["quality"] == Quality.GOOD.name.lower()
    assert "profile: acme-m1" in told["would_add"]


def test_a_profile_that_nobody_knows_is_an_error(devices, site):
    with pytest.raises(SettingsError, match="no profile 'acme-m9'"):
        open_session(
            [devices.driver()], site, ManualClock(), "acme-m9", find=lambda _: devices.driver()
        )
