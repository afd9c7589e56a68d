"""Three devices that publish in three ways: plain topics, one JSON document, a SenML pack.

| device | topics below ``site/`` | how |
|---|---|---|
| boiler | ``boiler/flow``, ``boiler/return``, ``boiler/pump``, ``boiler/setpoint`` | plain, retained |
| weather station | ``weather/observation`` | a JSON document with its time |
| cold room | ``cold-room/senml`` | SenML |
"""

import json
import random
import time
from typing import Protocol

from simulators.modbus.signals import Lag, Wander, clamp, day
from simulators.mqtt.wire import Publish

ROOT = "site"
MIN_SETPOINT, MAX_SETPOINT = 20.0, 85.0
ONLINE, OFFLINE = "online", "offline"


class Model(Protocol):
    """A device as physics: time in, messages out."""

    name: str
    interval_s: float
    """How often it publishes."""
    filters: tuple[str, ...]
    """Where it takes commands."""

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        ...

    def messages(self) -> list[Publish]:
        """Give what it publishes now."""
        ...

    def command(self, topic: str, payload: bytes) -> list[Publish]:
        """Take a command; gives what it publishes about it."""
        ...


def availability(model: Model, word: str) -> Publish:
    """Give the message by which a device, or its last will, says whether it is there."""
    return Publish(f"{ROOT}/{model.name}/status", word.encode(), 1, retain=True)


class Boiler:
    """A boiler with a pump: takes ``pump/set`` (ON, OFF) and ``setpoint/set`` (JSON with an id)."""

    name = "boiler"
    interval_s = 1.0

    def __init__(self, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.setpoint = 62.0
        self.pump = True
        self._flow = Lag(58.0, 45.0)
        self._return = Lag(46.0, 90.0)
        self._noise = Wander(rng, 0.15, 5.0)
        self._at = f"{ROOT}/{self.name}"
        self.filters: tuple[str, ...] = (f"{self._at}/pump/set", f"{self._at}/setpoint/set")

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass: the flow follows the setpoint, the return the flow."""
        self._flow.advance(self.setpoint if self.pump else 24.0, dt)
        self._return.advance(self._flow.value - (12.0 if self.pump else 2.0), dt)
        self._noise.advance(dt)

    def messages(self) -> list[Publish]:
        """Give one plain message a value."""
        values = {
            "flow": f"{self._flow.value + self._noise.value:.2f}",
            "return": f"{self._return.value + self._noise.value:.2f}",
            "pump": "ON" if self.pump else "OFF",
            "setpoint": f"{self.setpoint:.1f}",
        }
        return [
            Publish(f"{self._at}/{place}", text.encode(), retain=True)
            for place, text in values.items()
        ]

    def command(self, topic: str, payload: bytes) -> list[Publish]:
        """Switch the pump, or set the flow's temperature and answer."""
        if topic == self.filters[0]:
            if payload in {b"ON", b"OFF"}:
                self.pump = payload == b"ON"
            return self.messages()
        try:
            asked = json.loads(payload)
            value, number = float(asked["value"]), asked.get("id")
        except (ValueError, TypeError, KeyError, AttributeError):
            return [Publish(f"{self._at}/setpoint/answer", b'{"error":"not understood"}', 1)]
        answer = {"id": number}
        if MIN_SETPOINT <= value <= MAX_SETPOINT:
            self.setpoint = value
        else:
            answer["error"] = f"from {MIN_SETPOINT:g} to {MAX_SETPOINT:g}"
        said = Publish(f"{self._at}/setpoint/answer", json.dumps(answer).encode(), 1)
        return [*self.messages(), said]


class WeatherStation:
    """A station on the roof."""

    name = "weather"
    interval_s = 1.0
    filters: tuple[str, ...] = ()

    def __init__(self, seed: int = 2) -> None:
        rng = random.Random(seed)
        self._temperature = Wander(rng, 0.8, 600.0)
        self._humidity = Wander(rng, 4.0, 900.0)
        self._wind = Wander(rng, 1.6, 8.0)
        self._pressure = Wander(rng, 3.0, 7_200.0)
        self._rain_mm = 0.0

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        for wander in (self._temperature, self._humidity, self._wind, self._pressure):
            wander.advance(dt)
        if self._humidity.value > 4:  # noqa: PLR2004 - damp enough to rain
            self._rain_mm += 0.0004 * dt

    def messages(self) -> list[Publish]:
        """Give the whole observation."""
        now = time.time()
        warmth = day(now % 86_400, 15.0)
        document = {
            "time": round(now * 1_000),
            "air": {
                "temperature": round(11 + 5 * warmth + self._temperature.value, 2),
                "humidity": round(clamp(68 - 14 * warmth + self._humidity.value, 5, 100), 1),
                "pressure": round(1013 + self._pressure.value, 1),
            },
            "wind": [round(abs(3.2 + self._wind.value), 1), "SW"],
            "rain_mm": round(self._rain_mm, 2),
            "battery_low": False,
        }
        return [Publish(f"{ROOT}/{self.name}/observation", json.dumps(document).encode())]

    def command(self, topic: str, payload: bytes) -> list[Publish]:
        """Take nothing."""
        _ = topic, payload
        return []


class ColdRoom:
    """A cold room whose door is opened now and then."""

    name = "cold-room"
    interval_s = 1.0
    filters: tuple[str, ...] = ()

    def __init__(self, seed: int = 3) -> None:
        self._rng = random.Random(seed)
        self._temperature = Lag(-18.5, 120.0)
        self._noise = Wander(self._rng, 0.08, 6.0)
        self._open_s = 0.0

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        if self._open_s > 0:
            self._open_s -= dt
        elif self._rng.random() < dt / 90:
            self._open_s = self._rng.uniform(8, 20)
        self._temperature.advance(-9.0 if self._open_s > 0 else -19.0, dt)
        self._noise.advance(dt)

    def messages(self) -> list[Publish]:
        """Give a pack of records."""
        pack = [
            {"bn": f"urn:dev:ow:{self.name}:", "bt": round(time.time(), 3),
             "n": "temperature", "u": "Cel",
             "v": round(self._temperature.value + self._noise.value, 2)},
            {"n": "door", "vb": self._open_s > 0},
        ]  # fmt: skip
        return [Publish(f"{ROOT}/{self.name}/senml", json.dumps(pack).encode())]

    def command(self, topic: str, payload: bytes) -> list[Publish]:
        """Take nothing."""
        _ = topic, payload
        return []
