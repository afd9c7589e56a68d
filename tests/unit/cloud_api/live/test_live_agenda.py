"""What the live feed has to show, and when."""

from uuid import UUID

import pytest

from cloud_api.live import agenda as module
from cloud_api.live.agenda import REFRESH_S, SILENT_S, SPACING_S, Agenda, Item, Topic

TENANT, GATEWAY = UUID(int=1), UUID(int=2)
SHOWN = Item(TENANT, Topic.GATEWAY, GATEWAY)
ALERT = Item(TENANT, Topic.ALERT, "a-1")


@pytest.fixture
def agenda():
    return Agenda()


def test_subject_is_shown_once_however_often_it_changed(agenda):
    agenda.add(ALERT, 0.0)
    agenda.add(ALERT, 0.0)
    assert agenda.take(0.0) == [ALERT]
    assert agenda.take(0.0) == []


def test_gateway_is_shown_at_its_first_contact(agenda):
    agenda.contact(TENANT, GATEWAY, 0, 10.0)
    assert agenda.take(10.0) == [SHOWN]


def test_changes_of_a_gateway_are_spaced(agenda):
    agenda.contact(TENANT, GATEWAY, 0, 10.0)
    agenda.take(10.0)
    agenda.contact(TENANT, GATEWAY, 5, 10.1)
    assert agenda.take(10.1) == []
    assert agenda.take(10.0 + SPACING_S) == [SHOWN]


def test_unchanged_gateway_is_shown_again_after_a_while_only(agenda):
    agenda.contact(TENANT, GATEWAY, 0, 10.0)
    agenda.take(10.0)
    agenda.contact(TENANT, GATEWAY, 0, 10.0 + REFRESH_S / 2)
    assert agenda.take(20.0) == []
    agenda.contact(TENANT, GATEWAY, 0, 10.0 + REFRESH_S)
    assert agenda.take(20.0) == [SHOWN]


def test_gateway_that_falls_silent_is_shown_once(agenda):
    agenda.contact(TENANT, GATEWAY, 0, 10.0)
    agenda.take(10.0)
    assert agenda.take(9.9 + SILENT_S) == []
    assert agenda.take(10.1 + SILENT_S) == [SHOWN]
    assert agenda.take(99.0) == []


def test_gateway_that_comes_back_is_shown_at_once(agenda):
    agenda.contact(TENANT, GATEWAY, 0, 10.0)
    agenda.take(10.0)
    agenda.take(60.0)
    agenda.contact(TENANT, GATEWAY, 0, 60.1)
    assert agenda.take(60.1) == [SHOWN]


def test_agenda_is_bounded(agenda, monkeypatch):
    monkeypatch.setattr(module, "MAX_ITEMS", 1)
    assert agenda.add(ALERT, 0.0)
    assert not agenda.add(SHOWN, 0.0)
