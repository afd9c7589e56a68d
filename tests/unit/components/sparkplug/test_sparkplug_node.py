from components.sparkplug.node import EdgeNode
from components.sparkplug.payload import Payload
from components.sparkplug.reports import Reports
from components.sparkplug.settings import Settings
from components.sparkplug.topic import Kind
from edge_runtime.model import Quality

INT32, INT64 = 3, 4


def payload(*metrics, seq=None, at=1_000):
    made = Payload(timestamp=at)
    if seq is not None:
        made.seq = seq
    for metric in metrics:
        made.metrics.add(**metric)
    return made.SerializeToString()


def birth(name, alias, value=0):
    return {"name": name, "alias": alias, "datatype": INT32, "int_value": value}


def bd_seq(number):
    return {"name": b"bdSeq", "datatype": INT64, "long_value": number}


class Line:
    """An edge node with one device, and what was last said of it."""

    def __init__(self):
        self.node = EdgeNode()

    def take(self, kind, data, device=""):
        return self.node.take(kind, device, data, max_bytes=1 << 20)

    def born(self, *, number=0):
        self.take(Kind.NBIRTH, payload(bd_seq(number), birth(b"load", 1, 5), seq=0))
        return self.take(Kind.DBIRTH, payload(birth(b"speed", 11, 30), seq=1), "d")


def test_birth_declares_metrics_with_values():
    line = Line()
    outcome = line.born()
    assert outcome.born == {"d"}
    [(name, sample)] = outcome.samples["d"]
    assert (name, sample.value, sample.source_us) == ("speed", 30, 1_000_000)


def test_data_comes_by_alias_and_without_a_type():
    line = Line()
    line.born()
    outcome = line.take(Kind.DDATA, payload({"alias": 11, "int_value": 0xFFFF_FFFF}, seq=2), "d")
    assert [(n, s.value) for n, s in outcome.samples["d"]] == [("speed", -1)]
    assert not outcome.rebirth


def test_gap_asks_for_a_birth_and_keeps_the_data():
    line = Line()
    line.born()
    outcome = line.take(Kind.DDATA, payload({"alias": 11, "int_value": 3}, seq=4), "d")
    assert outcome.rebirth == "message 2 is missing, 4 came"
    assert outcome.samples["d"][0][1].value == 3


def test_order_goes_on_after_255():
    line = Line()
    line.born()
    for seq in (*range(2, 256), 0, 1):
        assert not line.take(Kind.NDATA, payload(seq=seq)).rebirth


def test_duplicate_is_no_news():
    line = Line()
    line.born()
    data = payload({"alias": 11, "int_value": 3}, seq=2)
    assert line.take(Kind.DDATA, data, "d").samples
    again = line.take(Kind.DDATA, data, "d")
    assert not again.samples
    assert not again.rebirth
    assert line.node.duplicates == 1


def test_data_without_a_birth_asks_for_one():
    line = Line()
    assert "without a birth" in line.take(Kind.NDATA, payload(seq=7)).rebirth
    line.born()
    assert "of 'x' without" in line.take(Kind.DDATA, payload(seq=2), "x").rebirth


def test_unknown_alias_asks_for_a_birth():
    line = Line()
    line.born()
    outcome = line.take(Kind.NDATA, payload({"alias": 99, "int_value": 1}, seq=2))
    assert "no such alias" in outcome.rebirth


def test_garbage_asks_for_a_birth_and_is_counted():
    line = Line()
    assert "cannot be read" in line.take(Kind.NDATA, b"\xff").rebirth
    assert line.node.garbage == 1


def test_death_takes_the_devices_along():
    line = Line()
    line.born(number=3)
    outcome = line.take(Kind.NDEATH, payload(bd_seq(3)))
    assert outcome.died == {"", "d"}
    assert not line.node.sources
    assert line.node.dead == {"", "d"}


def test_death_of_an_older_session_is_none():
    line = Line()
    line.born(number=3)
    assert not line.take(Kind.NDEATH, payload(bd_seq(2))).died
    assert set(line.node.sources) == {"", "d"}


def test_birth_after_death_is_life():
    line = Line()
    line.born(number=0)
    line.take(Kind.NDEATH, payload(bd_seq(0)))
    line.born(number=1)
    assert not line.node.dead
    assert set(line.node.sources) == {"", "d"}


def test_death_of_a_device_leaves_its_edge_node():
    line = Line()
    line.born()
    assert line.take(Kind.DDEATH, payload(seq=2), "d").died == {"d"}
    assert set(line.node.sources) == {""}
    line.take(Kind.DBIRTH, payload(birth(b"speed", 11), seq=3), "d")
    assert set(line.node.sources) == {"", "d"}


def test_historical_value_is_followed_by_the_present_one():
    line = Line()
    line.born()
    old = {"alias": 11, "int_value": 7, "timestamp": 5, "is_historical": True}
    outcome = line.take(Kind.DDATA, payload(old, seq=2), "d")
    assert [(s.value, s.historical) for _, s in outcome.samples["d"]] == [(7, True), (30, False)]


def test_too_many_metrics_are_no_birth():
    line = Line()
    many = [birth(b"m%d" % number, number) for number in range(15_000)]
    line.take(Kind.NBIRTH, payload(*many, seq=0))
    assert "more than 20000" in line.take(Kind.DBIRTH, payload(*many, seq=1), "d").rebirth
    assert set(line.node.sources) == {""}


# --- as readings ------------------------------------------------------------------------------------


def reports(*, device="d", metrics=("speed",)):
    points = [{"name": f"p{i}", "metric": metric} for i, metric in enumerate(metrics)]
    made = Reports(
        Settings(
            name="x", host="b", group_id="g", edge_node_id="n", device_id=device, points=points
        )
    )
    made.keep = True
    return made


def test_birth_without_a_metric_of_a_point_says_so():
    made = reports(metrics=("speed", "sped"))
    made.take_in(Line().born())
    assert {r.point: (r.value, r.reason) for r in made.take({"p0", "p1"})} == {
        "p0": (30, ""),
        "p1": (None, "configuration:no such metric"),
    }


def test_device_that_joins_late_begins_with_what_is_known():
    line = Line()
    line.born()
    made = reports()
    made.begin(line.node)
    assert made.heard["p0"].value == 30


def test_historical_value_is_doubted_and_the_present_one_comes_last():
    line, made = Line(), reports()
    line.born()
    old = {"alias": 11, "int_value": 7, "timestamp": 5, "is_historical": True}
    made.take_in(line.take(Kind.DDATA, payload(old, seq=2), "d"))
    first, last = made.take({"p0"})
    assert (first.value, first.quality, first.reason, first.source_us) == (
        7,
        Quality.UNCERTAIN,
        "stale:historical",
        5_000,
    )
    assert (last.value, last.quality) == (30, Quality.GOOD)


def test_flood_is_bounded_and_counted():
    line, made = Line(), reports()
    line.born()
    for number in range(1_000):
        data = payload({"alias": 11, "int_value": number}, seq=(number + 2) % 256)
        made.take_in(line.take(Kind.DDATA, data, "d"))
    readings = made.take({"p0"})
    assert readings[-1].value == 999
    assert len(readings) + made.dropped == 1_000


def test_other_devices_are_none_of_our_business():
    made = reports(device="other")
    made.take_in(Line().born())
    assert not made.waiting
