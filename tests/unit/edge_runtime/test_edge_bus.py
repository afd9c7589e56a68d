import pytest

from edge_runtime.bus import MAX_SUBSCRIBERS, Bus
from edge_runtime.normalise import Normalised


def test_subscribers_are_called_in_their_order():
    bus, seen = Bus(), []
    bus.on_readings(lambda read: seen.append(("first", read.device)))
    bus.on_readings(lambda read: seen.append(("second", read.device)))
    bus.readings(Normalised("pump", [], []))
    assert seen == [("first", "pump"), ("second", "pump")]


def test_the_number_of_subscribers_is_bounded():
    bus = Bus()
    for _ in range(MAX_SUBSCRIBERS):
        bus.on_event(lambda event: None)
    with pytest.raises(ValueError, match="16 subscribers"):
        bus.on_event(lambda event: None)
