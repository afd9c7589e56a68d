"""Access tokens that were checked a moment ago are not checked again."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud_api.access import keyring
from cloud_api.access.caller import GatewayCaller
from cloud_api.access.keyring import CheckedTokens
from cloud_api.access.tokens import Access

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CALLER = GatewayCaller(uuid4(), uuid4())


def after(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def checked():
    made = CheckedTokens()
    made.remember("good", Access(CALLER, after(900)), NOW)
    return made


def test_token_is_remembered_for_half_a_minute(checked):
    assert checked.find("good", after(29)) == CALLER
    assert checked.find("good", after(30)) is None


def test_token_is_not_remembered_past_its_end(checked):
    checked.remember("short", Access(CALLER, after(5)), NOW)
    assert checked.find("short", after(4)) == CALLER
    assert checked.find("short", after(5)) is None


def test_clock_that_is_set_back_makes_it_checked_again(checked):
    assert checked.find("good", after(-1)) is None


@pytest.mark.parametrize("text", ["", "Good", "good ", "\udcff"])
def test_another_text_is_another_token(checked, text):
    assert checked.find(text, NOW) is None


def test_what_is_kept_is_bounded_and_shows_no_token(checked, monkeypatch):
    monkeypatch.setattr(keyring, "MAX_STANDINGS", 2)
    for number in range(5):
        checked.remember(f"token-{number}", Access(CALLER, after(900)), NOW)
    assert sum(checked.find(f"token-{n}", NOW) is not None for n in range(5)) <= 2
    assert "token-4" not in repr(checked)
