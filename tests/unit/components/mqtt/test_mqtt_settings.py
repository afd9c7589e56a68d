import pytest
from pydantic import ValidationError

from components.mqtt.driver import driver
from components.mqtt.settings import Format, Settings

POINT = {"name": "p", "topic": "a/b"}


def make(**more):
    point = more.pop("point", {})
    return Settings(**{"name": "d1", "host": "b", "points": [POINT | point], **more})


def test_topics_are_filled_in():
    made = make(placeholders={"area": "cellar"}, point={"topic": "{area}/{device}/+"})
    assert made.topic_of(made.points[0].topic) == "cellar/d1/+"
    assert made.at == "mqtt://b:1883 cellar/d1/+"


@pytest.mark.parametrize(
    ("said", "version"), [(5.0, "5.0"), (5, "5.0"), ("5", "5.0"), ("3.1.1", "3.1.1")]
)
def test_version_may_be_written_as_a_number(said, version):
    assert make(version=said).version == version


@pytest.mark.parametrize(
    ("form", "point", "found"),
    [
        ("plain", {}, Format.PLAIN),
        ("plain", {"json_path": "$.a"}, Format.JSON),
        ("cbor", {"json_path": "$.a"}, Format.CBOR),
        ("json", {"format": "senml"}, Format.SENML),
    ],
)
def test_format_of_a_point(form, point, found):
    made = make(format=form, point=point)
    assert made.format_of(made.points[0]) is found


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"point": {"topic": "a/#/b"}}, "'#' may only be the last level"),
        ({"point": {"topic": "{room}/b"}}, "no placeholder 'room'"),
        ({"point": {"json_path": "temp"}}, "temp"),
        (
            {"point": {"json_path": "$.a", "format": "plain"}},
            "'json_path' does not go with format 'plain'",
        ),
        ({"point": {"record": "x"}}, "'record' does not go with format 'plain'"),
        ({"point": {"command": {"topic": "a/+"}}}, "has no wildcards"),
        ({"point": {"command": {"topic": "a", "response_topic": "#"}}}, "response_topic"),
        ({"point": {"command": {"topic": "a", "correlation": "id"}}}, "'correlation' needs"),
        ({"point": {"command": {"topic": "a", "qos": 2}}}, "qos"),
        ({"availability": {"topic": "a+"}}, "availability"),
        ({"availability": {"topic": "a", "json_path": "$["}}, "$["),
        ({"password_file": "x"}, "'password_file' needs a 'username'"),
        ({"clean_start": False}, "needs a 'client_id'"),
        ({"tls": {"certificate_file": "x"}}, "belong together"),
        ({"tls": {"verify": False}}, "verify"),
        ({"version": "3.1"}, "version"),
        ({"client_id": "a b"}, "client_id"),
    ],
)
def test_wrong_setting_is_explained(more, part):
    with pytest.raises(ValidationError) as caught:
        make(**more)
    assert part in str(caught.value)


def test_same_broker_settings_make_one_connection():
    assert make(name="d1").broker == make(name="d2", qos=1).broker
    assert make().broker != make(username="u").broker
    assert hash(make().broker) == hash(make().broker)


def test_plan_joins_points_of_one_filter():
    made = Settings(
        name="d",
        host="b",
        points=[
            POINT,
            POINT | {"name": "q", "json_path": "$.x"},
            POINT | {"name": "r", "topic": "c"},
        ],
    )
    plans = driver.plan(made, ["p", "q", "r"])
    assert [(plan.label, plan.points) for plan in plans] == [
        ("subscribe to a/b with QoS 0", ("p", "q")),
        ("subscribe to c with QoS 0", ("r",)),
    ]
