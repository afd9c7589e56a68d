"""The downlink: stored first, acknowledged then, and again after any failure."""

import asyncio

import pytest

from cloud_sync.downlink import Downlink
from cloud_sync.errors import LineDownError
from cloud_sync.line import Line
from cloud_sync.status import SyncStatus
from cloud_sync.wire.downlink import Document
from simulators.cloud_line.memory import MemoryInbox, MemoryTransport
from simulators.manual_clock import ManualClock

DOCUMENT = Document("d1", "command", 1, 2, {"name": "refresh"})


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def transport():
    return MemoryTransport()


@pytest.fixture
def inbox():
    return MemoryInbox()


@pytest.fixture
def downlink(inbox, transport, clock):
    return Downlink(inbox, transport, Line(SyncStatus(), clock), clock)


async def test_a_document_is_stored_and_acknowledged(downlink, transport, inbox):
    transport.downlinks.append([None, DOCUMENT])
    with pytest.raises(LineDownError, match="ended"):
        await downlink.listen()
    assert inbox.documents == {"d1": DOCUMENT}
    assert transport.books.acknowledged == ["d1"]


async def test_a_document_whose_acknowledgement_failed_is_in_the_inbox(downlink, transport, inbox):
    transport.downlinks.append([None, DOCUMENT])
    transport.faults.append(LineDownError())
    with pytest.raises(LineDownError):
        await downlink.listen()
    assert inbox.documents == {"d1": DOCUMENT}
    assert transport.books.acknowledged == []


async def test_a_document_that_comes_again_is_stored_once_and_acknowledged(
    downlink, transport, inbox, clock
):
    transport.downlinks.extend([[None, DOCUMENT], [None, DOCUMENT]])
    transport.faults.append(LineDownError())
    task = asyncio.create_task(downlink.run())
    await clock.advance(60)
    task.cancel()
    assert inbox.documents == {"d1": DOCUMENT}
    assert transport.books.acknowledged == ["d1"]


async def test_a_connection_that_drops_at_once_is_opened_ever_more_rarely(
    downlink, transport, clock
):
    transport.downlinks.extend([[None] for _ in range(1000)])
    task = asyncio.create_task(downlink.run())
    await clock.advance(600)
    task.cancel()
    assert 1000 - len(transport.downlinks) < 120
