"""A site of every protocol, in real processes, from the devices to the cloud."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from components.drivers import known_protocols
from simulators.site.browser import Browser, sign_in
from simulators.site.site import Site, run_site, site_folder
from tests.bench import soak
from tests.bench.peers.build import PeerMissingError

RECORDING = Path(__file__).parents[2] / "examples" / "demo-site.tgrec"
WAIT_S = 40.0
SOAK_S = 10.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    with site_folder() as folder:
        async with run_site(folder, whole=True) as running:
            yield running


async def devices(http: Browser) -> list[dict[str, Any]]:
    """Every device in the cloud, with its points."""
    gateways = (await http.get("/v1/gateways")).json()["gateways"]
    if not gateways:
        return []
    listed = (await http.get(f"/v1/gateways/{gateways[0]['id']}")).json()["device_list"]
    return [(await http.get(f"/v1/devices/{device['id']}")).json() for device in listed]


def good(device: dict[str, Any]) -> bool:
    return any(point["health"] == "good" for point in device["point_list"])


async def test_every_protocol_reaches_the_cloud_and_loses_nothing_over_an_outage(
    site: Site,
) -> None:
    link = await site.settle_in()
    await site.start_gateway()
    async with sign_in(site.page, link) as http:
        end = time.monotonic() + WAIT_S
        found: list[dict[str, Any]] = []
        while time.monotonic() < end and not (found and all(map(good, found))):
            site.check()
            await asyncio.sleep(0.5)
            found = await devices(http)
        assert {device["protocol"] for device in found} == set(known_protocols())
        assert [device["name"] for device in found if not good(device)] == []
        await site.line.cut()
        await asyncio.sleep(3)
        await site.line.restore()
    account = await site.account()
    assert (account.missing, account.duplicate, account.lost) == (0, 0, 0)
    assert account.arrived == account.accepted > len(found)


async def test_a_recorded_site_takes_the_place_of_devices() -> None:
    with site_folder() as folder:
        async with run_site(folder, recording=RECORDING) as site:
            await site.settle_in()
            await site.start_gateway()
            await asyncio.sleep(5)
            site.check()
            account = await site.account()
    assert (account.missing, account.duplicate, account.lost) == (0, 0, 0)
    assert account.arrived == account.accepted > 0


async def test_a_short_soak_of_every_protocol_drops_nothing_and_grows_nowhere() -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        pytest.skip("needs mosquitto (Debian: mosquitto; `make packages`)")
    try:
        result = await soak.run(SOAK_S, load=0.2)
    except PeerMissingError as exc:
        pytest.skip(f"needs {exc} (Debian: gcc pkg-config libmodbus-dev; `make packages`)")
    ours, ratio = result["ours"], result["ratio"]
    assert ours["dropped_samples"] == 0
    assert ours["samples_per_s"] > 0
    assert ratio["memory_last_to_first"] < 1.2
