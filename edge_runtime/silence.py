"""A device that does not answer: said once when it begins and once when it ends."""

import logging

from cloud_sync.wire.events import DeviceBack, DeviceSilent, EventKind
from edge_runtime.bus import Bus
from edge_runtime.clock import Clock
from edge_runtime.device_status import DeviceStatus
from edge_runtime.happenings import make_event
from edge_runtime.outages import Outages

logger = logging.getLogger(__name__)


class Silence:
    """Whether one device is silent; an event, a line of the log and the journal know it too."""

    def __init__(
        self, device: str, status: DeviceStatus, bus: Bus, clock: Clock, outages: Outages | None
    ) -> None:
        self._device = device
        self._status = status
        self._bus = bus
        self._clock = clock
        self._outages = outages
        self._since: float | None = None
        status.silent_since_us = outages.since_us(device) if outages else None

    def begin(self, text: str) -> None:
        """Note that the device does not answer, and why."""
        status = self._status
        status.silent_reason = text
        if status.silent_since_us is not None:
            return
        wall = self._clock.wall_us()
        self._since, status.silent_since_us = self._clock.monotonic(), wall
        logger.warning("device %s is silent: %s", self._device, text)
        body = DeviceSilent(self._device, text)
        self._bus.event(make_event(EventKind.DEVICE_SILENT, body, wall))
        if self._outages is not None:
            self._outages.begin(self._device, wall)

    def end(self) -> None:
        """Note that the device answers."""
        status = self._status
        if status.silent_since_us is None:
            return
        wall = self._clock.wall_us()
        if self._since is None:  # it fell silent before a restart
            silent_s = max(0.0, (wall - status.silent_since_us) / 1_000_000)
        else:
            silent_s = self._clock.monotonic() - self._since
        self._since, status.silent_since_us, status.silent_reason = None, None, ""
        logger.info("device %s is back after %.1f s", self._device, silent_s)
        body = DeviceBack(self._device, round(silent_s, 3))
        self._bus.event(make_event(EventKind.DEVICE_BACK, body, wall))
        if self._outages is not None:
            self._outages.end(self._device)
