"""A person's browser in small: signs in, follows the live stream, and notes how late values are."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from cloud_sync.transports.events import EventParser
from simulators.site.browser import Browser
from simulators.site.ledger import percentile

RETRY_S = 0.2


@dataclass(slots=True)
class Watcher:
    """What one subscriber of ``/v1/live`` saw."""

    latencies_ms: list[float] = field(default_factory=list)
    """From the gateway's reading to this subscriber, of values read while the line was whole."""
    values: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)
    first_value: asyncio.Event = field(default_factory=asyncio.Event)
    line_down_ms: list[tuple[float, float]] = field(default_factory=list)
    """When the line was cut and mended: what was read in between could not be live."""

    async def follow(self, http: Browser) -> None:
        """Follow the stream until cancelled; connect again when it breaks."""
        cursor = ""
        while True:
            headers = {"Last-Event-ID": cursor} if cursor else {}
            try:
                async with http.stream("GET", "/v1/live", headers=headers, timeout=30) as answer:
                    answer.raise_for_status()
                    parser = EventParser()
                    async for chunk in answer.aiter_raw():
                        for event in parser.feed(chunk):
                            cursor = event.id or cursor
                            self._take(event.name, event.data)
            except httpx.HTTPError:
                await asyncio.sleep(RETRY_S)

    def _take(self, name: str, data: bytes) -> None:
        if name == "values":
            self._take_values(json.loads(data))
        elif name == "alert":
            self.alerts.append(json.loads(data))

    def _take_values(self, body: dict[str, Any]) -> None:
        now_ms = time.time() * 1000
        self.values += len(body["points"])
        self.first_value.set()
        if not body["late"]:
            times = (point[1] for point in body["points"])
            self.latencies_ms.extend(now_ms - time_ms for time_ms in times if self._live(time_ms))

    def _live(self, time_ms: float) -> bool:
        return not any(begin <= time_ms <= end for begin, end in self.line_down_ms)

    def latency_ms(self, share: float) -> float | None:
        """Give a percentile of the latencies, rounded to 0.1 ms."""
        found = percentile(self.latencies_ms, share)
        return None if found is None else round(found, 1)
