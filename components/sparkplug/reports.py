"""What an edge node says as readings of one device's points, bounded; pure."""

from collections import deque
from collections.abc import Collection, Sequence

from components.sparkplug.metric import Sample
from components.sparkplug.node import EdgeNode, Outcome
from components.sparkplug.settings import Settings
from edge_runtime.model import Quality, Reading, Reason

MAX_QUEUED = 256
"""Readings of a point that wait for the runtime; the oldest give way."""
HISTORICAL = f"{Reason.STALE}:historical"
NO_METRIC = f"{Reason.CONFIGURATION}:no such metric"


class Reports:
    """The readings of one device, newest and waiting."""

    def __init__(self, settings: Settings) -> None:
        self._device = settings.device_id
        self._points: dict[str, list[str]] = {}
        for point in settings.points:
            self._points.setdefault(point.metric, []).append(point.name)
        self._waiting: dict[str, deque[Reading]] = {}
        self.heard: dict[str, Reading] = {}
        """The newest reading of each point."""
        self.keep = False
        """Whether somebody takes what waits."""
        self.dropped = 0

    def begin(self, node: EdgeNode) -> None:
        """Start from what is known of an edge node that others watch already."""
        self._waiting.clear()
        self.heard.clear()
        source = node.sources.get(self._device)
        if source is not None:
            self._birth(list(source.now.items()))

    def take_in(self, outcome: Outcome) -> None:
        """Note what a message meant for this device."""
        said = outcome.samples.get(self._device, ())
        if self._device in outcome.born:
            self._birth(said)
            return
        for metric, sample in said:
            for point in self._points.get(metric, ()):
                self._put(_reading(point, sample))

    def _birth(self, said: Sequence[tuple[str, Sample]]) -> None:
        """Take all metrics anew; a point whose metric is not among them is bad."""
        samples = dict(said)
        for metric, points in self._points.items():
            sample = samples.get(metric, Sample(None, Quality.BAD, NO_METRIC))
            for point in points:
                self._put(_reading(point, sample))

    def _put(self, reading: Reading) -> None:
        self.heard[reading.point] = reading
        if not self.keep:
            return
        queue = self._waiting.setdefault(reading.point, deque())
        if len(queue) >= MAX_QUEUED:
            queue.popleft()
            self.dropped += 1
        queue.append(reading)

    @property
    def waiting(self) -> bool:
        """Whether there is something to take."""
        return bool(self._waiting)

    def take(self, wanted: Collection[str]) -> list[Reading]:
        """Take what waits for some points, in the order of each."""
        taken = [r for queue in self._waiting.values() for r in queue if r.point in wanted]
        self._waiting.clear()
        return taken


def _reading(point: str, sample: Sample) -> Reading:
    if sample.historical and sample.quality is Quality.GOOD:
        return Reading(point, sample.value, Quality.UNCERTAIN, HISTORICAL, sample.source_us)
    return Reading(point, sample.value, sample.quality, sample.reason, sample.source_us)
