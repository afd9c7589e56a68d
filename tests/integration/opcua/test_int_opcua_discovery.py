"""What a scan proposes, and what it says where it may not look."""

import pytest

from components.opcua.discover import discover
from components.opcua.settings import Settings
from components.opcua.trust import list_pending, look_up, trust
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError
from edge_runtime.model import PointKind

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def scan(target: str, **more) -> tuple[list[Found], list[Progress]]:
    options = more.pop("options", {})
    news = [one async for one in discover(ScanTarget((target,), options=options, **more))]
    return (
        [one for one in news if isinstance(one, Found)],
        [one for one in news if isinstance(one, Progress)],
    )


@pytest.fixture
def known(simulator, pki):
    trust(pki, look_up(pki, simulator.certificate).fingerprint)
    return {"pki_dir": str(pki)}


async def test_server_is_proposed_with_points_units_and_live_values(simulator, known):
    [found], progress = await scan(simulator.endpoint, options=known)
    points = {point["name"]: point for point in found.points}
    assert (found.protocol, found.address) == ("opcua", simulator.endpoint)
    assert found.settings["security_policy"] == "Aes256Sha256RsaPss"
    assert found.settings["security_mode"] == "SignAndEncrypt"
    assert points["temperature"]["unit"] == "Cel"
    assert (points["speed"]["minimum"], points["speed"]["maximum"]) == (0.0, 15_000.0)
    assert points["state"]["kind"] == PointKind.ENUMERATION
    assert points["state"]["labels"][2] == "cutting"
    assert points["mode"]["labels"] == {0: "off", 1: "flood"}  # named by its data type
    assert points["feed_override"]["access"] == "read_write"
    assert {reading.point for reading in found.values} == points.keys()
    assert progress[-1].doing == "done"


async def test_proposal_is_a_device_that_can_be_opened(simulator, known):
    [found], _ = await scan(simulator.endpoint, options=known)
    fields = {key: value for key, value in found.settings.items() if key != "protocol"}
    settings = Settings(name="found", points=found.points, **fields)
    assert all(point.node.startswith("nsu=urn:tidegate") for point in settings.points)


async def test_unknown_server_is_proposed_without_points_and_with_what_to_do(simulator, pki):
    [found], _ = await scan(simulator.endpoint, options={"pki_dir": str(pki)})
    assert found.points == ()
    assert any(simulator.fingerprint in note for note in found.notes)
    assert any("tidegate edge trust accept" in note for note in found.notes)
    assert [one.fingerprint for one in list_pending(pki)] == [simulator.fingerprint]


async def test_browsing_stops_at_the_bound_and_says_so(simulator, known):
    [found], _ = await scan(simulator.endpoint, options=known | {"max_nodes": "6"})
    assert len(found.points) < 6
    assert any("more than 6 nodes" in note for note in found.notes)


async def test_nothing_is_browsed_where_that_is_not_wanted(simulator, tmp_path):
    options = {"browse": "no", "pki_dir": str(tmp_path / "pki")}
    [found], progress = await scan(simulator.endpoint, options=options)
    assert (found.points, progress[-1].requests) == ((), 3)
    assert not (tmp_path / "pki").exists()


async def test_scan_ends_at_what_it_may_send(simulator):
    found, progress = await scan(simulator.endpoint, max_requests=2)
    assert found == []
    assert "stopped" in progress[-1].doing


async def test_silence_is_no_error(simulator):
    await simulator.go()
    found, _ = await scan(simulator.endpoint)
    assert found == []


@pytest.mark.parametrize(
    ("target", "options", "text"),
    [
        ("http://10.0.0.7", {}, "no address of an OPC UA server"),
        ("10.0.0.0/99", {}, "no network"),
        ("10.0.0.7", {"units": "1-20"}, "unknown option 'units'"),
        ("10.0.0.7", {"depth": "deep"}, "'depth' must be a number"),
    ],
)
async def test_bad_target_or_option_is_told(target, options, text):
    with pytest.raises(SettingsError, match=text):
        await scan(target, options=options)
