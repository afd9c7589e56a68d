"""Whatever happens on a serial line, a value that is called good is the right one."""

import random

import pytest

from components.modbus import turns
from components.modbus.driver import driver
from edge_runtime.errors import DeviceError
from edge_runtime.model import Quality
from simulators.modbus import faulty_rtu as faults
from simulators.modbus.faults import FaultyDevice
from simulators.modbus.faulty_rtu import serve_faulty_rtu

TIMEOUT_S = 0.02
ROUNDS = 60
PLACES = range(0, 400, 100)
"""Too far apart to be read together: four requests whose answers look alike."""


def settings_of(port, unit):
    points = [{"name": f"p{place}", "address": place} for place in PLACES]
    serial = {"port": port, "parity": "none", "baudrate": 115_200}
    return driver.settings(
        name=f"unit-{unit}", serial=serial, unit=unit, timeout_s=TIMEOUT_S, points=points, max_gap=0
    )


def any_fault(chance):
    return chance.choice([
        faults.Mute(), faults.HalfFrame(), faults.Flipped(), faults.InPieces(0.002), faults.Echo(),
        faults.Noise(chance.randbytes(3)), faults.Noise(chance.randbytes(9), answered=False),
        faults.OtherUnit(2), faults.OtherUnit(1, alone=False), faults.Refusal(6),
        faults.Late(chance.uniform(0.5, 1.4) * TIMEOUT_S),
        faults.Late(chance.uniform(1.0, 4.0) * TIMEOUT_S),
        faults.LineFault(), faults.LineFault(), faults.LineFault(),
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
async def test_no_good_value_is_wrong(seed, monkeypatch):
    monkeypatch.setattr(turns, "MIN_PAUSE_S", 0.0)  # or silent units would soon be left alone
    monkeypatch.setattr(turns, "PAUSE_PER_TIMEOUT", 0.0)
    chance = random.Random(seed)
    device = FaultyDevice(registers={place: 1_000 + place for place in PLACES}, units={1, 2})
    good = wrong = 0
    async with (
        serve_faulty_rtu(device) as port,
        driver.open_device(settings_of(port, 1)) as one,
        driver.open_device(settings_of(port, 2)) as two,
    ):
        for _ in range(ROUNDS):
            device.once[:] = [any_fault(chance)]
            names = [f"p{place}" for place in chance.sample(PLACES, k=chance.choice([1, 1, 2]))]
            try:
                readings = await chance.choice([one, two]).read(names)
            except DeviceError:
                continue
            for reading in readings:
                if reading.quality is Quality.GOOD:
                    good += 1
                    wrong += reading.value != 1_000 + int(reading.point[1:])
    assert wrong == 0
    assert good > ROUNDS / 3
