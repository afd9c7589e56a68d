from components.mqtt.client import Message
from components.mqtt.mailbox import Mailbox


def message(topic="t", payload=b"1"):
    return Message(topic, payload, retained=False)


def test_everything_is_taken_in_the_order_in_which_it_came():
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put(message("a", b"%d" % number))
        mailbox.put(message("b", b"%d" % number))
    taken = mailbox.take()
    assert [(m.topic, m.payload) for m in taken] == [
        (topic, b"%d" % number) for number in range(3) for topic in "ab"
    ]
    assert not mailbox
    assert mailbox.take() == []


def test_oldest_of_a_topic_gives_way_and_is_counted():
    mailbox = Mailbox(depth=2)
    for number in range(5):
        mailbox.put(message(payload=b"%d" % number))
    mailbox.put(message("quiet"))
    assert [m.payload for m in mailbox.take()] == [b"3", b"4", b"1"]
    assert mailbox.dropped == 3


def test_too_many_bytes_leave_the_newest_of_each_topic():
    mailbox = Mailbox(max_bytes=30)
    for topic in "ab":
        for number in range(2):
            mailbox.put(message(topic, b"%d" % number * 9))
    assert [m.payload[:1] for m in mailbox.take()] == [b"1", b"1"]
    assert mailbox.dropped == 2


def test_one_message_beyond_all_bounds_is_dropped():
    mailbox = Mailbox(max_bytes=10)
    mailbox.put(message("a", b"12345"))
    mailbox.put(message("b", b"x" * 11))
    assert [m.topic for m in mailbox.take()] == ["a"]


def test_bytes_are_counted_anew_after_taking():
    mailbox = Mailbox(max_bytes=10)
    for _ in range(5):
        mailbox.put(message(payload=b"x" * 9))
        mailbox.take()
    assert mailbox.dropped == 0
