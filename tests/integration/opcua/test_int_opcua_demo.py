"""The machine that ``tidegate sim opcua`` serves, read by the built-in profile."""

import asyncio

import pytest

from components.drivers import find_driver
from components.opcua.driver import driver
from edge_runtime.settings import load_settings
from simulators.opcua.running import PROFILE, kept_certificate, run_machine

GATEWAY = """
gateway: {{name: shop-1}}
devices:
  - name: machining-centre
    protocol: opcua
    profile: {profile}
    endpoint: {endpoint}
    pki_dir: {pki}
"""


@pytest.fixture
async def endpoint(pki, tmp_path):
    """Where it listens; the gateway trusts it from the start."""
    listening = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_machine(
            port=0,
            folder=tmp_path / "sim",
            trusted_by=pki,
            ready=lambda served: listening.set_result(served.endpoint),
        )
    )
    await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
    yield listening.result()
    running.cancel()
    await asyncio.wait({running})


async def test_profile_reads_the_machine(endpoint, pki, tmp_path):
    text = GATEWAY.format(profile=PROFILE, endpoint=endpoint, pki=pki)
    (tmp_path / "gateway.yaml").write_text(text)
    [configured] = load_settings(tmp_path / "gateway.yaml", find_driver).devices
    names = [point.name for point in configured.settings.points]
    async with driver.open_device(configured.settings) as device:
        readings = {reading.point: reading for reading in await device.read(names)}
    assert {name for name, r in readings.items() if r.reason} == {"tool_wear"}
    assert readings["program"].value == "O1204 housing"
    assert readings["following_error_x"].value >= 0


def test_machine_keeps_its_certificate(tmp_path):
    assert kept_certificate(tmp_path / "sim") == kept_certificate(tmp_path / "sim")
    assert (tmp_path / "sim" / "key.pem").stat().st_mode & 0o077 == 0
