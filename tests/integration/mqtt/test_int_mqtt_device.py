"""A simulated device behind mosquitto: news, retained values, death, faults, commands."""

import asyncio
import time
from contextlib import aclosing, asynccontextmanager

import pytest
from mqtt_field import broker, hearing, publish, settings

from components.mqtt.driver import driver
from components.mqtt.errors import CommandRefusedError, CommandUnansweredError
from edge_runtime.driver import Inspectable, Subscribable, Writable
from edge_runtime.errors import DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.mqtt.devices import Boiler, WeatherStation
from simulators.mqtt.faults import Fault
from simulators.mqtt.running import serve

POINTS = [
    {"name": "flow", "topic": "site/{device}/flow"},
    {"name": "pump", "topic": "site/+/pump", "kind": "boolean", "on_change": True,
     "command": {"topic": "site/{device}/pump/set"}, "map": {"ON": True, "OFF": False}},
    {"name": "setpoint", "topic": "site/{device}/setpoint", "command": {
        "topic": "site/{device}/setpoint/set", "format": "json", "correlation": "id",
        "response_topic": "site/{device}/setpoint/answer"}},
]  # fmt: skip
FAST = {
    "name": "boiler", "interval_s": 0.2, "availability": {"topic": "site/{device}/status"},
}  # fmt: skip


class QuickBoiler(Boiler):
    interval_s = 0.05


@asynccontextmanager
async def boiler(**more):
    async with broker() as port, serve(QuickBoiler(), "127.0.0.1", port) as device:
        yield device, settings(port, *POINTS, **FAST | more)


async def test_device_can_all_that_it_should():
    async with driver.open_device(settings(1, "t")) as device:
        assert isinstance(device, Subscribable)
        assert isinstance(device, Writable)
        assert isinstance(device, Inspectable)


async def test_news_keep_coming():
    async with boiler() as (_, made), hearing(made) as (_, ear):
        await ear.until(lambda ear: len([r for r in ear.readings if r.point == "flow"]) > 5)
    assert {r.point for r in ear.readings} == {"flow", "pump", "setpoint"}
    assert all(40 < r.value < 70 for r in ear.readings if r.point == "flow")


async def test_value_that_the_broker_kept_is_doubted_until_a_live_one_comes():
    async with broker() as port:
        await publish(port, "t", "1", "-r")
        async with hearing(settings(port, "t")) as (_, ear):
            kept = await ear.value("p0", 1)
            await publish(port, "t", "2", "-r")
            live = await ear.value("p0", 2)
    assert (kept.quality, kept.reason) == (Quality.UNCERTAIN, "stale:retained")
    assert live.quality is Quality.GOOD


async def test_reading_again_brings_no_old_value_back():
    async with broker() as port:
        await publish(port, "t", "1", "-r")
        async with hearing(settings(port, "t")) as (device, ear):
            await ear.value("p0", 1)
            await publish(port, "t", "2")  # the broker keeps 1
            await ear.value("p0", 2)
            [reading] = await device.read(["p0"])
    assert (reading.value, reading.quality) == (2, Quality.GOOD)


async def test_reports_begin_with_what_was_read_before():
    async with broker() as port:
        await publish(port, "t", "1", "-r")
        made = settings(port, "t")
        async with driver.open_device(made) as device:
            await device.read(["p0"])
            async with aclosing(device.changes(["p0"])) as changes:
                news = await anext(changes)
    assert [reading.value for reading in news.readings] == [1]


async def test_point_published_on_change_is_confirmed_while_the_device_is_online():
    async with broker() as port:
        await publish(port, "status", "online", "-r")
        await publish(port, "t", "1", "-r")
        point = {"name": "p", "topic": "t", "on_change": True}
        made = settings(port, point, availability={"topic": "status"}, stale_after_s=0.3)
        async with hearing(made) as (_, ear):
            await ear.value("p", 1)
            await ear.until(lambda ear: len(ear.confirmed) > 2)
    assert [r.value for r in ear.readings] == [1]


async def test_a_living_broker_confirms_nothing():
    async with broker() as port:
        await publish(port, "t", "1", "-r")
        async with hearing(settings(port, "t", stale_after_s=0.1)) as (_, ear):
            await ear.value("p0", 1)
            await asyncio.sleep(0.4)
    assert not ear.confirmed


async def test_device_that_dies_is_unreachable_at_once():
    async with boiler() as (device, made), hearing(made) as (_, ear):
        await ear.until(lambda ear: ear.readings)
        device.set_fault(Fault.DEATH)
        await ear.until(lambda ear: ear.trouble, 2)
    assert isinstance(ear.trouble, DeviceUnreachableError)
    assert str(ear.trouble) == "'boiler' says that it is offline"


async def test_device_known_to_be_dead_is_waited_for_and_heard_at_once():
    async with boiler(stale_after_s=10) as (device, made):
        device.set_fault(Fault.DEATH)
        await publish(made.port, "site/boiler/status", "offline", "-r")
        for _ in range(2):  # the runtime counts two failures in a row
            async with hearing(made) as (_, ear):
                await ear.until(lambda ear: ear.trouble, 2)
        async with hearing(made) as (_, ear):
            await asyncio.sleep(0.2)
            assert not ear.trouble
            device.set_fault(Fault.NONE)
            await ear.until(lambda ear: ear.readings, 2)


