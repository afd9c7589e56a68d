"""An air-to-water heat pump with a JSON API, as small web servers in such devices have them.

| resource | what it is |
|---|---|
| ``/api/v1/status`` | state and measurements |
| ``/api/v1/circuits`` | the heating circuits, a list |
| ``/api/v1/settings`` | set points; ``PUT {"flow_set_point": 38.5}`` changes them |
| ``/api/v1/firmware`` | plain text |
| ``/api/v1/senml`` | measurements as a SenML pack |
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from components.payloads.senml import JSON_TYPE, Record, encode_json
from simulators.http.server import Reply, json_reply
from simulators.modbus.signals import Lag, Wander, clamp, day

SERIAL = "HP-11-0832"
FIRMWARE = "2.14.3"
DEFROST_EVERY_S, DEFROST_S = 2_700.0, 240.0
LOWEST, HIGHEST = 20.0, 60.0
"""Flow set points that it takes, in degrees."""
RATED_KW = 11.0


class HeatPump:
    """Time in, JSON out."""

    def __init__(self, seed: int = 5) -> None:
        rng = random.Random(seed)
        self.flow_set_point = 35.0
        self.weather = Wander(rng, 1.5, 5_400.0)
        self.flutter = Wander(rng, 0.15, 8.0)
        self.load = Wander(rng, 0.08, 300.0)
        self.flow = Lag(33.0, 90.0)
        self.tank = Lag(48.0, 3_600.0)
        self.speed = Lag(0.45, 20.0)
        self.outside = 5.0
        self.energy_kwh = 18_204.0
        self.starts = 4_127
        self.t = 0.0
        self.running = True

    @property
    def defrosting(self) -> bool:
        """Whether it melts ice off the evaporator: below 5 degrees, every 45 minutes."""
        return self.outside < 5.0 and self.t % DEFROST_EVERY_S > DEFROST_EVERY_S - DEFROST_S  # noqa: PLR2004

    @property
    def state(self) -> str:
        """In the device's words."""
        if self.defrosting:
            return "defrosting"
        return "heating" if self.running else "standby"

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        self.t = t
        self.weather.advance(dt)
        self.flutter.advance(dt)
        self.outside = 4.5 + 4.0 * day(of_day, 15.0) + self.weather.value
        need = clamp((20.0 - self.outside) / 26.0 + self.load.advance(dt), 0.0, 1.0)
        wanted = self.running
        if self.flow.value > self.flow_set_point + 3.0:
            wanted = False
        elif self.flow.value < self.flow_set_point - 1.0:
            wanted = True
        self.starts += wanted and not self.running
        self.running = wanted
        speed = self.speed.advance(
            0.25 + 0.75 * need if wanted and not self.defrosting else 0.0, dt
        )
        self.flow.advance(self.flow_set_point - 4.0 + 10.0 * speed - 3.0 * need, dt)
        self.tank.advance(48.0 + 2.0 * day(of_day, 5.0), dt)
        self.energy_kwh += self.power_kw * dt / 3600.0

    @property
    def power_kw(self) -> float:
        """Electrical power."""
        return 0.02 + RATED_KW / 3.4 * self.speed.value

    @property
    def cop(self) -> float:
        """Coefficient of performance: less the more it must lift."""
        return clamp(6.6 - 0.075 * (self.flow.value - self.outside), 1.5, 6.5)

    def answer(self, method: str, path: str, body: Any) -> Reply | None:
        """Answer a request; None where there is nothing of that name."""
        if path == "/api/v1/settings" and method in {"PUT", "PATCH", "POST"}:
            return self._set(body)
        make = self._resources.get(path) if method == "GET" else None
        return make() if make is not None else None

    @property
    def _resources(self) -> Mapping[str, Callable[[], Reply]]:
        return {
            "/api/v1/status": lambda: json_reply(self._status()),
            "/api/v1/circuits": lambda: json_reply({"circuits": self._circuits()}),
            "/api/v1/settings": lambda: json_reply({"flow_set_point": self.flow_set_point}),
            "/api/v1/firmware": lambda: Reply(200, f"{FIRMWARE}\n".encode(), "text/plain"),
            "/api/v1/senml": lambda: Reply(
                200, encode_json(self._records(), base_name="hp:"), JSON_TYPE
            ),
        }

    def _set(self, body: Any) -> Reply:
        value = body.get("flow_set_point") if isinstance(body, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return json_reply({"error": "flow_set_point must be a number"}, 422)
        if not LOWEST <= value <= HIGHEST:
            return json_reply({"error": f"flow_set_point: {LOWEST:g} to {HIGHEST:g}"}, 422)
        self.flow_set_point = float(value)
        return json_reply({"flow_set_point": self.flow_set_point})

    def _status(self) -> Mapping[str, Any]:
        return {
            "serial": SERIAL,
            "state": self.state,
            "compressor": {
                "running": self.speed.value > 0.02,  # noqa: PLR2004 - it coasts
                "speed": round(100 * self.speed.value, 1),
                "starts": self.starts,
            },
            "temperatures": {
                "outside": round(self.outside, 1),
                "flow": round(self.flow.value + self.flutter.value, 1),
                "return": round(self.flow.value - 5.0 * self.speed.value, 1),
                "tank": round(self.tank.value, 1),
                "solar": None,
            },
            "power": {"electrical_kw": round(self.power_kw, 2), "cop": round(self.cop, 2)},
            "energy_kwh": round(self.energy_kwh, 2),
        }

    def _circuits(self) -> list[Mapping[str, Any]]:
        flow = self.flow.value
        return [
            {"name": "floor", "flow": round(flow - 1.2, 1), "pump": self.running},
            {"name": "radiators", "flow": round(flow - 0.4, 1), "pump": self.running},
        ]

    def _records(self) -> list[Record]:
        return [
            Record("hp:outside", "Cel", round(self.outside, 1)),
            Record("hp:flow", "Cel", round(self.flow.value, 1)),
            Record("hp:power", "kW", round(self.power_kw, 2)),
        ]
