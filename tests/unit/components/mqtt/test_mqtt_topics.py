import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.mqtt.topics import TopicTree, filled, wrong_filter, wrong_topic

LEVEL = st.sampled_from(["a", "b", "", "$SYS", "long-level"])
TOPIC = st.lists(LEVEL, min_size=1, max_size=6).map("/".join).filter(bool)
FILTER = (
    st.tuples(
        st.lists(LEVEL | st.just("+"), min_size=0, max_size=5), st.sampled_from([[], ["#"], ["+"]])
    )
    .map(lambda parts: "/".join([*parts[0], *parts[1]]))
    .filter(bool)
)


def matches(topic_filter: str, topic: str) -> bool:
    """The standard's words (3.1.1 4.7), as slowly as they read."""
    wanted, given_ = topic_filter.split("/"), topic.split("/")
    if given_[0].startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given_) or level not in {"+", given_[place]}:
            return False
    return len(wanted) == len(given_)


@given(st.lists(FILTER, max_size=8), TOPIC)
def test_tree_finds_what_the_standard_says(filters, topic):
    tree = TopicTree()
    for place, text in enumerate(filters):
        tree.add(text, place)
    expected = {place for place, text in enumerate(filters) if matches(text, topic)}
    assert set(tree.match(topic)) == expected


@given(st.lists(FILTER, max_size=8, unique=True), TOPIC)
def test_what_was_removed_is_not_found(filters, topic):
    tree = TopicTree()
    for text in filters:
        tree.add(text, text)
    for text in filters:
        tree.remove(text, text)
    assert tree.match(topic) == ()
    assert all(tree.under(text) == () for text in filters)


def test_removing_what_is_not_there_is_no_error():
    TopicTree().remove("a/b", 1)


def test_hash_matches_the_level_above():
    tree = TopicTree()
    tree.add("plant/#", 1)
    assert tree.match("plant") == (1,)
    assert tree.match("plants") == ()


def test_wildcards_do_not_match_the_brokers_own_topics():
    tree = TopicTree()
    tree.add("#", 1)
    tree.add("+/broker", 2)
    tree.add("$SYS/broker", 3)
    assert tree.match("$SYS/broker") == (3,)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "1 to 512 characters"),
        ("a" * 513, "1 to 512 characters"),
        ("a/b+/c", "level 2 'b+' mixes"),
        ("a/#/c", "only be the last level"),
        ("a\n", "control characters"),
        ("a\ud800", "control characters"),
        ("/".join("a" * 33), "at most 32 levels"),
    ],
)
def test_wrong_filter_is_explained(text, part):
    assert part in wrong_filter(text)


@pytest.mark.parametrize("text", ["a", "/", "a//b", "+", "#", "+/a/#", "$share/x/a"])
def test_right_filter_is_taken(text):
    assert wrong_filter(text) == ""


def test_topic_to_publish_on_has_no_wildcards():
    assert "no wildcards" in wrong_topic("a/+")
    assert wrong_topic("a/b") == ""


def test_placeholders_are_filled_in():
    assert filled("{area}/{device}/t", {"area": "x", "device": "d1"}) == "x/d1/t"


def test_unknown_placeholder_names_those_there_are():
    with pytest.raises(ValueError, match="no placeholder 'aera'; there are area, device"):
        filled("{aera}/t", {"area": "x", "device": "d1"})
