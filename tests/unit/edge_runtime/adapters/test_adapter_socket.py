"""What both sides do over a socket that holds."""

import asyncio
import os
import stat

import pytest

from cloud_sync.wire.batch import Stream
from cloud_sync.wire.events import Event, EventKind
from edge_runtime.adapters import place, remembered
from edge_runtime.adapters.frames import pack_frame, read_frame
from edge_runtime.adapters.messages import (
    PROTOCOL,
    WINDOW,
    Handover,
    Hello,
    Later,
    Refusal,
    Unfit,
    Welcome,
    encode,
    from_runtime,
)
from edge_runtime.errors import AdapterLinkError, DeviceError, DeviceUnreachableError
from edge_runtime.model import Reading
from edge_runtime.normalise import Normalised


@pytest.fixture
async def pair(runtime, adapter, until):
    await runtime.start()
    await adapter.start()
    await until(lambda: adapter.link.status.connected)
    return runtime, adapter


@pytest.fixture
async def talk(runtime, until):
    """Speak to the runtime as an adapter of one's own making."""
    await runtime.start()
    await until((runtime.run / place.NAME).exists)
    writers = []

    async def connect(*messages):
        sock = place.connect(runtime.run)
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        writers.append(writer)
        for message in messages:
            writer.write(message if isinstance(message, bytes) else pack_frame(encode(message)))
        return reader

    yield connect
    for writer in writers:
        writer.close()


async def said(reader):
    return from_runtime(await read_frame(reader))


def hello(**changes):
    fields = {"protocol": PROTOCOL, "adapter": "serial-1", "pid": 1, "version": "0.0.1"}
    return Hello(**(fields | {"epoch": "e" * 16, "known": {}} | changes))


def is_readable_by_the_owner_only(path):
    return stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_socket_is_for_its_owner_only(pair):
    runtime, _ = pair
    assert is_readable_by_the_owner_only(runtime.run / place.NAME)


async def test_batches_become_batches_of_the_runtime(pair, until):
    runtime, adapter = pair
    await adapter.read(1, 2)
    await adapter.read(3)
    await until(lambda: len(runtime.taken) == 2)
    assert runtime.values() == [1, 2, 3]
    assert [(b.stream, b.seq, b.count) for b in runtime.taken] == [
        (Stream.SAMPLES, 1, 2),
        (Stream.SAMPLES, 2, 1),
    ]


async def test_a_long_backlog_comes_in_order(runtime, adapter, until):
    await adapter.start()
    for value in range(5 * WINDOW):
        await adapter.read(value)
    await runtime.start()
    await until(lambda: len(runtime.taken) == 5 * WINDOW)
    assert runtime.values() == list(range(5 * WINDOW))


async def test_events_keep_their_ids(pair, until):
    runtime, adapter = pair
    await adapter.outbox.append_events([Event("e1", EventKind.DEVICE_SILENT, 5, {"device": "p"})])
    adapter.link.notice()
    await until(runtime.told)
    assert [event.id for event in runtime.told()] == ["e1"]


async def test_what_the_runtime_has_is_removed_and_remembered(pair, until):
    _, adapter = pair
    await adapter.read(1)
    await until(lambda: adapter.link.waiting() == 0)
    await adapter.link.tidy()
    known = remembered.load(adapter.folder / "acknowledged.json")
    assert known.of(adapter.outbox.epoch) == {"samples": 1}


async def test_present_values_reach_the_bus_and_are_not_recorded(pair, until):
    runtime, adapter = pair
    adapter.tail.take(Normalised("pump", [Reading("pump/flow", 1.5, received_us=7)], ()))
    await until(lambda: runtime.heard)
    heard = runtime.heard[0]
    assert (heard.device, heard.readings[0].value, heard.reported) == ("pump", 1.5, ())
    assert runtime.values() == []


async def test_who_connects_late_hears_what_holds_now(runtime, adapter, until):
    await adapter.start()
    for value in (1.0, 2.0):
        adapter.tail.take(Normalised("pump", [Reading("pump/flow", value, received_us=7)], ()))
    await runtime.start()
    await until(lambda: runtime.heard)
    (reading,) = runtime.heard[0].readings
    assert reading.value == 2.0
    assert reading.received_us > 7


async def test_a_device_of_another_adapter_is_not_believed(pair, until):
    runtime, adapter = pair
    adapter.tail.take(Normalised("fan", [Reading("fan/speed", 1.5)], ()))
    await until(lambda: runtime.reception.late)
    assert runtime.heard == []


async def test_a_refresh_reaches_the_adapter(pair):
    runtime, adapter = pair
    await runtime.reception.devices()[0].refresh()
    assert adapter.refreshed == ["pump"]


async def test_a_refresh_tells_why_it_failed(pair):
    runtime, _ = pair
    with pytest.raises(DeviceError, match="it is silent"):
        await runtime.reception.refresh("serial-1", "fan")


async def test_a_refresh_without_the_adapter_says_so(runtime):
    await runtime.start()
    with pytest.raises(DeviceUnreachableError, match="serial-1 is not connected"):
        await runtime.reception.devices()[0].refresh()


async def test_an_adapter_that_dies_ends_the_wait_for_its_answer(talk, runtime, until):
    reader = await talk(hello())
    assert isinstance(await said(reader), Welcome)
    asking = asyncio.ensure_future(runtime.reception.refresh("serial-1", "pump"))
    await said(reader)
    await talk(hello(adapter="other"))
    next(iter(runtime.reception._sessions.values())).writer.close()
    with pytest.raises(DeviceUnreachableError):
        await asking


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (hello(protocol=99), "protocol 99"),
        (hello(adapter="../x"), "needs a name"),
        (Handover("samples", 1, 0, b""), "Hello first"),
    ],
)
async def test_who_does_not_fit_is_refused(talk, first, reason):
    answer = await said(await talk(first))
    assert isinstance(answer, Refusal)
    assert reason in answer.reason


async def test_garbage_ends_its_own_connection_only(talk, runtime, until):
    reader = await talk(hello(), b"\x00\x00\x00\x02\x00\x00\x00\x00xx")
    await said(reader)
    with pytest.raises(AdapterLinkError):
        await said(reader)
    assert isinstance(await said(await talk(hello())), Welcome)


async def test_a_batch_whose_forerunner_is_not_here_must_wait(talk):
    reader = await talk(hello(), Handover("samples", 3, 2, b""))
    await said(reader)
    assert isinstance(await said(reader), Later)


async def test_a_batch_that_cannot_be_read_is_unfit(talk, runtime):
    reader = await talk(hello(), Handover("samples", 1, 0, b"no batch"))
    await said(reader)
    assert isinstance(await said(reader), Unfit)
    assert runtime.values() == []


async def test_the_adapter_remembers_for_a_runtime_that_lost_its_note(talk):
    reader = await talk(hello(known={"samples": 7}), Handover("samples", 8, 7, b""))
    assert (await said(reader)).taken == {}
    assert isinstance(await said(reader), Unfit)


async def test_a_process_of_another_user_is_not_served(runtime, until, monkeypatch):
    await runtime.start()
    await until((runtime.run / place.NAME).exists)
    monkeypatch.setattr(place.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(AdapterLinkError, match="belongs to user"):
        place.connect(runtime.run)


async def test_a_path_that_is_too_long_for_a_socket_is_no_obstacle(tmp_path):
    folder = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 6)
    listening = place.listen(folder)
    connected = place.connect(folder)
    connected.close()
    listening.close()
