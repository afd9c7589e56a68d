"""``tidegate edge verify``: both ends' books side by side."""

import msgspec

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.identity import StreamsReply
from cloud_sync.wire.ranges import difference, render, size
from components.sync.agent import fetch_streams
from edge_runtime.clock import Clock
from edge_runtime.errors import SettingsError
from edge_runtime.host.context import Folders
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.outbox.reader import OutboxReader
from edge_runtime.outbox.verify import LocalStream, VerifyReport, compare
from edge_runtime.settings import GatewaySettings


class VerifiedStream(msgspec.Struct, frozen=True):
    """One stream; numbers of batches as PostgreSQL writes ranges."""

    stream: str
    epoch: str
    complete: bool
    received: str
    lost: str
    to_send: str
    missing: str
    unknown: str
    received_batches: int
    lost_batches: int
    to_send_batches: int
    missing_batches: int
    duplicate_items: int | None


class Verified(msgspec.Struct, frozen=True):
    """All streams of the gateway."""

    gateway: str
    complete: bool
    streams: list[VerifiedStream]


async def verify_gateway(settings: GatewaySettings, clock: Clock) -> Verified:
    """Ask the cloud and compare.

    Raises:
        SettingsError: there is no cloud in the settings.
        IdentityError: the gateway is not enrolled.
        LineError: the cloud could not be asked.

    """
    if settings.cloud is None:
        msg = f"{settings.file.name}: gateway.cloud: is missing"
        raise SettingsError(msg, hint="verify asks the cloud; give its url")
    remote = await fetch_streams(settings.state_dir, settings.cloud.url, clock)
    return verified(settings, remote)


def verified(settings: GatewaySettings, remote: StreamsReply) -> Verified:
    """Compare the folders with the cloud's answer."""
    report = compare(local_streams(Folders(settings.state_dir)), remote.streams)
    return Verified(settings.name, report.complete, _streams(report))


def local_streams(folders: Folders) -> list[LocalStream]:
    """Read what the gateway knows of its streams."""
    outbox, inbox = OutboxReader(folders.outbox), InboxReader(folders.inbox)
    try:
        return [_local(outbox, inbox, stream) for stream in Stream]
    finally:
        outbox.close()
        inbox.close()


def _local(outbox: OutboxReader, inbox: InboxReader, stream: Stream) -> LocalStream:
    epoch, name = outbox.epoch(), stream.value
    acknowledged = inbox.acknowledged().get((name, epoch), ())
    books = outbox.books(name)
    here = difference(books.stored, difference(books.stored, acknowledged))
    items = books.pruned_items
    return LocalStream(
        stream=name,
        epoch=epoch,
        stored=books.stored,
        pruned=books.pruned,
        lost=books.lost,
        acknowledged=acknowledged,
        items=None if items is None else items + outbox.weigh(name, here)[1],
    )


def _streams(report: VerifyReport) -> list[VerifiedStream]:
    return [
        VerifiedStream(
            stream=stream.stream,
            epoch=stream.epoch,
            complete=stream.complete,
            received=render(stream.received),
            lost=render(stream.lost),
            to_send=render(stream.to_send),
            missing=render(stream.missing),
            unknown=render(stream.unknown),
            received_batches=size(stream.received),
            lost_batches=size(stream.lost),
            to_send_batches=size(stream.to_send),
            missing_batches=size(stream.missing),
            duplicate_items=stream.duplicate_items,
        )
        for stream in report.streams
    ]
