"""Reading devices into an outbox: what the runtime and every adapter do alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.samples import Sample
from edge_runtime.bus import Bus, TakeReadings
from edge_runtime.clock import Clock
from edge_runtime.normalise import Normalised
from edge_runtime.outages import Outages
from edge_runtime.outbox.collector import Collector
from edge_runtime.outbox.committed import Committed
from edge_runtime.polling import DevicePoller, read_limits_s
from edge_runtime.settings import ConfiguredDevice


@dataclass(slots=True)
class Counts:
    """What went into the outbox since the start."""

    accepted: int = 0
    committed: int = 0
    batches: int = 0
    events: int = 0
    bytes_written: int = 0

    def note(self, batch: Committed) -> None:
        """Count a batch that is durable now."""
        self.batches += 1
        self.bytes_written += batch.size
        if batch.stream is Stream.SAMPLES:
            self.committed += batch.count
        else:
            self.events += batch.count

    def note_taken(self, batch: Committed) -> None:
        """Count a batch that an adapter handed over."""
        self.note(batch)
        if batch.stream is Stream.SAMPLES:
            self.accepted += batch.count


def make_pollers(
    devices: Sequence[ConfiguredDevice], bus: Bus, clock: Clock, outages: Outages
) -> tuple[DevicePoller, ...]:
    """Make a poller for each device; they start spread over their intervals."""
    return tuple(
        DevicePoller(device, bus, clock, index=index, limit_s=limit_s, outages=outages)
        for index, (device, limit_s) in enumerate(zip(devices, read_limits_s(devices), strict=True))
    )


def recorder(collector: Collector, counts: Counts) -> TakeReadings:
    """Put what is worth sending into the outbox."""

    def record(normalised: Normalised) -> None:
        collector.add(
            *[
                Sample(r.point, r.received_us, r.value, r.quality, r.reason, r.source_us)
                for r in normalised.reported
            ]
        )
        counts.accepted += len(normalised.reported)

    return record
