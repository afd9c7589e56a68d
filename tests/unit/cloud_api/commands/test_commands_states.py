"""Which step leads a command where."""

import pytest

from cloud_api.commands.states import State, Step, next_state, result_step


@pytest.mark.parametrize(
    ("state", "step", "after"),
    [
        (State.QUEUED, Step.SEND, State.SENT),
        (State.SENT, Step.ACKNOWLEDGE, State.ACKNOWLEDGED),
        (State.QUEUED, Step.ACKNOWLEDGE, State.ACKNOWLEDGED),
        (State.SENT, Step.LAPSE, State.EXPIRED),
        (State.ACKNOWLEDGED, Step.SUCCEED, State.SUCCEEDED),
        (State.ACKNOWLEDGED, Step.FAIL, State.FAILED),
        (State.ACKNOWLEDGED, Step.EXPIRE, State.EXPIRED),
        (State.EXPIRED, Step.SUCCEED, State.SUCCEEDED),
    ],
)
def test_step_leads_on(state, step, after):
    assert next_state(state, step) is after


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
def test_ended_command_stays_as_it_ended(state, step):
    assert next_state(state, step) is None


@pytest.mark.parametrize("state", State)
def test_no_step_leads_back_to_the_queue(state):
    order = list(State)
    for step in Step:
        after = next_state(state, step)
        assert after is None or state is State.EXPIRED or order.index(after) > order.index(state)


def test_acknowledged_command_waits_for_the_word_of_the_gateway():
    assert next_state(State.ACKNOWLEDGED, Step.LAPSE) is None


@pytest.mark.parametrize(
    ("word", "step"),
    [
        ("succeeded", Step.SUCCEED),
        ("failed", Step.FAIL),
        ("expired", Step.EXPIRE),
        ("sent", None),
        ("?", None),
    ],
)
def test_only_an_ending_is_a_result(word, step):
    assert result_step(word) is step
