"""One subscription in a session: its monitored items, what it reports, and how it is mended.

A node that does not exist is a bad reading and is asked for again from time to time; an item that
the server cannot report is left to polling; a subscription that falls silent or is ended by the
server is made anew, a few times, before the session is given up.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count

from asyncua import ua

from components.opcua import limits
from components.opcua.errors import LOST
from components.opcua.mailbox import Mailbox
from components.opcua.session import Session
from components.opcua.settings import Point, Settings
from components.opcua.status import is_good, name_of, trust_of
from components.opcua.values import bad, reading_of
from edge_runtime.driver import News
from edge_runtime.model import Reason

NO_SUCH_NAMESPACE = f"{Reason.CONFIGURATION}:namespace"
REFUSED = frozenset(
    {
        "BadNodeIdUnknown", "BadNodeIdInvalid", "BadAttributeIdInvalid", "BadNotReadable",
        "BadUserAccessDenied", "BadIndexRangeInvalid", "BadSecurityModeInsufficient",
    }
)  # fmt: skip
"""Polling such a node would be refused as well."""
WITHOUT_FILTER = frozenset(
    {
        "BadMonitoredItemFilterUnsupported", "BadMonitoredItemFilterInvalid",
        "BadFilterNotAllowed", "BadDeadbandFilterInvalid",
    }
)  # fmt: skip
"""The server can report the node, but not by a deadband."""


class Subscription:
    """Items of one device, and what is known of each."""

    def __init__(self, session: Session, settings: Settings, points: Sequence[Point]) -> None:
        self._session = session
        self._settings = settings
        self._points = points
        self._wanted = [p for p in points if settings.subscribe and p.subscribe]
        self._promised_s = min(settings.promised_s(point) for point in points)
        self._id: int | None = None
        self._handles = count(1)
        self._items: dict[int, Point] = {}
        """By client handle."""
        self._heard: set[str] = set()
        self._refused: list[Point] = []
        self._reported: set[str] = set()
        self._retry_at = self._confirm_at = 0.0
        self._mends = 0
        self._keepalive_s = 0.0
        self.mailbox = Mailbox()

    @property
    def polled(self) -> frozenset[str]:
        """Points that the server does not report."""
        refused = {point.name for point in self._refused}
        return frozenset(p.name for p in self._points) - self._reported - refused

    @property
    def patience_s(self) -> float:
        """The longest silence that is not suspicious."""
        return 2 * self._keepalive_s + self._settings.timeout_s

    async def start(self) -> None:
        """Create the subscription and its items."""
        self._session.on_loss.add(self._lost)
        if not self._wanted:
            return
        try:
            result = await self._session.services.create_subscription(
                requested(self._settings, self._promised_s), self._published
            )
        except ua.UaStatusCodeError as exc:
            if name_of(exc.code) in LOST:
                raise
            return  # it has no subscriptions, or no more of them: everything is polled
        self._id = result.SubscriptionId
        cycle_s = result.RevisedPublishingInterval / 1000
        self._keepalive_s = cycle_s * max(1, result.RevisedMaxKeepAliveCount)
        if not math.isfinite(self._keepalive_s) or self._keepalive_s > self._promised_s:
            await self.stop()  # it would be silent for longer than we promise to know
            return
        await self._add(self._wanted)

    async def next(self) -> News:
        """Give what is new, after waiting for it; mends the subscription where it must.

        Raises:
            ConnectionError: the session is of no use any more.

        """
        heard = await self.mailbox.wait(self.patience_s if self._id is not None else 1.0)
        if self._session.lost:
            msg = "the connection was lost"
            raise ConnectionError(msg)
        if self._id is None:
            return News()
        if self.mailbox.ended or not heard:
            await self._mend(self.mailbox.ended or f"silent for {self.patience_s:.1f} s")
            return News(polled=self.polled)
        readings = self.mailbox.take()
        self._heard.update(reading.point for reading in readings)
        now = self._now()
        polled = await self._retry(now)
        confirmed: frozenset[str] = frozenset()
        if now >= self._confirm_at:
            self._confirm_at = now + self._promised_s / (2 * limits.KEEPALIVES_PER_PROMISE)
            confirmed = frozenset(self._heard)
        return News(readings, confirmed, polled)

    async def stop(self) -> None:
        """Delete it on the server, where that is still possible."""
        number, self._id = self._id, None
        self._reported.clear()
        self._session.on_loss.discard(self._lost)
        if number is not None and not self._session.lost:
            with suppress(ua.UaError, OSError, TimeoutError):
                await self._session.services.delete_subscriptions([number])

    # --- items ------------------------------------------------------------------------------------

    async def _add(self, points: Sequence[Point]) -> None:
        requests = []
        for point in points:
            try:
                node = self._session.node_id(point.node)
            except LookupError:
                self._refuse(point, NO_SUCH_NAMESPACE)
                continue
            requests.append((point, node))
        unfiltered = await self._create(requests, filtered=True)
        await self._create(unfiltered, filtered=False)
        self._retry_at = self._now() + limits.RETRY_REFUSED_S

    async def _create(
        self, wanted: Sequence[tuple[Point, ua.NodeId]], *, filtered: bool
    ) -> list[tuple[Point, ua.NodeId]]:
        """Create items; gives those that the server will not filter."""
        unfiltered: list[tuple[Point, ua.NodeId]] = []
        for part in _chunks(wanted, self._session.per_subscribe):
            items = []
            for point, node in part:
                handle = next(self._handles)
                self._items[handle] = point
                items.append(monitored(self._settings, point, node, handle, filtered=filtered))
            assert self._id is not None
            results = await self._session.services.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=self._id,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=items,
                )
            )
            for (point, node), item, result in zip(part, items, results, strict=True):
                if not is_good(result.StatusCode.value):  # no such item: nothing will come of it
                    self._items.pop(item.RequestedParameters.ClientHandle)
                if not self._take_result(point, result.StatusCode.value) and filtered:
                    unfiltered.append((point, node))
        return unfiltered

    def _take_result(self, point: Point, code: int) -> bool:
        """Note what became of an item; False where it may work without a filter."""
        name = name_of(code)
        if is_good(code):
            self._reported.add(point.name)
        elif name in REFUSED:
            self._refuse(point, trust_of(code).reason)
        elif name in WITHOUT_FILTER:
            return False
        return True

    def _refuse(self, point: Point, reason: str) -> None:
        self._refused.append(point)
        self.mailbox.put(point, bad(point.name, reason))

    async def _retry(self, now: float) -> frozenset[str] | None:
        """Ask again for what was refused; gives the polled points where they may have changed."""
        if not self._refused or now < self._retry_at:
            return None
        again, self._refused = self._refused, []
        self._session.nodes.clear()
        await self._add(again)
        return self.polled

    async def _mend(self, why: str) -> None:
        self._mends += 1
        if self._mends > limits.MENDS:
            msg = f"the subscription does not live: {why}"
            raise ConnectionError(msg)
        await self.stop()
        self._items.clear()
        self._heard.clear()
        self._refused.clear()
        self.mailbox.ended = ""
        await self.start()

    # --- what asyncua calls -----------------------------------------------------------------------

    def _published(self, result: ua.PublishResult) -> None:
        if result.SubscriptionId != self._id:
            return
        self._mends = 0
        self.mailbox.note_alive()
        for told in result.NotificationMessage.NotificationData or ():
            if isinstance(told, ua.DataChangeNotification):
                for item in told.MonitoredItems or ():
                    point = self._items.get(item.ClientHandle)
                    if point is not None:
                        self.mailbox.put(point, reading_of(point, item.Value))
            elif isinstance(told, ua.StatusChangeNotification):
                self.mailbox.end(name_of(told.Status.value))

    def _lost(self) -> None:
        self.mailbox.end("the connection was lost")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def requested(settings: Settings, promised_s: float) -> ua.CreateSubscriptionParameters:
    """Ask for a sign of life well within what is promised, and to be forgotten when gone."""
    cycle_s = settings.reports_every_s
    keepalives = max(1, int(promised_s / limits.KEEPALIVES_PER_PROMISE / cycle_s))
    lifetime = max(3 * keepalives, math.ceil(limits.LIFETIME_S / cycle_s))
    return ua.CreateSubscriptionParameters(
        RequestedPublishingInterval=cycle_s * 1000,
        RequestedLifetimeCount=lifetime,
        RequestedMaxKeepAliveCount=keepalives,
        MaxNotificationsPerPublish=0,
        PublishingEnabled=True,
        Priority=0,
    )


def monitored(
    settings: Settings, point: Point, node: ua.NodeId, handle: int, *, filtered: bool
) -> ua.MonitoredItemCreateRequest:
    """Ask for a point's value to be watched."""
    sampling_s = point.sampling_s
    if sampling_s is None:
        sampling_s = point.interval_s or settings.interval_s
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=sampling_s * 1000,
            Filter=deadband(point) if filtered else None,
            QueueSize=point.queue_size,
            DiscardOldest=True,
        ),
    )


def deadband(point: Point) -> ua.DataChangeFilter | None:
    """Give the filter of a point; None for none."""
    percent = point.server_deadband_percent
    value = point.server_deadband if percent is None else percent
    if value is None:
        return None
    return ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue,
        DeadbandType=int(ua.DeadbandType.Absolute if percent is None else ua.DeadbandType.Percent),
        DeadbandValue=value,
    )


def _chunks(
    items: Sequence[tuple[Point, ua.NodeId]], size: int
) -> Iterator[Sequence[tuple[Point, ua.NodeId]]]:
    return (items[start : start + size] for start in range(0, len(items), size))
