"""Size of a request, and the wait after a failure."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.pacing import LIMIT_S, MAX_BYTES, MIN_BYTES, START_BYTES, TARGET_S, Backoff, Pace


def drive(pace: Pace, rounds: int, bytes_per_s: float, round_trip_s: float) -> float:
    """Send as much as the pace allows, again and again; give the longest of the last requests."""
    durations = []
    for _ in range(rounds):
        size = pace.max_bytes
        durations.append(round_trip_s + size / bytes_per_s)
        pace.arrived(size, durations[-1])
    return max(durations[-10:])


def test_on_a_fast_line_requests_grow_to_the_limit():
    pace = Pace()
    drive(pace, 20, bytes_per_s=50e6, round_trip_s=0.01)
    assert pace.max_bytes == MAX_BYTES


def test_on_a_slow_line_an_alarm_waits_no_longer_than_a_small_request_takes():
    pace = Pace()
    longest_s = drive(pace, 40, bytes_per_s=8_000, round_trip_s=0.05)
    assert pace.max_bytes <= 2 * MIN_BYTES
    assert longest_s < 2.5


def test_a_long_way_does_not_make_requests_small():
    pace = Pace()
    drive(pace, 40, bytes_per_s=5e6, round_trip_s=0.6)
    assert pace.max_bytes * 8 >= 5e6 * TARGET_S


def test_small_requests_teach_nothing_about_large_ones():
    pace = Pace()
    for _ in range(100):
        pace.arrived(100, 0.01)
    assert pace.max_bytes == START_BYTES


def test_failures_shrink_a_request_to_its_least():
    pace = Pace()
    for _ in range(100):
        pace.failed()
    assert pace.max_bytes == MIN_BYTES


@given(st.lists(st.tuples(st.integers(0, 1 << 24), st.floats(0.0, 100.0)), max_size=50))
def test_the_pace_keeps_its_limits(answers):
    pace = Pace()
    for size, seconds in answers:
        pace.arrived(size, seconds)
        assert MIN_BYTES <= pace.max_bytes <= MAX_BYTES


@given(st.floats(0.0, 1.0, exclude_max=True), st.integers(1, 60))
def test_a_wait_is_between_nothing_and_the_limit(draw, failures):
    backoff = Backoff(lambda: draw)
    waits = [backoff.next_s() for _ in range(failures)]
    assert all(0 <= wait <= LIMIT_S for wait in waits)
    assert waits == sorted(waits)


def test_waits_grow_from_at_once_to_half_a_minute():
    backoff = Backoff(lambda: 1.0)
    waits = [backoff.next_s() for _ in range(14)]
    assert waits[:4] == [0.1, 0.5, 0.75, 1.125]
    assert waits[-1] == LIMIT_S


def test_after_success_the_next_wait_is_short_again():
    backoff = Backoff(lambda: 1.0)
    for _ in range(20):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 0.1
