"""What becomes of readings when a server, a session, a subscription or a node fails."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from edge_runtime.errors import DeviceError, DeviceRefusedError, DeviceUnreachableError
from edge_runtime.model import Quality
from simulators.opcua.nodes import NAMESPACE
from tests.integration.opcua.conftest import SHOWN, point

pytestmark = pytest.mark.asyncio(loop_scope="session")
NAMES = [path.lower().replace(".", "_") for path in SHOWN]
START = {"name": "start", "object": f"nsu={NAMESPACE};s=Machine",
         "method": f"nsu={NAMESPACE};s=Machine.Start"}  # fmt: skip
STOP = {"name": "stop", "object": START["object"], "method": f"nsu={NAMESPACE};s=Machine.Stop"}


async def until(changes, fits, patience_s=8):
    """Listen until a reading fits; gives it."""
    async with asyncio.timeout(patience_s):
        async for news in changes:
            for reading in news.readings:
                if fits(reading):
                    return reading
    pytest.fail("the reports ended")


async def first_values(changes):
    seen = set()
    async with asyncio.timeout(6):
        async for news in changes:
            seen |= {reading.point for reading in news.readings}
            if seen >= set(NAMES):
                return


# --- one bad node ---------------------------------------------------------------------------------


async def test_bad_sensor_is_one_bad_point_and_comes_back(simulator, open_machine):
    async with open_machine(simulator) as device, aclosing(device.changes(NAMES)) as changes:
        await first_values(changes)
        simulator.mark("Spindle.Load", "BadSensorFailure")
        bad = await until(changes, lambda r: r.quality is Quality.BAD)
        assert (bad.point, bad.value) == ("spindle_load", None)
        assert bad.reason == "device_error:BadSensorFailure"
        simulator.unmark("Spindle.Load")
        good = await until(changes, lambda r: r.point == "spindle_load" and not r.reason)
        assert good.source_us is not None


async def test_uncertain_value_keeps_its_number_and_says_why(simulator, open_machine):
    simulator.mark("Machine.Parts", "UncertainLastUsableValue")
    await asyncio.sleep(0.3)
    async with open_machine(simulator) as device:
        [reading] = await device.read(["machine_parts"])
    assert reading.quality is Quality.UNCERTAIN
    assert (reading.reason, reading.value) == (
        "stale:UncertainLastUsableValue",
        simulator.machine.parts,
    )


async def test_unknown_nodes_and_namespaces_leave_the_rest_alone(simulator, open_machine):
    points = [point("Machine.Parts"), point("Machine.Nowhere"),
              {"name": "elsewhere", "node": "nsu=urn:nobody;i=1"}]  # fmt: skip
    names = ["machine_parts", "machine_nowhere", "elsewhere"]
    async with open_machine(simulator, points=points) as device:
        read = {r.point: r.reason for r in await device.read(names)}
        heard = {}
        async with asyncio.timeout(6), aclosing(device.changes(names)) as changes:
            async for news in changes:
                assert not news.polled
                heard |= {r.point: r.reason for r in news.readings}
                if len(heard) == len(names):
                    break
    assert heard == read == {
        "machine_parts": "",
        "machine_nowhere": "device_error:BadNodeIdUnknown",
        "elsewhere": "configuration:namespace",
    }  # fmt: skip


async def test_refused_node_is_asked_for_again(simulator, open_machine, monkeypatch):
    monkeypatch.setattr("components.opcua.limits.RETRY_REFUSED_S", 0.2)
    points = [point("Machine.Parts"), point("Machine.Later")]
    async with open_machine(simulator, points=points) as device:
        async with aclosing(device.changes(["machine_parts", "machine_later"])) as changes:
            await until(changes, lambda r: r.reason == "device_error:BadNodeIdUnknown")
            space = await simulator.server.get_namespace_index(NAMESPACE)
            folder = simulator.server.nodes.objects
            node = await folder.add_variable(f"ns={space};s=Machine.Later", "Later", 7)
            found = await until(changes, lambda r: r.point == "machine_later" and not r.reason)
        await simulator.server.delete_nodes([node])
    assert found.value == 7


# --- sessions and subscriptions -------------------------------------------------------------------


async def test_lost_session_ends_reports_and_the_next_read_connects_again(simulator, open_machine):
    async with open_machine(simulator) as device:
        async with aclosing(device.changes(NAMES)) as changes:
            await first_values(changes)
            simulator.hang_up()
            with pytest.raises(DeviceUnreachableError, match="the connection was lost"):
                await until(changes, lambda _: False)
        assert len(await device.read(NAMES)) == len(NAMES)


async def test_server_that_restarts_is_told_and_heard_again(simulator, open_machine):
    async with open_machine(simulator) as device:
        async with aclosing(device.changes(NAMES)) as changes:
            await first_values(changes)
            await simulator.go()
            with pytest.raises(DeviceUnreachableError):
                await until(changes, lambda _: False)
        with pytest.raises(DeviceUnreachableError):
            await device.read(NAMES)
        await simulator.come_back()
        async with aclosing(device.changes(NAMES)) as changes:
            await first_values(changes)


async def test_forgotten_subscription_is_mended_within_the_session(simulator, open_machine):
    async with (
        open_machine(simulator, timeout_s=0.8) as device,
        aclosing(device.changes(NAMES)) as changes,
    ):
        await first_values(changes)
        sessions = len(simulator.server.iserver.asyncio_transports)
        await simulator.forget_subscriptions()
        await first_values(changes)
        assert len(simulator.server.iserver.asyncio_transports) == sessions


async def test_subscription_that_does_not_live_ends_the_session(simulator, open_machine):
    async with (
        open_machine(simulator, timeout_s=0.5) as device,
        aclosing(device.changes(NAMES)) as changes,
    ):
        await first_values(changes)
        simulator.mute = True
        await simulator.forget_subscriptions()
        with pytest.raises(DeviceUnreachableError, match="does not live"):
            await until(changes, lambda _: False, patience_s=20)


async def test_points_without_change_are_confirmed(simulator, open_machine):
    simulator.frozen = True
    async with open_machine(simulator) as device, aclosing(device.changes(NAMES)) as changes:
        await first_values(changes)
        confirmed = set()
        async with asyncio.timeout(6):
            async for news in changes:
                confirmed |= set(news.confirmed)
                if confirmed == set(NAMES):
                    break


async def test_slow_server_is_unreachable_and_recovers(simulator, open_machine):
    async with open_machine(simulator, timeout_s=0.8) as device:
        await device.read(NAMES)
        simulator.slow_s = 1.4
        with pytest.raises(DeviceUnreachableError, match="did not answer in time"):
            await device.read(NAMES)
        simulator.slow_s = 0.0
        await asyncio.sleep(0.7)
        assert len(await device.read(NAMES)) == len(NAMES)


# --- what is polled -------------------------------------------------------------------------------


async def test_what_a_server_will_not_report_is_polled(simulator, open_machine):
    simulator.unreported = {"Spindle.Load"}
    async with open_machine(simulator) as device, aclosing(device.changes(NAMES)) as changes:
        assert (await anext(changes)).polled == {"spindle_load"}
        heard = await until(changes, lambda r: r.point == "machine_parts")
    assert heard.quality is Quality.GOOD


async def test_server_without_subscriptions_is_polled(simulator, open_machine):
    service = simulator.server.iserver
    most, service.max_subscriptions = service.max_subscriptions, 0
    try:
        async with open_machine(simulator) as device, aclosing(device.changes(NAMES)) as changes:
            first = await anext(changes)
    finally:
        service.max_subscriptions = most
    assert first.polled == frozenset(NAMES)


async def test_points_that_ask_for_it_are_polled(simulator, open_machine):
    points = [point("Machine.Parts", subscribe=False), point("Machine.Tool")]
    async with (
        open_machine(simulator, points=points) as device,
        aclosing(device.changes(["machine_parts", "machine_tool"])) as changes,
    ):
        assert (await anext(changes)).polled == {"machine_parts"}


async def test_reads_come_in_parts_that_the_server_takes(simulator, open_machine):
    async with open_machine(simulator, max_nodes_per_call=1) as device:
        assert [r.point for r in await device.read(NAMES)] == NAMES


async def test_limit_that_a_server_does_not_tell_is_found_out(simulator, open_machine):
    simulator.most_per_read = 3
    async with open_machine(simulator) as device:
        assert [r.point for r in await device.read(NAMES)] == NAMES


async def test_sign_of_life_too_rare_for_the_promise_means_polling(simulator, open_machine):
    rare = {"publishing_s": 2, "stale_after_s": 0.5}
    async with (
        open_machine(simulator, **rare) as device,
        aclosing(device.changes(NAMES)) as changes,
    ):
        assert (await anext(changes)).polled == frozenset(NAMES)
        assert not (await anext(changes)).readings


async def test_deadband_that_a_node_does_not_take_is_left_out(simulator, open_machine):
    points = [point("Machine.Program", server_deadband=1, kind="text")]
    async with (
        open_machine(simulator, points=points) as device,
        aclosing(device.changes(["machine_program"])) as changes,
    ):
        heard = await until(changes, lambda r: r.point == "machine_program")
    assert heard.value == simulator.machine.program


# --- writes and methods ---------------------------------------------------------------------------


async def test_integer_is_cast_to_a_float_node(simulator, open_machine):
    async with open_machine(simulator) as device:
        await device.write("machine_feedoverride", 80)
        [reading] = await device.read(["machine_feedoverride"])
    assert reading.value == 80.0


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("machine_feedoverride", "fast", "no number, and the node is Float"),
        ("machine_feedoverride", 1e300, "more than Float holds"),
        ("spindle_load", 1.0, "AccessLevel"),
        ("machine_parts", 1, "AccessLevel"),
    ],
)
async def test_write_that_cannot_be_is_refused(simulator, open_machine, name, value, text):
    async with open_machine(simulator) as device:
        with pytest.raises(DeviceRefusedError, match=text):
            await device.write(name, value)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (point("Axes.Following", index=0), "one element of an array"),
        ({"name": "p", "node": "nsu=urn:nobody;i=1"}, "no namespace 'urn:nobody'"),
        (point("Machine.Nowhere"), "BadNodeIdUnknown"),
    ],
)
async def test_what_cannot_be_written_is_told(simulator, open_machine, made, text):
    async with open_machine(simulator, points=[made]) as device:
        with pytest.raises(DeviceRefusedError, match=text):
            await device.write(made["name"], 1)


async def test_methods_are_called_with_cast_arguments(simulator, open_machine):
    async with open_machine(simulator, methods=[START, STOP]) as device:
        assert await device.invoke("stop", []) == []
        assert await device.invoke("start", ["O1300 flange", 3.0]) == [simulator.machine.parts]
        assert (simulator.machine.program, simulator.machine.wanted) == ("O1300 flange", 3)
        with pytest.raises(DeviceRefusedError, match="BadInvalidState"):
            await device.invoke("start", ["O1300 flange", 3])


@pytest.mark.parametrize(
    ("method", "arguments", "text"),
    [
        ("start", ["O1"], r"takes 2 arguments \(Program, Parts\), not 1"),
        ("start", ["O1", -1], "argument 'Parts': -1 is outside of 0 to 4294967295"),
        ("start", [5, 1], "argument 'Program': 5 is no String"),
        ("dance", [], "has no method 'dance'"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused(
    simulator, open_machine, method, arguments, text
):
    async with open_machine(simulator, methods=[START]) as device:
        with pytest.raises(DeviceRefusedError, match=text):
            await device.invoke(method, arguments)


# --- nonsense on the wire -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
async def test_flipped_bytes_raise_nothing_but_device_errors(simulator, open_machine, spoil, seed):
    async with (
        spoil(simulator.port, seed) as port,
        open_machine(
            simulator,
            endpoint=f"opc.tcp://127.0.0.1:{port}/machine",
            security_policy="None",
            timeout_s=0.2,
        ) as device,
    ):
        for _ in range(2):
            with suppress(DeviceError):
                await device.read(NAMES)
            with suppress(DeviceError):
                await _listen(device)


async def _listen(device) -> None:
    """Listen for a while; the end of that while is no error."""
    listening = asyncio.timeout(0.2)
    try:
        async with listening, aclosing(device.changes(NAMES)) as changes:
            async for news in changes:
                assert all(r.point in NAMES for r in news.readings)
    except TimeoutError:
        assert listening.expired()
