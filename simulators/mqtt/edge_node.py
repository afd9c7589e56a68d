"""A Sparkplug edge node on a broker: births, data by alias, deaths, commands, and faults."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from components.payloads.errors import PayloadError
from components.sparkplug.metric import value_of
from components.sparkplug.payload import Payload, parse_payload
from simulators.mqtt.faults import HUGE_BYTES, Fault
from simulators.mqtt.press_line import Metric, PressLine, Type
from simulators.mqtt.session import Session, session
from simulators.mqtt.wire import Publish

RECONNECT_S = 0.2
SEQUENCE = 256
BITS_32, BITS_64 = (1 << 32) - 1, (1 << 64) - 1


def put(payload: Any, metric: Metric, *, birth: bool) -> None:
    """Add a metric to a payload: with its name in a birth, by its alias in data."""
    out = payload.metrics.add(alias=metric.alias, timestamp=payload.timestamp)
    if birth:
        out.name, out.datatype = metric.name.encode(), int(metric.type)
    if metric.historical:
        out.is_historical = True
    if metric.quality is not None:
        out.properties.keys.append(b"Quality")
        out.properties.values.add(type=3, int_value=metric.quality)
    if metric.type is Type.TEMPLATE:
        out.template_value.is_definition = False
    elif metric.value is None:
        out.is_null = True
    else:
        _put_value(out, metric.type, metric.value)


def _put_value(out: Any, kind: Type, value: float | str) -> None:
    if isinstance(value, str):
        out.string_value = value.encode()
    elif kind is Type.BOOLEAN:
        out.boolean_value = bool(value)
    elif kind is Type.FLOAT:
        out.float_value = value
    elif kind is Type.DOUBLE:
        out.double_value = value
    elif kind in {Type.INT64, Type.UINT64}:
        out.long_value = int(value) & BITS_64
    else:
        out.int_value = int(value) & BITS_32


class SimulatedNode:
    """An edge node; ``fault`` may be changed at any time."""

    def __init__(self, line: PressLine, *, seed: int = 0) -> None:
        self.line = line
        self.fault = Fault.NONE
        self.rebirths = 0
        """Births that were asked for."""
        self._rng = random.Random(seed)
        self._seq = 0
        self._bd_seq = -1
        self._sent: dict[int, Metric] = {}
        self._woken = asyncio.Event()
        self._device_alive = True
        self._turn = 0

    def set_fault(self, fault: Fault) -> None:
        """Misbehave like this from now on."""
        self.fault = fault
        self._woken.set()

    def topic(self, kind: str) -> str:
        """Give the topic of a message of this type."""
        own = f"spBv1.0/{self.line.group}/{kind}/{self.line.node}"
        return f"{own}/{self.line.device}" if kind.startswith("D") else own

    async def run(self, host: str, port: int) -> None:
        """Be born, report changes and die until cancelled."""
        while True:
            if self.fault is not Fault.DEATH:
                with contextlib.suppress(OSError):
                    await self._session(host, port)
            await self._sleep(RECONNECT_S)

    async def _session(self, host: str, port: int) -> None:
        self._bd_seq = (self._bd_seq + 1) % SEQUENCE
        will = Publish(self.topic("NDEATH"), self._death(), 1)
        name = f"sim-{self.line.node}"
        filters = [self.topic("NCMD"), f"{self.topic('DCMD').rpartition('/')[0]}/#"]
        async with session(host, port, name, will=will, filters=filters) as opened:
            await opened.converse(
                lambda topic, data: self._commanded(opened, topic, data), self._publish(opened)
            )

    async def _publish(self, opened: Session) -> None:
        self._births(opened)
        while self.fault is not Fault.DEATH:
            await self._sleep(self.line.interval_s)
            self.line.advance(self.line.interval_s)
            self._turn += 1
            if self.fault not in {Fault.SILENCE, Fault.DEATH}:
                self._report(opened)
        await opened.vanish()

    async def _sleep(self, seconds: float) -> None:
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    # --- what it says -----------------------------------------------------------------------------

    def _death(self) -> bytes:
        payload = Payload(timestamp=_now_ms())
        payload.metrics.add(name=b"bdSeq", datatype=int(Type.INT64), long_value=self._bd_seq)
        data: bytes = payload.SerializeToString()
        return data

    def _births(self, opened: Session) -> None:
        self._seq = 0
        self._sent.clear()
        node = Metric("bdSeq", Type.INT64, self._bd_seq, 0)
        self._say(opened, "NBIRTH", [node, *self.line.node_metrics()], birth=True)
        if self.fault is not Fault.HALF_CONFIGURED:
            self._say(opened, "DBIRTH", self.line.device_metrics(), birth=True)

    def _report(self, opened: Session) -> None:
        """Report by exception: only what changed."""
        if self.fault is Fault.FLAPPING:
            self._flap(opened)
            return
        if self.fault is Fault.SEQ_GAP:
            self._seq += 1
        for kind, metrics in (
            ("NDATA", self.line.node_metrics()),
            ("DDATA", self.line.device_metrics()),
        ):
            changed = [metric for metric in metrics if self._sent.get(metric.alias) != metric]
            if changed and not (kind == "DDATA" and self.fault is Fault.HALF_CONFIGURED):
                self._say(opened, kind, changed)

    def _flap(self, opened: Session) -> None:
        self._device_alive = not self._device_alive
        if self._device_alive:
            self._say(opened, "DBIRTH", self.line.device_metrics(), birth=True)
        else:
            self._say(opened, "DDEATH", [])

    def report_historical(self, opened: Session, metric: Metric) -> None:
        """Report a value that was kept."""
        self._say(opened, "DDATA", [metric])

    def _say(
        self, opened: Session, kind: str, metrics: Iterable[Metric], *, birth: bool = False
    ) -> None:
        payload = Payload(timestamp=_now_ms(), seq=self._seq % SEQUENCE)
        self._seq += 1
        for metric in metrics:
            put(payload, metric, birth=birth)
            self._sent[metric.alias] = metric
        data: bytes = payload.SerializeToString()
        if self.fault is Fault.GARBAGE and not birth:
            data = self._rng.randbytes(40)
        elif self.fault is Fault.WRONG_TYPE and not birth:
            data = _as_texts(payload)
        elif self.fault is Fault.HUGE and not birth:
            payload.body = bytes(4 * HUGE_BYTES)
            data = payload.SerializeToString()
        for _ in range(2 if self.fault is Fault.DUPLICATE else 1):
            opened.publish(self.topic(kind), data)

    # --- what it is told --------------------------------------------------------------------------

    def _commanded(self, opened: Session, topic: str, data: bytes) -> None:
        if self.fault is Fault.SILENCE:
            return
        try:
            payload = parse_payload(data)
        except PayloadError:
            return
        for metric in payload.metrics:
            name = metric.name.decode(errors="replace")
            if name == "Node Control/Rebirth" and topic == self.topic("NCMD"):
                self.rebirths += 1
                self._births(opened)
                return
            with contextlib.suppress(PayloadError):
                self.line.command(name, value_of(metric, metric.datatype))
        self._report(opened)


def _as_texts(payload: Any) -> bytes:
    for metric in payload.metrics:
        metric.string_value = b"unknown"
    data: bytes = payload.SerializeToString()
    return data


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def serve_node(line: PressLine, host: str, port: int) -> AsyncIterator[SimulatedNode]:
    """Run an edge node on a broker."""
    node = SimulatedNode(line)
    task = asyncio.create_task(node.run(host, port))
    try:
        yield node
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
