"""Puts a simulated device on a broker, with faults that can be switched while it runs."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulators.mqtt.devices import OFFLINE, ONLINE, Model, availability
from simulators.mqtt.faults import Fault, distorted
from simulators.mqtt.session import Session, session

RECONNECT_S = 0.2


class RunningDevice:
    """A device that publishes; ``fault`` may be changed at any time."""

    def __init__(self, model: Model, *, seed: int = 0) -> None:
        self.model = model
        self.fault = Fault.NONE
        self._rng = random.Random(seed)
        self._woken = asyncio.Event()
        self._turn = 0

    def set_fault(self, fault: Fault) -> None:
        """Misbehave like this from now on."""
        self.fault = fault
        self._woken.set()

    async def run(self, host: str, port: int) -> None:
        """Publish until cancelled; a broker that is gone is tried again."""
        while True:
            if self.fault is Fault.DEATH:
                await self._sleep(RECONNECT_S)
                continue
            with contextlib.suppress(OSError):
                await self._session(host, port)
            await asyncio.sleep(RECONNECT_S)

    async def _session(self, host: str, port: int) -> None:
        will = availability(self.model, OFFLINE)
        name = f"sim-{self.model.name}"
        async with session(host, port, name, will=will, filters=self.model.filters) as opened:
            await opened.converse(
                lambda topic, data: self._commanded(opened, topic, data), self._publish(opened)
            )

    async def _publish(self, opened: Session) -> None:
        opened.publish(*availability(self.model, ONLINE)[:2], qos=1, retain=True)
        while self.fault is not Fault.DEATH:
            self._turn += 1
            if self.fault is Fault.FLAPPING:
                word = OFFLINE if self._turn % 2 else ONLINE
                opened.publish(*availability(self.model, word)[:2], qos=1, retain=True)
            if self.fault is not Fault.FLAPPING or self._turn % 2 == 0:
                for message in distorted(self.fault, self.model.messages(), self._rng):
                    opened.publish(message.topic, message.payload, retain=message.retain)
            await self._sleep(self.model.interval_s)
            self.model.advance(self.model.interval_s)
        await opened.vanish()

    async def _sleep(self, seconds: float) -> None:
        """Wait, or until the fault changes."""
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _commanded(self, opened: Session, topic: str, payload: bytes) -> None:
        if self.fault is Fault.SILENCE:
            return
        for message in self.model.command(topic, payload):
            opened.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)


@asynccontextmanager
async def serve(model: Model, host: str, port: int) -> AsyncIterator[RunningDevice]:
    """Run a device on a broker."""
    device = RunningDevice(model)
    task = asyncio.create_task(device.run(host, port))
    try:
        yield device
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
