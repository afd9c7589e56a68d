"""Devices of the demo plant say who they are, so that a scan can propose their profiles."""

import pytest

from components.modbus.discover import discover
from edge_runtime.discovery import Found, ScanTarget
from simulators.modbus.plant import PLANT
from simulators.modbus.server import serve, serve_plant, serve_plant_line


async def found_at(port, **options):
    target = ScanTarget((f"127.0.0.1:{port}",), timeout_s=0.3, options=options)
    return [item async for item in discover(target) if isinstance(item, Found)]


async def test_scan_of_the_plant_finds_two_units_by_their_names():
    async with serve_plant(first_port=0) as plant:
        found = await found_at(plant["pump-station"][1], units="1-4")
    assert [(one.settings["unit"], one.settings["model"]) for one in found] == [
        (1, "Simulated pump station"),
        (2, "Simulated energy meter"),
    ]
    assert {one.settings["vendor"] for one in found} == {"Tidegate"}


async def test_units_of_a_line_say_their_names_too():
    async with serve_plant_line(port=0) as (port, _):
        found = await found_at(port, units="2-3", framing="rtu")
    assert [one.settings["model"] for one in found] == [PLANT[1].product, PLANT[2].product]


@pytest.mark.parametrize("rtu", [False, True])
async def test_device_without_a_product_stays_nameless(rtu):
    async with serve({1: PLANT[0].model(1)}, port=0, rtu=rtu) as port:
        (found,) = await found_at(port, framing="rtu" if rtu else "tcp")
    assert "model" not in found.settings
