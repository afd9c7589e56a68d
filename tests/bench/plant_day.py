"""A day of the demo plant as samples: its models, their registers, our decoder and normalisation.

Only the line between is missing. The models walk through the whole day; their devices are read in
slices of it, one at the same minute of every hour.
"""

import random
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from cloud_sync.wire.samples import Sample
from components.drivers import find_driver
from components.modbus.plan import Request, plan_requests
from components.modbus.reading import Prepared, prepare
from components.modbus.settings import Table
from edge_runtime.model import Reading
from edge_runtime.normalise import Normaliser
from edge_runtime.settings import load_settings
from simulators.modbus.image import Image
from simulators.modbus.plant import PLANT, PlantDevice, Simulated

HOURS = 24
HOUR_S = 3_600
START_US = 1_764_000_000_000_000
ANSWER_S = 0.006
"""About how long after its second a device has answered."""


class _Device:
    """One device with its model; read without a line."""

    def __init__(self, place: int, device: PlantDevice, settings: Any) -> None:
        self.plan = device
        self.settings = settings
        self.simulated = Simulated(device.model(place + 1))
        self.normaliser = Normaliser(settings)
        self._rng = random.Random(place)
        self._prepared: dict[tuple[str, ...], list[Prepared]] = {}

    def read(self, t: int) -> tuple[Sequence[Reading], Sequence[Reading]]:
        """Give all readings of the points that are due, and those worth sending."""
        own = self.settings
        due = [p for p in own.points if t % max(1, round(p.interval_s or own.interval_s)) == 0]
        received_us = START_US + round(1e6 * (t + ANSWER_S + self._rng.expovariate(1 / 0.002)))
        if self.plan.silent(t):
            names = [point.name for point in due]
            found = self.normaliser.fail(names, "no_answer", received_us, float(t))
        else:
            image = self.simulated.model.image()
            raw = [
                r for each in self._requests(due) for r in each.decode(_data(each.request, image))
            ]
            found = self.normaliser.take(raw, received_us, float(t))
        return found.readings, found.reported

    def _requests(self, due: list[Any]) -> list[Prepared]:
        names = tuple(point.name for point in due)
        if names not in self._prepared:
            requests = plan_requests(self.settings, due)
            self._prepared[names] = [prepare(request, self.settings) for request in requests]
        return self._prepared[names]


def plant_day(slice_s: int) -> Iterator[tuple[list[Sample], list[Sample]]]:
    """Give each second of the slices: every reading as a sample, and those worth sending."""
    devices = _devices()
    for hour in range(HOURS):
        start = hour * HOUR_S
        for device in devices:
            device.simulated.advance(float(start))
            device.normaliser.forget()
        for t in range(start, start + slice_s):
            every: list[Sample] = []
            reported: list[Sample] = []
            for device in devices:
                device.simulated.advance(float(t))
                readings, worth = device.read(t)
                every += map(_sample, readings)
                reported += map(_sample, worth)
            yield every, reported


def _sample(reading: Reading) -> Sample:
    return Sample(
        reading.point, reading.received_us, reading.value, reading.quality, reading.reason,
        reading.source_us,
    )  # fmt: skip


def _devices() -> list[_Device]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.yaml"
        file.write_text(yaml.safe_dump(_gateway()), encoding="utf-8")
        configured = load_settings(file, find_driver).devices
    pairs = zip(PLANT, configured, strict=True)
    return [_Device(place, plan, own.settings) for place, (plan, own) in enumerate(pairs)]


def _gateway() -> dict[str, Any]:
    devices = [
        {
            "name": device.name, "protocol": "modbus", "profile": device.profile,
            "host": "127.0.0.1", "port": 5020 + device.port, "unit": device.unit,
        }
        for device in PLANT
    ]  # fmt: skip
    cloud = {"url": "https://cloud.example:8443"}
    return {
        "gateway": {"name": "cellar-1", "state_dir": "state", "cloud": cloud},
        "devices": devices,
    }


def _data(request: Request, image: Image) -> bytes:
    """Lay out what the device would answer to a request."""
    addresses = range(request.first, request.first + request.count)
    if request.table.is_bits:
        bits = image.coils if request.table is Table.COIL else image.discretes
        number = sum(bits.get(address, False) << i for i, address in enumerate(addresses))
        return number.to_bytes(request.data_bytes, "little")
    words = image.holding if request.table is Table.HOLDING else image.inputs
    return struct.pack(f">{request.count}H", *(words.get(address, 0) for address in addresses))
