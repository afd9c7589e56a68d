"""Both ends compared: every number is somewhere, or is said to be missing."""

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.wire.identity import StreamState
from cloud_sync.wire.ranges import of_numbers, render
from edge_runtime.outbox.verify import LocalStream, compare


def local(stored="", pruned="", lost="", acknowledged="", items=None):
    def ranges(text):
        return of_numbers(int(n) for n in text.split())

    parts = map(ranges, (stored, pruned, lost, acknowledged))
    return LocalStream("samples", "e", *parts, items)


def cloud(received="", lost="", samples=0, epoch="e"):
    def numbers(text):
        return render(of_numbers(int(n) for n in text.split()))

    return StreamState(
        stream="samples",
        epoch=epoch,
        received=numbers(received),
        lost=numbers(lost),
        samples=samples,
    )


def one(own, state):
    return compare([own], [state]).streams[0]


def test_everything_received_is_complete():
    report = one(local("4 5", "1 2 3", "", "1 2 3 4 5", 50), cloud("1 2 3 4 5", samples=50))
    assert report.complete
    assert report.duplicate_items == 0
    assert report.to_send == ()


def test_what_is_stored_and_not_received_is_still_to_be_sent():
    report = one(local("3 4 5", "1 2", "", "1 2"), cloud("1 2"))
    assert report.to_send == ((3, 6),)
    assert report.complete


def test_what_was_removed_and_is_not_in_the_cloud_is_missing():
    report = one(local("4", "1 2 3", "", "1 2 3"), cloud("1 3"))
    assert report.missing == ((2, 3),)
    assert not report.complete


def test_what_the_cloud_acknowledged_and_does_not_have_is_missing():
    report = one(local("1 2 3", "", "", "1 2"), cloud("1"))
    assert report.missing == ((2, 3),)
    assert report.to_send == ((3, 4),)


def test_a_number_that_is_nowhere_is_missing():
    assert one(local("1 4"), cloud("1")).missing == ((2, 4),)


def test_a_declared_gap_is_lost_and_not_missing():
    report = one(local("1 4", "", "2 3"), cloud("1"))
    assert (report.lost, report.missing) == (((2, 4),), ())


def test_a_lost_batch_that_came_after_all_is_received():
    assert one(local("1", "", "2"), cloud("1 2")).lost == ()


def test_a_number_that_this_outbox_never_gave_is_unknown():
    report = one(local("1 2"), cloud("1 2 3"))
    assert report.unknown == ((3, 4),)
    assert not report.complete


def test_more_samples_than_the_batches_held_are_duplicates():
    report = one(local("", "1 2", "", "1 2", 20), cloud("1 2", samples=25))
    assert report.duplicate_items == 5
    assert not report.complete


def test_counts_are_not_compared_while_an_acknowledgement_is_under_way():
    report = one(local("3", "1 2", "", "1 2", 20), cloud("1 2 3", samples=30))
    assert report.duplicate_items is None
    assert report.complete


def test_a_stream_that_the_cloud_does_not_have_is_all_to_be_sent():
    (report,) = compare([local("1 2")], []).streams
    assert report.to_send == ((1, 3),)
    assert report.complete


def test_a_former_epoch_is_judged_by_the_cloud_alone():
    report = compare([], [cloud("1 2 5", "3", epoch="old")])
    assert report.streams[0].missing == ((4, 5),)
    assert not report.complete


@given(st.lists(st.sampled_from("spl"), min_size=1, max_size=30), st.data())
def test_every_number_is_in_exactly_one_place(places, data):
    where = dict(enumerate(places, start=1))
    received = data.draw(st.sets(st.sampled_from(sorted(where))))
    texts = {p: " ".join(str(n) for n, q in where.items() if q == p) for p in "spl"}
    state = cloud(" ".join(map(str, received)))
    report = one(local(texts["s"], texts["p"], texts["l"], texts["p"]), state)
    parts = [report.received, report.lost, report.to_send, report.missing]
    numbers = [n for part in parts for low, high in part for n in range(low, high)]
    assert sorted(numbers) == sorted(where)
