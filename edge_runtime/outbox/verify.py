"""Both ends compared: where every number is that the gateway ever gave, and every sample.

Pure. The local half comes from :meth:`~edge_runtime.outbox.reader.OutboxReader.books` and the
inbox, the other from the cloud's ``streams``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud_sync.wire.identity import StreamState
from cloud_sync.wire.ranges import Ranges, difference, parse, union


@dataclass(frozen=True, slots=True)
class LocalStream:
    """What the gateway knows of one stream of its outbox."""

    stream: str
    epoch: str
    stored: Ranges
    """Still in the outbox."""
    pruned: Ranges
    """Acknowledged and removed."""
    lost: Ranges
    """Given up, declared by a gap."""
    acknowledged: Ranges
    """What the cloud said that it has."""
    items: int | None
    """Samples or events in the batches that are acknowledged; None where it cannot be known."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream, compared. Everything in ranges of batch numbers but ``duplicate_items``."""

    stream: str
    epoch: str
    received: Ranges
    """The cloud has them."""
    lost: Ranges
    """Given up by the gateway and not in the cloud."""
    to_send: Ranges
    """In the outbox, not in the cloud: they will come."""
    missing: Ranges
    """Neither in the outbox nor in the cloud, and never declared: must be empty."""
    unknown: Ranges
    """In the cloud, but never given by this outbox: must be empty. A clone, or a restored disk."""
    duplicate_items: int | None
    """Items that the cloud has more than the batches held: must be 0. None where not known."""

    @property
    def complete(self) -> bool:
        """Nothing is missing and nothing is there twice; what is to be sent may still come."""
        return not (self.missing or self.unknown or self.duplicate_items)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All streams of a gateway; those of former epochs are known to the cloud alone."""

    streams: tuple[StreamReport, ...]

    @property
    def complete(self) -> bool:
        """Nothing is missing and nothing is there twice."""
        return all(stream.complete for stream in self.streams)


def compare(local: Iterable[LocalStream], cloud: Iterable[StreamState]) -> VerifyReport:
    """Compare the gateway's books with the cloud's.

    Raises:
        ValueError: the cloud's ranges are not multiranges.

    """
    remote = {(state.stream, state.epoch): state for state in cloud}
    reports = [_compare(own, remote.pop((own.stream, own.epoch), None)) for own in local]
    former = [_former(state) for state in remote.values()]
    return VerifyReport((*reports, *former))


def _compare(local: LocalStream, cloud: StreamState | None) -> StreamReport:
    received = parse(cloud.received) if cloud else ()
    given = union(local.stored, local.pruned, local.lost)
    lost = difference(local.lost, received)
    to_send = difference(local.stored, union(received, local.lost))
    claimed = difference(union(local.pruned, local.acknowledged), union(received, local.lost))
    holes = difference(_up_to(given), union(given, received))
    return StreamReport(
        stream=local.stream,
        epoch=local.epoch,
        received=received,
        lost=lost,
        to_send=difference(to_send, local.acknowledged),
        missing=union(claimed, holes),
        unknown=difference(received, given),
        duplicate_items=_duplicates(local, cloud, received),
    )


def _duplicates(local: LocalStream, cloud: StreamState | None, received: Ranges) -> int | None:
    """Compare counts, where both ends speak of the same batches."""
    if cloud is None:
        return 0
    if local.items is None or received != difference(local.acknowledged, local.lost):
        return None
    return max(0, cloud.samples - local.items)


def _up_to(given: Ranges) -> Ranges:
    """All numbers from 1 to the highest that was given."""
    return ((1, given[-1][1]),) if given else ()


def _former(cloud: StreamState) -> StreamReport:
    """Report a stream that this outbox does not have: of an epoch before."""
    received, lost = parse(cloud.received), parse(cloud.lost)
    holes = difference(_up_to(union(received, lost)), union(received, lost))
    return StreamReport(
        cloud.stream, cloud.epoch, received, lost, to_send=(), missing=holes, unknown=(),
        duplicate_items=None,
    )  # fmt: skip
