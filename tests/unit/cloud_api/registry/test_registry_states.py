from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.registry.states import GatewayState, gateway_state, worst_state

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("contact", "oldest", "state"),
    [
        (None, None, GatewayState.WAITING),
        (ago(1), None, GatewayState.LIVE),
        (ago(1), ago(10), GatewayState.LIVE),
        (ago(1), ago(17), GatewayState.CATCHING_UP),
        (ago(15), None, GatewayState.LIVE),
        (ago(16), None, GatewayState.SILENT),
        (ago(16), ago(3600), GatewayState.SILENT),
    ],
)
def test_a_gateway_is_judged_by_contact_then_backlog(contact, oldest, state):
    assert gateway_state(NOW, contact, oldest) is state


def test_what_waited_is_measured_at_the_last_contact_and_not_now():
    assert gateway_state(NOW, ago(14), ago(20)) is GatewayState.LIVE


def test_a_site_is_as_good_as_its_worst_gateway():
    assert worst_state([]) == "empty"
    assert worst_state([GatewayState.LIVE, GatewayState.CATCHING_UP]) == "catching_up"
    assert worst_state([GatewayState.SILENT, GatewayState.WAITING]) == "silent"
