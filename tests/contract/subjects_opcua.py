"""OPC UA servers for the driver contract, both secured: our simulator, and one on node-opcua."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from subject import Subject

from components.opcua.driver import driver
from components.opcua.errors import ServerUntrustedError
from components.opcua.trust import list_pending, trust
from edge_runtime.model import Value
from simulators.opcua.nodes import NAMESPACE
from tests.contract.opcua_peers import Peer, node_opcua, steady_simulator

MACHINE = {
    "state": "Machine.State", "program": "Machine.Program", "parts": "Machine.Parts",
    "tool": "Machine.Tool", "feed_override": "Machine.FeedOverride", "light": "Machine.Light",
    "temperature": "Spindle.Temperature", "level": "Coolant.Level", "absent": "Machine.Nowhere",
}  # fmt: skip
MACHINE_VALUES: dict[str, Value] = {
    "state": 1, "program": "O1204 housing", "parts": 18_204, "tool": 1, "feed_override": 100.0,
    "light": True, "temperature": 31.0, "level": 151.0,
}  # fmt: skip
BOILER = "urn:peer:boiler"
BOILER_VALUES: dict[str, Value] = {
    "temperature": 61.5, "pressure": 2.25, "burner": True, "cycles": 4_711, "offset": -12,
    "name": "boiler 3", "mode": 1,
}  # fmt: skip


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[Subject]:
    """Our simulator, which is asyncua's server."""
    points = [{"name": n, "node": f"nsu={NAMESPACE};s={path}"} for n, path in MACHINE.items()]
    security = {"security_policy": "Aes256Sha256RsaPss", "user": "operator", "password": "cut-well"}
    peer = steady_simulator()
    async with _subject(
        peer, folder=folder, points=points, good=MACHINE_VALUES, write=("feed_override", 80),
        security=security,
    ) as s:  # fmt: skip
        yield s


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[Subject]:
    """A server in JavaScript by people who never saw our code."""
    points = [{"name": name, "node": f"nsu={BOILER};s={name}"} for name in (*BOILER_VALUES, "gone")]
    peer = node_opcua(folder)
    async with _subject(
        peer, folder=folder, points=points, good=BOILER_VALUES, write=("pressure", 3.5), security={}
    ) as subject:
        yield subject


@asynccontextmanager
async def _subject(
    peer: Peer,
    *,
    folder: Path,
    points: list[dict[str, str]],
    good: dict[str, Value],
    write: tuple[str, Value],
    security: dict[str, str],
) -> AsyncIterator[Subject]:
    await peer.as_new()
    settings = driver.settings(
        name="device",
        endpoint=peer.endpoint,
        pki_dir=folder / "opcua-pki",
        interval_s=0.1,
        timeout_s=3.0,
        points=points,
        **security,
    )
    await _trust(settings)

    async def lose() -> None:
        await peer.tell("lose")

    async def restore() -> None:
        await peer.tell("restore")

    yield Subject(driver, settings, good, points[-1]["name"], lose, restore, write)


async def _trust(settings) -> None:
    """What an installer does: look at the first connection's error, compare, accept."""
    async with driver.open_device(settings) as device:
        try:
            await device.read([settings.points[0].name])
        except ServerUntrustedError:
            [pending] = list_pending(settings.pki_dir)
            trust(settings.pki_dir, pending.fingerprint)
