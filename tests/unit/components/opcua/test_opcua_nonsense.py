"""Servers that are none: nothing that they send may be more than a device that is not reachable."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.opcua.client import first_certificate
from components.opcua.driver import driver
from edge_runtime.errors import DeviceError, DeviceUnreachableError

HEADER = b"ACKF\x1c\x00\x00\x00" + bytes(4) + b"\x00\x00\x01\x00" * 2 + bytes(8)
ANSWERS = {
    "nothing": b"",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "half a header": b"ACKF\x1c",
    "endless chunk": b"MSGC\xff\xff\xff\x7f" + bytes(100),
    "negative size": b"ACKF\x00\x00\x00\x00",
    "error message": b"ERRF\x10\x00\x00\x00" + b"\x00\x00\x7d\x80" + bytes(4),
    "acknowledge, then zeros": HEADER + bytes(200),
    "acknowledge, then an open channel of nothing": HEADER + b"OPNF\x10\x00\x00\x00" + bytes(8),
}


@asynccontextmanager
async def answering(data: bytes):
    tasks, writers = set(), []

    async def answer(reader, writer):
        tasks.add(asyncio.current_task())
        writers.append(writer)
        with suppress(ConnectionError):
            await reader.read(1_000)
            writer.write(data)
            await reader.read(1_000)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in writers), return_exceptions=True)


@pytest.mark.parametrize("security", ["None", "Basic256Sha256"])
@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS.keys())
async def test_nonsense_is_unreachable(tmp_path, data, security):
    async with answering(data) as port:
        settings = driver.settings(
            name="plc", endpoint=f"opc.tcp://127.0.0.1:{port}", pki_dir=tmp_path,
            security_policy=security, timeout_s=0.1, points=[{"name": "p", "node": "i=1"}],
        )  # fmt: skip
        async with driver.open_device(settings) as device:
            with pytest.raises(DeviceUnreachableError) as caught:
                await device.read(["p"])
    assert caught.value.hint


async def test_host_that_cannot_be_is_unreachable():
    settings = driver.settings(
        name="plc", endpoint="opc.tcp://" + "x" * 70 + "..", security_policy="None",
        points=[{"name": "p", "node": "i=1"}],
    )  # fmt: skip
    async with driver.open_device(settings) as device:
        with pytest.raises(DeviceError):
            await device.read(["p"])


@given(st.binary())
def test_chain_is_cut_after_its_first_certificate_or_refused(data):
    with suppress(ValueError):
        assert data.startswith(first_certificate(data))
