"""Reports of changes: subscribed, renewed, missed, refused, cancelled."""

import asyncio

import pytest
from bacnet_site import GOOD, INSTANCE, NAMES, Listening, eventually, objects, settings_of

from components.bacnet.driver import driver
from edge_runtime.errors import DeviceUnreachableError
from simulators.bacnet.device import serve
from simulators.bacnet.faults import Faults
from simulators.bacnet.objects import fail

REPORTED = {"t1", "t2", "t3", "valve", "door", "mode"}
POLLED = {"label"}
"""Our simulator has no COV for texts."""


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
async def served(faults):
    async with serve(INSTANCE, objects(), faults=faults) as (device, port):
        yield device, port


@pytest.fixture
async def opened(served):
    async with driver.open_device(settings_of(served[1])) as device:
        yield device


def settled(heard):
    return heard.polled == POLLED


async def test_reports_begin_with_all_values_and_say_what_must_be_polled(served, opened):
    async with Listening(opened) as listening:
        heard = await listening.until(settled)
        assert heard.values == GOOD
        assert len(served[0].subscriptions) == len(REPORTED)


async def test_change_is_reported(served, opened):
    async with Listening(opened) as listening:
        await listening.until(settled)
        served[0].object_at("analog-input", 1).presentValue = 30.0
        await listening.until(lambda heard: heard.values["t1"] == 30.0)


@pytest.mark.parametrize("confirmed", [True, False])
async def test_reports_are_acknowledged_or_not(served, confirmed):
    settings = settings_of(served[1], cov_confirmed=confirmed, confirm_s=60)
    async with driver.open_device(settings) as opened, Listening(opened) as listening:
        await listening.until(settled)
        assert {s.confirmed for s in served[0].subscriptions} == {confirmed}
        served[0].object_at("binary-input", 1).presentValue = "inactive"
        await listening.until(lambda heard: heard.values["door"] == 0)


async def test_quiet_points_are_confirmed(opened):
    async with Listening(opened) as listening:
        await listening.until(lambda heard: heard.confirmed >= REPORTED)
        assert not listening.heard.confirmed & POLLED


async def test_reason_of_a_fault_is_fetched_with_the_report(served, opened):
    async with Listening(opened) as listening:
        await listening.until(settled)
        fail(served[0].object_at("analog-input", 2), 1)
        await listening.until(lambda heard: heard.reasons["t2"] == "device_error:no-sensor")


async def test_device_that_does_not_know_cov_is_polled(opened, faults):
    faults.hide_cov = True
    async with Listening(opened) as listening:
        await listening.until(lambda heard: heard.polled == set(NAMES) and heard.confirmed == set())
        await asyncio.sleep(0)
        assert "SubscribeCOV" not in faults.asked


async def test_refused_subscriptions_are_polled(opened, faults):
    faults.refuse_cov = True
    async with Listening(opened) as listening:
        await listening.until(lambda heard: heard.polled == set(NAMES))
        await eventually(lambda: faults.asked.count("SubscribeCOV") == len(NAMES))


async def test_device_with_little_room_reports_what_it_can(served, opened, faults):
    faults.max_subscriptions = 2
    async with Listening(opened) as listening:
        heard = await listening.until(lambda heard: 0 < len(heard.polled) < len(NAMES))
        assert len(heard.polled) == len(NAMES) - 2


async def test_forgotten_subscription_is_noticed_and_renewed(served, opened):
    async with Listening(opened) as listening:
        await listening.until(settled)
        served[0].forget()
        served[0].object_at("analog-input", 1).presentValue = 30.0
        await listening.until(lambda heard: heard.values["t1"] == 30.0)
        await eventually(lambda: served[0].subscriptions)


async def test_subscriptions_are_renewed_before_they_end(served):
    settings = settings_of(served[1], cov_lifetime_s=2, confirm_s=60)
    async with driver.open_device(settings) as opened, Listening(opened) as listening:
        await listening.until(settled)
        served[0].forget()
        await eventually(lambda: len(served[0].subscriptions) == len(REPORTED))


async def test_mute_device_is_looked_at(served, opened, faults):
    faults.mute_reports = True
    async with Listening(opened) as listening:
        await listening.until(settled)
        served[0].object_at("binary-input", 1).presentValue = "inactive"
        await listening.until(lambda heard: heard.values["door"] == 0)


async def test_lost_device_ends_the_reports(opened, faults):
    async with Listening(opened) as listening:
        await listening.until(settled)
        faults.silent = True
        with pytest.raises(DeviceUnreachableError):
            await listening.until(lambda _: False)


async def test_closing_cancels_the_subscriptions(served, opened):
    async with Listening(opened) as listening:
        await listening.until(settled)
    assert served[0].subscriptions == []
    assert (await opened.local()).reports == {}


async def test_increment_of_our_own_falls_back_to_the_devices(served):
    points = [{"name": "t1", "object": "analog-input,1", "cov_increment": 5.0}]
    async with (
        driver.open_device(settings_of(served[1], points)) as opened,
        Listening(opened, ["t1"]) as listening,
    ):
        await listening.until(lambda heard: heard.polled == set() and heard.reports > 1)
        assert "SubscribeCOVProperty" in served[0].faults.asked
        assert len(served[0].subscriptions) == 1


async def test_reports_of_strangers_are_not_taken(served, opened):
    async with Listening(opened) as listening, serve(9, objects()) as (stranger, _):
        await listening.until(settled)
        local = await opened.local()
        [process, *_] = local.reports
        subscription = served[0].subscriptions[0]
        stranger_object = stranger.object_at(str(subscription.obj_id[0]), subscription.obj_id[1])
        await _pretend(stranger, stranger_object, subscription, process)
        await asyncio.sleep(0.1)
        assert listening.heard.values == GOOD


async def _pretend(stranger, obj, subscription, process):
    """Report in the name of somebody else's subscription."""
    from bacpypes3.service.cov import Subscription  # noqa: PLC0415 - only here

    criteria = obj._cov_criteria(obj)
    mine = Subscription(
        obj, subscription.client_addr, process, subscription.obj_id, False, 60, None
    )
    stranger._cov_detections[obj.objectIdentifier] = criteria
    criteria.add_subscription(mine)
    obj.presentValue = 99.0
    criteria.send_cov_notifications(mine)


async def test_burst_of_reports_arrives_whole():
    points = [{"name": f"t{n}", "object": f"analog-input,{n}"} for n in range(1, 121)]
    names = [point["name"] for point in points]
    async with (
        serve(INSTANCE, objects(120)) as (device, port),
        driver.open_device(settings_of(port, points, timeout_s=2, confirm_s=60)) as opened,
        Listening(opened, names) as listening,
    ):
        await listening.until(lambda heard: heard.polled == set() and heard.reports >= 240)
        for n in range(1, 121):
            device.object_at("analog-input", n).presentValue = 1_000.0 + n
        await listening.until(lambda heard: min(heard.values.values()) > 1_000)
