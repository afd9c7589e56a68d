import pytest

from components.mqtt.client import Message
from components.mqtt.hearing import Hearing
from components.mqtt.settings import Settings
from edge_runtime.model import Quality

POINTS = [
    {"name": "temp", "topic": "d/temp"},
    {"name": "state", "topic": "d/+/state", "kind": "boolean", "on_change": True},
]


def make(**more):
    woken = []
    settings = Settings(**{"name": "d", "host": "b", "points": POINTS, **more})
    hearing = Hearing(settings, lambda: woken.append(1), lambda: 0)
    hearing.keep_news = True
    return hearing


def hear(hearing, topic, text, *, retained=False):
    hearing.listen(Message(topic, text.encode(), retained))


def test_news_are_taken_once():
    hearing = make()
    hear(hearing, "d/temp", "21")
    hear(hearing, "d/pump/state", "ON")
    assert {r.point: r.value for r in hearing.take_news({"temp", "state"})} == {
        "temp": 21,
        "state": True,
    }
    assert hearing.take_news({"temp", "state"}) == []


def test_newest_value_is_kept_for_reading():
    hearing = make()
    hear(hearing, "d/temp", "21")
    hear(hearing, "d/temp", "22")
    hearing.decode()
    assert hearing.heard["temp"].value == 22
    assert hearing.messages["temp"].payload == b"22"


def test_retained_message_after_a_live_one_is_old():
    hearing = make()
    hear(hearing, "d/temp", "22")
    hear(hearing, "d/temp", "21", retained=True)
    hearing.decode()
    assert (hearing.heard["temp"].value, hearing.heard["temp"].quality) == (22, Quality.GOOD)


def test_new_session_forgets():
    hearing = make()
    hear(hearing, "d/temp", "22")
    hearing.decode()
    hearing.begin()
    assert not hearing.heard
    hear(hearing, "d/temp", "21", retained=True)
    hearing.decode()
    assert hearing.heard["temp"].reason == "stale:retained"


AVAILABLE = {"availability": {"topic": "d/lwt", "online": "Online", "offline": "Offline"}}


def test_last_will_says_that_the_device_is_away():
    hearing = make(**AVAILABLE)
    assert not hearing.away
    hear(hearing, "d/lwt", "Offline", retained=True)
    assert hearing.away
    hear(hearing, "d/lwt", "Online")
    assert not hearing.away


@pytest.mark.parametrize("word", ["", "maybe", "\ud7ff"])
def test_word_that_is_none_of_both_changes_nothing(word):
    hearing = make(**AVAILABLE)
    hear(hearing, "d/lwt", "Offline")
    hear(hearing, "d/lwt", word)
    assert hearing.away


def test_who_publishes_is_not_away():
    hearing = make(**AVAILABLE)
    hear(hearing, "d/lwt", "Offline")
    hear(hearing, "d/temp", "1", retained=True)
    assert hearing.away
    hear(hearing, "d/temp", "1")
    hear(hearing, "d/temp", "2")
    assert not hearing.away


def test_availability_in_a_document():
    hearing = make(
        availability={"topic": "d/+/lwt", "json_path": "$.on", "online": "true", "offline": "false"}
    )
    hear(hearing, "d/x/lwt", '{"on": false}')
    assert hearing.away
    hear(hearing, "d/x/lwt", "{]")
    assert hearing.away
    hear(hearing, "d/x/lwt", '{"on": true}')
    assert not hearing.away


def test_point_published_on_change_holds_while_the_device_is_online():
    hearing = make(**AVAILABLE)
    hear(hearing, "d/pump/state", "ON")
    hear(hearing, "d/temp", "1")
    hearing.decode()
    assert list(hearing.held()) == []  # nobody said that it is online
    hear(hearing, "d/lwt", "Online")
    assert list(hearing.held()) == ["state"]
    hear(hearing, "d/lwt", "Offline")
    assert list(hearing.held()) == []


def test_bad_value_does_not_hold():
    hearing = make(**AVAILABLE)
    hear(hearing, "d/lwt", "Online")
    hear(hearing, "d/pump/state", "perhaps")
    hearing.decode()
    assert list(hearing.held()) == []


def test_flood_is_bounded_and_counted():
    hearing = make()
    for number in range(1_000):
        hear(hearing, "d/temp", str(number))
    readings = hearing.take_news({"temp"})
    assert readings[-1].value == 999
    assert len(readings) + hearing.dropped == 1_000


def test_refused_filters_name_their_points():
    assert make().served_by({"d/+/state": 0x87}) == {"state": 0x87}
