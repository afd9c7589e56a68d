"""The inbox: what one side stored, the other one finds."""

import sqlite3  # noqa: TID251 - damages a store from outside
from contextlib import closing

import pytest

from cloud_sync.wire.downlink import Document
from cloud_sync.wire.version import MAX_DOCUMENT_BYTES
from edge_runtime.errors import StoreError, StoreFullError
from edge_runtime.inbox import database
from edge_runtime.inbox.reader import InboxReader
from edge_runtime.inbox.writer import InboxWriter

EPOCH = "0123456789abcdef"
FAR = 1 << 60


def document(name, not_after_us=FAR):
    return Document(name, "command", 1, not_after_us, {"name": "refresh"})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "inbox"


@pytest.fixture
def writer(folder, clock):
    writer = InboxWriter(folder, clock, max_documents=3)
    yield writer
    writer.close()


@pytest.fixture
def reader(folder):
    reader = InboxReader(folder)
    yield reader
    reader.close()


def test_an_inbox_that_is_not_there_yet_is_empty(reader):
    assert not reader.changed()
    assert reader.acknowledged() == {}
    assert reader.documents() == []


def test_acknowledged_numbers_are_merged_and_seen(writer, reader):
    writer.acknowledge("samples", EPOCH, ((1, 4),))
    writer.acknowledge("samples", EPOCH, ((6, 8),))
    writer.acknowledge("samples", EPOCH, ((4, 6),))
    assert reader.acknowledged() == {("samples", EPOCH): ((1, 8),)}
    assert writer.acknowledged("samples", EPOCH) == ((1, 8),)
    assert writer.acknowledged("events", EPOCH) == ()


def test_a_change_is_noticed_once(writer, reader):
    assert reader.changed()
    writer.acknowledge("samples", EPOCH, ((1, 2),))
    assert reader.changed()
    assert not reader.changed()


def test_saying_the_same_again_writes_nothing(writer, reader):
    writer.acknowledge("samples", EPOCH, ((1, 9),))
    reader.changed()
    writer.acknowledge("samples", EPOCH, ((3, 5),))
    assert not reader.changed()


def test_a_document_is_stored_once(writer, reader):
    assert writer.put(document("a"))
    assert not writer.put(document("a"))
    assert [d.id for _, d in reader.documents()] == ["a"]


def test_documents_come_in_order_after_a_place(writer, reader):
    for name in "abc":
        writer.put(document(name))
    (first, _), *others = reader.documents()
    assert [d.id for _, d in reader.documents(after=first)] == ["b", "c"]
    assert reader.documents(after=first, limit=1) == others[:1]


def test_expired_documents_make_room(writer, reader):
    for name in "abc":
        writer.put(document(name, not_after_us=1))
    writer.put(document("d"))
    assert [d.id for _, d in reader.documents()] == ["b", "c", "d"]


def test_too_many_documents_are_refused(writer):
    for name in "abc":
        writer.put(document(name))
    with pytest.raises(StoreFullError, match="3 documents"):
        writer.put(document("d"))


def test_a_document_over_the_limit_is_refused(writer):
    large = Document("a", "command", 1, FAR, {"text": "x" * MAX_DOCUMENT_BYTES})
    with pytest.raises(StoreError, match="allowed"):
        writer.put(large)


def test_everything_is_there_after_reopening(folder, clock, writer, reader):
    writer.acknowledge("samples", EPOCH, ((1, 4),))
    writer.put(document("a"))
    again = InboxWriter(folder, clock)
    assert again.acknowledged("samples", EPOCH) == ((1, 4),)
    assert not again.put(document("a"))
    again.close()


def test_a_damaged_inbox_begins_anew_and_the_reader_follows(folder, clock, reader):
    first = InboxWriter(folder, clock)
    first.put(document("a"))
    assert reader.documents()
    reader.close()
    first.close()
    database.path_of(folder).write_bytes(b"no database" * 500)
    second = InboxWriter(folder, clock)
    assert reader.changed()
    assert reader.documents() == []
    assert second.put(document("b"))
    assert [d.id for _, d in reader.documents()] == ["b"]
    second.close()


def test_a_damaged_inbox_reads_as_empty(folder, reader):
    folder.mkdir()
    database.path_of(folder).write_bytes(b"no database" * 500)
    assert reader.documents() == []
    assert reader.acknowledged() == {}


def damage(folder, statement, value):
    with closing(sqlite3.connect(database.path_of(folder))) as connection:
        connection.execute(statement, (value,))
        connection.commit()


@pytest.mark.parametrize("content", [b"{", b'{"id":"\xff"}'])
def test_a_damaged_document_does_not_stop_those_behind_it(writer, reader, folder, content):
    writer.put(document("a"))
    writer.put(document("b"))
    damage(folder, "UPDATE document SET content = ? WHERE id = 'a'", content)
    assert [found.id for _, found in reader.documents(limit=1)] == ["b"]
    assert reader.documents(after=2) == []


def test_damaged_acknowledgements_count_as_none(writer, reader, folder):
    writer.acknowledge("samples", EPOCH, ((1, 4),))
    damage(folder, "UPDATE acknowledged SET ranges = ?", "{[1,4")
    assert reader.acknowledged() == {("samples", EPOCH): ()}
    writer.acknowledge("samples", EPOCH, ((2, 3),))
    assert writer.acknowledged("samples", EPOCH) == ((2, 3),)
