from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.driver import DeviceSettings
from edge_runtime.judging import implied_decimals, judge_point
from edge_runtime.model import Point, Reading
from edge_runtime.normalise import Normaliser

READS = st.lists(st.tuples(st.floats(0.1, 30), st.integers(-1000, 1000)), min_size=1, max_size=40)


@given(READS, st.floats(0, 50), st.floats(0.1, 100))
def test_what_was_sent_last_is_never_further_off_than_the_deadband(reads, deadband, silence):
    point = Point(name="level", deadband=deadband, max_silence_s=silence)
    normaliser = Normaliser(DeviceSettings(name="tank", points=(point,)))
    now, sent = 0.0, None
    for wait, value in reads:
        now += wait
        normalised = normaliser.take([Reading("level", value)], 0, now)
        sent = (now, normalised.reported[0].value) if normalised.reported else sent
        assert sent is not None
        assert abs(sent[1] - value) <= deadband
        assert now - sent[0] < silence


@given(
    st.integers(-(2**31), 2**31),
    st.sampled_from([1.0, 0.1, 0.01, 0.001, 0.5, 0.25, 10.0]),
    st.sampled_from([0.0, -40.0, 273.15, 0.5]),
)
def test_a_scaled_integer_has_no_more_decimals_than_its_scale(raw, scale, offset):
    value, _, _ = judge_point(Point(name="p", scale=scale, offset=offset))(raw)
    assert value == round(value, implied_decimals(scale, offset))
    assert abs(value - (raw * scale + offset)) < 1e-5
