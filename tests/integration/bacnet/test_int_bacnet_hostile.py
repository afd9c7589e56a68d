"""What anybody may send to the gateway's port: nothing of it is logged, stored or stops the rest."""

import asyncio
import logging
import random
import socket

import pytest
from bacnet_site import GOOD, INSTANCE, NAMES, Listening, objects, settings_of, values

from components.bacnet.driver import driver
from edge_runtime.errors import DeviceUnreachableError
from simulators.bacnet.device import serve

VALID = [
    bytes.fromhex(text)
    for text in (
        "810b000c0120ffff00ff1008",  # Who-Is
        "810b00100120ffff00ff100809011a0fff",  # Who-Is with a range
        "810b000e0120ffff00ff10080901",  # Who-Is with half a range
        "810a0018010010 00c4020004d2220400910022 03e7".replace(" ", ""),  # I-Am
        "810a002801001002091c1c020004d22c00000001396 44e09552e44419800002f096f2e8204002f4f".replace(" ", ""),  # report
        "810a001101040275010c0c023fffff194b",  # ReadProperty
        "810a001501040275020f0c023fffff194d3e7502004f3f",  # WriteProperty
        "810a0015010402750305090 11c0000000129013a012c".replace(" ", ""),  # SubscribeCOV
        "810a000b01003c010c0012",  # a segment of nothing that was asked
        "8105000600 3c".replace(" ", ""),  # register as foreign device
        "810a00090180000001",  # Who-Is-Router-To-Network
    )
]  # fmt: skip
ROUNDS = 400


@pytest.fixture
async def served():
    async with serve(INSTANCE, objects()) as (device, port):
        yield device, port


def spoiled(rng: random.Random) -> bytes:
    """A valid message with some bytes changed, cut or added."""
    data = bytearray(rng.choice(VALID))
    for _ in range(rng.randrange(3)):
        data[rng.randrange(2, len(data))] = rng.randrange(256)
    if rng.random() < 0.2:
        del data[rng.randrange(1, len(data)) :]
    if rng.random() < 0.1:
        data += bytes(rng.randrange(256) for _ in range(rng.randrange(2_000)))
    return bytes(data)


@pytest.mark.parametrize("seed", range(3))
async def test_any_datagram_leaves_the_device_readable_and_the_log_empty(served, caplog, seed):
    rng = random.Random(seed)
    async with driver.open_device(settings_of(served[1], timeout_s=1)) as opened:
        await opened.read(NAMES)
        local = (await opened.local()).datagrams.local
        with caplog.at_level(logging.INFO), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bad:
            bad.bind(("127.0.0.1", 0))
            for number in range(ROUNDS):
                bad.sendto(spoiled(rng), local)
                if number % 50 == 0:
                    await asyncio.sleep(0)
            assert values(await opened.read(NAMES)) == GOOD
        assert caplog.records == []


async def test_reports_are_taken_while_strangers_send(served, caplog):
    rng = random.Random(7)
    async with driver.open_device(settings_of(served[1])) as opened, Listening(opened) as listening:
        await listening.until(lambda heard: heard.polled == {"label"})
        local = (await opened.local()).datagrams.local
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bad:
            for _ in range(ROUNDS):
                bad.sendto(spoiled(rng), local)
        served[0].object_at("analog-input", 1).presentValue = 30.0
        await listening.until(lambda heard: heard.values["t1"] == 30.0)
        assert set(listening.heard.values) == set(NAMES)
    assert caplog.records == []


async def test_answer_without_an_end_is_given_up(served, monkeypatch):
    """A device that sends segments for ever: the wait ends, and what came is thrown away."""
    monkeypatch.setattr("components.bacnet.local_device.MAX_ANSWER", 2_000)
    served[0].object_at("characterstring-value", 1).presentValue = "x" * 3_500
    async with driver.open_device(settings_of(served[1])) as opened:
        [reading] = await opened.read(["label"])
        assert reading.reason == "device_error:apdu-too-long"
        assert (await opened.local()).asap.clientTransactions == []


async def test_nothing_is_kept_of_a_request_that_was_given_up(served):
    served[0].faults.silent = True
    async with driver.open_device(settings_of(served[1])) as opened:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await opened.read(NAMES)
        local = await opened.local()
        assert local.asap.clientTransactions == []
        with pytest.raises(DeviceUnreachableError):
            await opened.read(NAMES)
        assert local._requests == {}
