"""What the BACnet tests share: settings of a device on loopback, and waiting for news."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from components.bacnet.driver import driver
from edge_runtime.driver import News
from simulators.bacnet.objects import analog, binary, multi_state, text

TIMEOUT_S = 0.6
WAIT_S = 8.0
INSTANCE = 1_234


def objects(count=3):
    """An object of each sort, and more analog inputs."""
    return [
        *(analog("input", n, f"T{n}", 20.0 + n, "degrees-celsius") for n in range(1, count + 1)),
        analog("output", 1, "Valve", 10.0, "percent"),
        binary("input", 1, "Door", True),
        multi_state("value", 1, "Mode", 2, ["off", "day", "night"]),
        text(1, "Label", "hello"),
    ]


POINTS = [
    {"name": "t1", "object": "analog-input,1"},
    {"name": "t2", "object": "analog-input,2"},
    {"name": "t3", "object": "analog-input,3"},
    {"name": "valve", "object": "analog-output,1", "priority": 8},
    {"name": "door", "object": "binary-input,1", "kind": "boolean"},
    {"name": "mode", "object": "multi-state-value,1"},
    {"name": "label", "object": "characterstring-value,1", "kind": "text"},
]
NAMES = [point["name"] for point in POINTS]
GOOD = {
    "t1": 21.0, "t2": 22.0, "t3": 23.0, "valve": 10.0, "door": 1, "mode": 2, "label": "hello",
}  # fmt: skip


def settings_of(port=None, points=POINTS, **fields):
    usual = {
        "name": "device", "device_instance": INSTANCE, "local_address": "127.0.0.1",
        "timeout_s": TIMEOUT_S, "confirm_s": 0.3, "cov_lifetime_s": 60, "points": points,
    }  # fmt: skip
    where = {} if port is None else {"host": f"127.0.0.1:{port}"}
    return driver.settings(**usual | where | fields)


def values(readings):
    return {reading.point: reading.value for reading in readings}


def reasons(readings):
    return {reading.point: reading.reason for reading in readings if reading.reason}


class Heard:
    """All news of a device so far."""

    def __init__(self) -> None:
        self.values: dict = {}
        self.reasons: dict = {}
        self.confirmed: set = set()
        self.polled: frozenset = frozenset()
        self.reports = 0

    def take(self, news: News) -> None:
        self.reports += len(news.readings)
        self.values |= values(news.readings)
        self.reasons |= {r.point: r.reason for r in news.readings}
        self.confirmed |= set(news.confirmed)
        if news.polled is not None:
            self.polled = frozenset(news.polled)


class Listening:
    """Takes the news of a device beside the test."""

    def __init__(self, device, names=NAMES) -> None:
        self._device = device
        self._names = names
        self._news = asyncio.Event()
        self.heard = Heard()
        self.task: asyncio.Task | None = None

    async def __aenter__(self):
        self.task = asyncio.create_task(self._run())
        return self

    async def _run(self) -> None:
        try:
            async with aclosing(self._device.changes(self._names)) as changes:
                async for news in changes:
                    self.heard.take(news)
                    self._news.set()
        finally:
            self._news.set()

    async def until(self, true: Callable[[Heard], bool]) -> Heard:
        """Wait until something is true of what was heard."""
        async with asyncio.timeout(WAIT_S):
            while not true(self.heard):
                if self.task is not None and self.task.done():
                    self.task.result()
                self._news.clear()
                await self._news.wait()
        return self.heard

    async def __aexit__(self, *_):
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def eventually(true: Callable[[], object]) -> None:
    """Wait until something is true of the device, which tells nobody."""
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - a device has no event for it
            await asyncio.sleep(0.01)
