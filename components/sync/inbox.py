"""The inbox as the line sees it: a disk that takes nothing is waited for like a line that is down."""

from collections.abc import Iterator
from contextlib import contextmanager

from cloud_sync.errors import NotKeptError
from cloud_sync.wire.batch import Stream
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.ranges import Ranges
from edge_runtime.errors import StoreError
from edge_runtime.inbox.writer import InboxWriter


class PatientInbox:
    """Implements :class:`cloud_sync.stores.Inbox`.

    Without it, a full disk or too many commands would end the agent, and with it the uplink.
    """

    def __init__(self, inbox: InboxWriter) -> None:
        """Write on ``inbox``."""
        self._inbox = inbox

    def acknowledge(self, stream: Stream, epoch: str, ranges: Ranges) -> None:
        """Note that the cloud has these batches.

        Raises:
            NotKeptError: it could not be written; the batches are sent again later.

        """
        with _waited_for():
            self._inbox.acknowledge(stream, epoch, ranges)

    def acknowledged(self, stream: Stream, epoch: str) -> Ranges:
        """Give what was noted."""
        return self._inbox.acknowledged(stream, epoch)

    def put(self, document: Document) -> bool:
        """Keep a document.

        Raises:
            NotKeptError: it could not be written; the cloud sends it again.

        """
        with _waited_for():
            return self._inbox.put(document)


@contextmanager
def _waited_for() -> Iterator[None]:
    try:
        yield
    except StoreError as exc:
        msg = f"the inbox takes nothing now: {exc}"
        raise NotKeptError(msg, hint=exc.hint) from exc
