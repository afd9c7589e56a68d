"""What the runtime says of devices while their adapter is away.

An adapter that is started again within ``ABSENT_S`` is nothing to tell: its own outbox kept what it
read. Longer, and its devices are silent: the rules no longer trust their last values, and an event
says so, once, until the device's next good value. Samples are the adapter's alone to make: none is
made here, so that none can contradict what it hands over later.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from cloud_sync.wire.events import DeviceBack, DeviceSilent, EventKind
from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.happenings import make_event
from edge_runtime.model import Quality, Reading, Reason
from edge_runtime.normalise import Normalised
from edge_runtime.outages import Outages

ABSENT_S = 10.0
CHECK_S = 1.0

Points = Mapping[str, Sequence[str]]
"""Keys of the points of each device."""

log = logging.getLogger(__name__)


class Absence:
    """Watches which adapters are there."""

    def __init__(
        self, adapters: Mapping[str, Points], bus: Bus, outages: Outages, clock: Clock
    ) -> None:
        self._adapters = adapters
        self._bus = bus
        self._outages = outages
        self._clock = clock
        self._gone_at: dict[str, float | None] = dict.fromkeys(adapters, clock.monotonic())

    def came(self, adapter: str) -> None:
        """Note that an adapter is connected."""
        if adapter in self._gone_at:
            self._gone_at[adapter] = None

    def went(self, adapter: str) -> None:
        """Note that an adapter is not connected any more."""
        if adapter in self._gone_at:
            self._gone_at[adapter] = self._clock.monotonic()

    def heard(self, normalised: Normalised) -> None:
        """Note present values: a good one ends a device's silence."""
        since_us = self._outages.since_us(normalised.device)
        if since_us is None or all(r.quality is Quality.BAD for r in normalised.readings):
            return
        now_us = self._clock.wall_us()
        self._outages.end(normalised.device)
        log.info("device %s is back with its adapter", normalised.device)
        body = DeviceBack(normalised.device, round(max(0, now_us - since_us) / 1e6, 3))
        self._bus.event(make_event(EventKind.DEVICE_BACK, body, now_us))

    def look(self) -> None:
        """Tell which devices fell silent because their adapter is away too long."""
        now = self._clock.monotonic()
        for adapter, gone_at in self._gone_at.items():
            if gone_at is not None and now - gone_at >= ABSENT_S:
                self._tell(adapter, self._adapters[adapter].items())

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(CHECK_S)
            self.look()

    def _tell(self, adapter: str, devices: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._gone_at[adapter] = None
        now_us = self._clock.wall_us()
        reason = f"the adapter {adapter} does not run"
        log.warning("%s", reason)
        for device, points in devices:
            lost = [Reading(p, None, Quality.BAD, Reason.STALE, None, now_us) for p in points]
            self._bus.readings(Normalised(device, lost, ()))
            if self._outages.since_us(device) is None:
                self._outages.begin(device, now_us)
                body = DeviceSilent(device, reason)
                self._bus.event(make_event(EventKind.DEVICE_SILENT, body, now_us))
