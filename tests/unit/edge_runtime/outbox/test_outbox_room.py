"""Limits: what settings may say, and the space kept back."""

import pytest
from pydantic import ValidationError

from edge_runtime.outbox.reserve import Reserve
from edge_runtime.outbox.settings import OutboxSettings


def test_the_cap_must_hold_a_few_segments():
    with pytest.raises(ValidationError, match="at least 8 segments"):
        OutboxSettings(max_bytes=8 << 20, segment_bytes=4 << 20)


def test_a_sample_never_waits_for_more_than_a_second():
    with pytest.raises(ValidationError, match="commit_interval_s"):
        OutboxSettings(commit_interval_s=1.5)


def test_a_reserve_is_real_space_until_it_is_released(tmp_path):
    reserve = Reserve(tmp_path / "reserve", 1 << 20)
    reserve.hold()
    reserve.hold()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 1 << 20
    assert reserve.release()
    assert not reserve.release()


def test_no_reserve_is_made_where_space_is_scarce(tmp_path):
    Reserve(tmp_path / "reserve", 1 << 60).hold()
    assert not (tmp_path / "reserve").exists()
