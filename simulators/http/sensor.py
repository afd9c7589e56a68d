"""A room sensor that posts what it measures, as JSON or as a SenML pack."""

import asyncio
import json
import random
import ssl
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from components.payloads.senml import CBOR_TYPE, JSON_TYPE, Record, encode_cbor, encode_json
from simulators.modbus.signals import Lag, Wander, clamp, day

DAY_S = 86_400
READ_S = 5.0
FORMATS = ("json", "senml+json", "senml+cbor")
MAX_ANSWER_BYTES = 65_536


class RoomSensor:
    """Temperature, humidity, carbon dioxide and its own battery."""

    def __init__(self, seed: int = 8) -> None:
        rng = random.Random(seed)
        self.people = Wander(rng, 120.0, 900.0)
        self.draught = Wander(rng, 0.3, 200.0)
        self.flutter = Wander(rng, 0.05, 5.0)
        self.co2 = Lag(600.0, 300.0)
        self.temperature = 21.0
        self.battery_v = 3.02

    def advance(self, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        self.flutter.advance(dt)
        self.temperature = 21.0 + 1.2 * day(of_day, 15.0) + self.draught.advance(dt)
        self.co2.advance(clamp(620 + self.people.advance(dt), 410, 2_000), dt)
        self.battery_v = max(2.0, self.battery_v - 2e-8 * dt)

    def values(self) -> dict[str, tuple[float, str]]:
        """Give values and their SenML units by name."""
        return {
            "temperature": (round(self.temperature + self.flutter.value, 2), "Cel"),
            "humidity": (round(clamp(52 - 2 * (self.temperature - 21), 10, 95), 1), "%RH"),
            "co2": (round(self.co2.value), "ppm"),
            "battery": (round(self.battery_v, 3), "V"),
        }


def message(sensor: RoomSensor, form: str, now_us: int) -> tuple[bytes, str]:
    """Give a body and its media type. Pure."""
    values = sensor.values()
    if form == "json":
        body = {"time": now_us // 1000, **{name: value for name, (value, _) in values.items()}}
        return json.dumps(body).encode(), "application/json"
    records = [
        Record(f"room:{name}", unit, value, time_us=now_us)
        for name, (value, unit) in values.items()
    ]
    if form == "senml+cbor":
        return encode_cbor(records), CBOR_TYPE
    return encode_json(records, base_name="room:"), JSON_TYPE


@dataclass
class Posting:
    """Where a sensor posts to, and what became of it."""

    host: str
    port: int
    device: str
    token: str = field(repr=False)
    form: str = "json"
    tls: ssl.SSLContext | None = None
    statuses: list[int] = field(default_factory=list)
    """Of all posts; 0 where nobody answered."""

    async def post(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        """Post one message on a connection of its own; gives status and answer, 0 for none."""
        try:
            async with asyncio.timeout(READ_S):
                found = await self._exchange(body, media_type)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            found = 0, b""
        self.statuses.append(found[0])
        return found

    async def _exchange(self, body: bytes, media_type: str) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
        try:
            writer.write(
                f"POST /push/{self.device} HTTP/1.1\r\nHost: {self.host}\r\n"
                f"Authorization: Bearer {self.token}\r\nContent-Type: {media_type}\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
            status = int((await reader.readline()).split()[1])
            head = await reader.readuntil(b"\r\n\r\n")
            _ = head
            return status, await reader.read(MAX_ANSWER_BYTES)
        finally:
            writer.close()

    async def run(self, sensor: RoomSensor, interval_s: float) -> None:
        """Post for ever, every ``interval_s``; what cannot be delivered is lost."""
        while True:
            sensor.advance(interval_s, time.time() % DAY_S)
            body, media_type = message(sensor, self.form, time.time_ns() // 1000)
            await self.post(body, media_type)
            await asyncio.sleep(interval_s)

    @property
    def taken(self) -> int:
        """Posts that were accepted."""
        return self.statuses.count(HTTPStatus.OK)