async def test_reading_a_dead_device_is_unreachable():
    async with broker() as port:
        await publish(port, "site/boiler/status", "offline", "-r")
        async with driver.open_device(settings(port, *POINTS, **FAST)) as device:
            with pytest.raises(DeviceUnreachableError, match="offline"):
                await device.read(["flow"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.GARBAGE, "device_error:it is not UTF-8 (byte 0)"),
        (Fault.WRONG_TYPE, "device_error:'unknown' is no number"),
        (Fault.HUGE, "device_error:3000"),
    ],
)
async def test_wrong_messages_are_bad_and_right_ones_good_again(fault, reason):
    async with boiler() as (device, made), hearing(made) as (_, ear):
        await ear.until(lambda ear: ear.readings)
        device.set_fault(fault)
        await ear.until(lambda ear: ear.readings[-1].quality is Quality.BAD)
        await ear.until(lambda ear: [r for r in ear.readings if r.reason.startswith(reason)])
        device.set_fault(Fault.NONE)
        await ear.until(lambda ear: ear.readings[-1].quality is Quality.GOOD)
    assert not ear.trouble


async def test_flapping_device_is_told_each_time():
    async with boiler() as (device, made):
        device.set_fault(Fault.FLAPPING)
        for _ in range(3):
            async with hearing(made) as (_, ear):
                await ear.until(lambda ear: ear.trouble or ear.readings, 2)


async def test_half_configured_device_leaves_the_rest_unheard():
    async with boiler() as (device, made):
        device.set_fault(Fault.HALF_CONFIGURED)
        await publish(made.port, "site/boiler/setpoint", "", "-r")
        async with driver.open_device(made) as opened:
            found = {r.point: r for r in await opened.read(["flow", "setpoint"])}
    assert found["flow"].value
    assert found["setpoint"].reason in {"no_answer", "stale:retained", ""}


# --- commands ---------------------------------------------------------------------------------------


async def test_command_is_answered_and_read_back():
    async with boiler() as (_, made), driver.open_device(made) as device:
        await device.write("setpoint", 55.5)
        [reading] = await device.read(["setpoint"])
    assert reading.value == 55.5


async def test_commands_of_the_same_moment_get_their_own_answers():
    async with boiler() as (device, made), driver.open_device(made) as opened:
        await asyncio.gather(*(opened.write("setpoint", value) for value in (30, 40, 50)))
    assert device.model.setpoint in {30, 40, 50}


async def test_device_that_says_no_is_a_refusal_with_its_words():
    async with boiler() as (_, made), driver.open_device(made) as device:
        with pytest.raises(CommandRefusedError, match="from 20 to 85"):
            await device.write("setpoint", 99)


async def test_device_that_does_not_answer_is_unreachable_in_time():
    async with boiler(timeout_s=0.3) as (device, made), driver.open_device(made) as opened:
        device.set_fault(Fault.SILENCE)
        start = time.monotonic()
        with pytest.raises(CommandUnansweredError, match=r"no answer on .* within 0.3 s"):
            await opened.write("setpoint", 50)
        assert time.monotonic() - start < 1.5


async def test_plain_command_uses_the_devices_words():
    async with boiler() as (device, made), hearing(made) as (opened, ear):
        await ear.value("pump", True)
        await opened.write("pump", False)
        await ear.value("pump", False)
    assert device.model.pump is False


async def test_point_without_a_command_cannot_be_written():
    async with driver.open_device(settings(1, "t")) as device:
        with pytest.raises(DeviceRefusedError, match="has no 'command'"):
            await device.write("p0", 1)


# --- showing, load ----------------------------------------------------------------------------------


class QuickStation(WeatherStation):
    interval_s = 0.05


async def test_message_is_shown_as_it_came():
    point = {"name": "t", "topic": "site/weather/observation", "json_path": "$.air.temperature"}
    async with broker() as port, serve(QuickStation(), "127.0.0.1", port):
        made = settings(port, point, "none", time_path="$.time", time_unit="ms")
        async with driver.open_device(made) as device:
            found, nothing = await device.inspect(["t", "p1"])
    assert found.shown == "site/weather/observation (json $.air.temperature)"
    assert found.data.startswith(b'{"time": ')
    assert abs(found.reading.source_us / 1e6 - time.time()) < 5
    assert nothing.shown == "none: nothing heard"


async def test_flood_is_heard_without_loss_of_the_newest():
    async with broker() as port:
        topics = [f"load/{number}" for number in range(50)]
        async with hearing(settings(port, *topics)) as (device, ear):
            await ear.until(lambda _: device._session)
            await asyncio.gather(*(_burst(port, topic, 100) for topic in topics[:10]))
            await ear.until(lambda ear: sum(r.value == 100 for r in ear.readings) >= 10)
    assert len(ear.readings) + device.hearing.dropped == 1_000


async def _burst(port: int, topic: str, count: int) -> None:
    lines = "\n".join(str(number) for number in range(1, count + 1)).encode()
    process = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-p", str(port), "-t", topic, "-l", stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(lines + b"\n")
