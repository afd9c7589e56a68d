"""A rain-water tank on a roof: level, temperatures, a pump that can be switched, a long log.

It rains now and then, the house draws water in the morning and in the evening, a pump fills the
header tank. ``/tank`` is one SenML pack, ``/status`` one JSON document, the rest plain values.
"""

import json
import random

from components.payloads.senml import CBOR_FORMAT, JSON_FORMAT, Record, encode_cbor, encode_json
from simulators.coap.resources import JSON, Resource
from simulators.modbus.signals import Lag, Wander, clamp, day

CAPACITY_L = 6_000.0
HEIGHT_M = 1.9
PUMP_L_S = 0.6
BASE_NAME = "urn:dev:mac:0024befffe804ff1:"
LOG_LINES = 60


class RainTank:
    """The device as physics and as resources."""

    def __init__(self, seed: int = 7) -> None:
        rng = random.Random(seed)
        self.litres = 3_900.0
        self.rain = Wander(rng, 0.08, 600.0)
        self.air = Lag(11.0, 900.0)
        self.gusts = Wander(rng, 0.4, 60.0)
        self.damp = Wander(rng, 4.0, 300.0)
        self.battery_v = 3.58
        self.pump = True
        self.low_limit_l = 800.0
        self.t = 0.0

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass, up to ``t`` after the start, ``of_day`` after midnight."""
        self.t = t
        rain = max(0.0, self.rain.advance(dt))
        drawn = 0.05 + 0.08 * max(0.0, day(of_day, 7.5)) + 0.06 * max(0.0, day(of_day, 19.0))
        pumped = PUMP_L_S if self.pump and (t % 90) < 12 else 0.0  # noqa: PLR2004 - 12 s in 90
        self.litres = clamp(self.litres + (rain - drawn - 0.1 * pumped) * dt, 0.0, CAPACITY_L)
        self.air.advance(12.0 + 5.0 * day(of_day, 15.0), dt)
        self.gusts.advance(dt)
        self.damp.advance(dt)
        self.battery_v = max(3.0, self.battery_v - 1e-8 * dt)

    @property
    def level_m(self) -> float:
        """Height of the water."""
        return HEIGHT_M * self.litres / CAPACITY_L

    def resources(self) -> dict[str, Resource]:
        """Give what it offers, by path."""
        return {
            "/sensors/temperature": Resource(
                self._temperature,
                observable=True, title="Air temperature, Cel", max_age=30,
            ),
            "/sensors/humidity": Resource(
                self._humidity,
                observable=True, title="Humidity, %", max_age=30,
            ),
            "/tank": Resource(
                lambda: encode_json(self._records(), base_name=BASE_NAME),
                content_format=JSON_FORMAT, observable=True, title="Tank", max_age=30,
            ),
            "/tank.cbor": Resource(
                lambda: encode_cbor(self._records(), base_name=BASE_NAME),
                content_format=CBOR_FORMAT, title="Tank as CBOR",
            ),
            "/status": Resource(self._status, content_format=JSON, title="Status"),
            "/pump": Resource(
                lambda: b"on" if self.pump else b"off",
                observable=True, put=self._switch, title="Pump", max_age=30,
            ),
            "/settings/low-limit": Resource(
                self._low_limit, put=self._set_limit, title="Low limit, l"
            ),
            "/log": Resource(self._log, title="Log"),
        }  # fmt: skip

    def _temperature(self) -> bytes:
        return f"{self.air.value + self.gusts.value:.2f}".encode()

    def _humidity(self) -> bytes:
        return f"{clamp(71 + self.damp.value, 0, 100):.1f}".encode()

    def _low_limit(self) -> bytes:
        return f"{self.low_limit_l:g}".encode()

    def _records(self) -> list[Record]:
        return [
            Record(f"{BASE_NAME}level", "m", round(self.level_m, 3)),
            Record(f"{BASE_NAME}volume", "l", round(self.litres, 1)),
            Record(f"{BASE_NAME}low", "", self.litres < self.low_limit_l),
        ]

    def _status(self) -> bytes:
        document = {
            "uptime": int(self.t),
            "battery": {"volt": round(self.battery_v, 3), "low": self.battery_v < 3.2},  # noqa: PLR2004
            "firmware": "2.4.1",
        }
        return json.dumps(document).encode()

    def _switch(self, payload: bytes) -> bool:
        words = {
            b"on": True,
            b"true": True,
            b"1": True,
            b"off": False,
            b"false": False,
            b"0": False,
        }
        self.pump = words.get(payload, self.pump)
        return payload in words

    def _set_limit(self, payload: bytes) -> bool:
        try:
            litres = float(payload)
        except ValueError:
            return False
        if not 0 <= litres <= CAPACITY_L:
            return False
        self.low_limit_l = litres
        return True

    def _log(self) -> bytes:
        return "\n".join(
            f"{line:03} the tank was looked after" for line in range(LOG_LINES)
        ).encode()
