"""The wire of a gateway, spoken by hand.

wire            await wire(gateway) -> Wire: seals batches, posts uploads, reads the answers
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from cloud_sync.wire import paths
from cloud_sync.wire.batch import ClockQuality, Seal, Stream, seal_batch
from cloud_sync.wire.events import DeviceDeclared, Event, EventKind, PointDeclared, encode_events
from cloud_sync.wire.samples import Sample, encode_samples
from cloud_sync.wire.uplink import Backlog, Upload, decode_reply

POINTS = (
    PointDeclared("flow", "float", "m3/h"),
    PointDeclared("on", "boolean"),
    PointDeclared("state", "text"),
)

NOTHING_WAITS = Backlog(0, 0)


@dataclass
class Wire:
    client: Any
    gateway: Any
    epoch: str = "0123456789abcdef"
    numbers: dict[str, Any] = field(default_factory=dict)
    now: int = field(default_factory=lambda: time.time_ns() // 1_000_000_000 * 1_000_000)

    def batch(self, stream: Stream, payload: bytes, times: list[int], seq: int | None = None):
        numbers = self.numbers.setdefault(stream, count(1))
        seal = Seal(stream, self.epoch, seq or next(numbers), "boot", 1, ClockQuality.SYNCHRONISED)
        return seal_batch(
            seal, count=len(times), first_us=min(times), last_us=max(times), payload=payload
        )

    def samples(self, *samples: Sample, seq: int | None = None) -> bytes:
        times = [sample.received_us for sample in samples]
        return self.batch(Stream.SAMPLES, encode_samples(samples), times, seq)

    def events(self, *events: Event, seq: int | None = None) -> bytes:
        times = [event.time_us for event in events]
        return self.batch(Stream.EVENTS, encode_events(list(events)), times, seq)

    def event(self, kind: str, time_us: int, /, **body: Any) -> Event:
        return Event(uuid4().hex, kind, time_us, body)

    def declaration(self, time_us: int, *points: PointDeclared) -> Event:
        device = DeviceDeclared("pump", "modbus", points=list(points or POINTS))
        body = {"devices": msgspec.to_builtins([device])}
        return self.event(EventKind.POINTS_DECLARED, time_us, **body)

    async def post(
        self, *batches: bytes, backlog: Backlog = NOTHING_WAITS
    ) -> list[tuple[str, str]]:
        answer = await self.post_raw(
            msgspec.msgpack.encode(Upload(backlog, "1.2.3", list(batches)))
        )
        assert answer.status_code == 200, answer.text
        return [(r.outcome.value, r.reason) for r in decode_reply(answer.content).results]

    async def post_raw(self, body: bytes) -> httpx.Response:
        return await self.client.post(paths.UPLINK, content=body, headers=self.gateway.headers)


@pytest.fixture
def wire(client, add_tenant, add_gateway) -> Callable[..., Awaitable[Wire]]:
    async def made(gateway: Any = None) -> Wire:
        return Wire(client, gateway or await add_gateway(await add_tenant()))

    return made
