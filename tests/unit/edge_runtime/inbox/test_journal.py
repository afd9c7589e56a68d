"""The journal: at most once, through any restart."""

import pytest

from edge_runtime.inbox.journal import Journal


@pytest.fixture
def journal(tmp_path, clock):
    journal = Journal(tmp_path / "journal.db", clock)
    yield journal
    journal.close()


def reopened(journal, tmp_path, clock, **limits):
    journal.close()
    return Journal(tmp_path / "journal.db", clock, **limits)


def test_a_document_begins_once(journal, tmp_path, clock):
    assert journal.begin("a")
    assert not journal.begin("a")
    again = reopened(journal, tmp_path, clock)
    assert not again.begin("a")
    again.close()


def test_what_a_crash_interrupted_is_unfinished(journal, tmp_path, clock):
    for name in "abc":
        journal.begin(name)
    journal.finish("b", "succeeded")
    again = reopened(journal, tmp_path, clock)
    assert again.unfinished() == ["a", "c"]
    again.close()


def test_an_outcome_can_be_told_again(journal):
    journal.begin("a")
    assert journal.outcome("a") == ("", "")
    journal.finish("a", "failed", "device is silent")
    assert journal.outcome("a") == ("failed", "device is silent")
    assert journal.outcome("b") is None


def test_only_the_newest_finished_documents_are_remembered(journal, tmp_path, clock):
    for name in "abcd":
        journal.begin(name)
        clock.jump(1)
    for name in "abc":
        journal.finish(name, "succeeded")
    again = reopened(journal, tmp_path, clock, max_finished=1)
    assert [again.outcome(name) is None for name in "abcd"] == [True, True, False, False]
    again.close()


def test_states_outlive_a_restart(journal, tmp_path, clock):
    journal.save_state("rule/pressure", b'{"active":true}')
    journal.save_state("rule/pressure", b'{"active":false}')
    journal.save_state("rule/level", b"{}")
    journal.drop_state("rule/level")
    again = reopened(journal, tmp_path, clock)
    assert again.load_states() == {"rule/pressure": b'{"active":false}'}
    again.close()


def test_a_damaged_journal_says_that_it_forgot(journal, tmp_path, clock):
    journal.begin("a")
    journal.close()
    (tmp_path / "journal.db").write_bytes(b"no database" * 500)
    again = Journal(tmp_path / "journal.db", clock)
    assert again.forgot
    assert (tmp_path / "journal.db.damaged").exists()
    again.close()
    assert not journal.forgot
