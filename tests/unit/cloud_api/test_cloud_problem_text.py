import pytest

from cloud_api.errors import CloudError
from cloud_api.problems import TITLES, describe
from cloud_sync.wire.problems import Problem


def leaves(kind):
    return {kind}.union(*(leaves(sub) for sub in kind.__subclasses__()))


def test_every_code_has_a_title():
    assert set(TITLES) == set(Problem)


@pytest.mark.parametrize("kind", sorted(leaves(CloudError), key=lambda kind: kind.__name__))
def test_every_error_says_something_without_being_told(kind):
    assert str(kind()).endswith((".", "later"))


def test_a_wrong_field_is_named_with_what_was_found():
    wrong = describe(
        {"loc": ("query", "buckets"), "input": "x" * 500, "msg": "a number", "type": "t"}
    )
    assert wrong.field == "buckets"
    assert len(wrong.found) < 100


@pytest.mark.parametrize("field", ["password", "token", "claim", "csr", "client_assertion"])
def test_a_secret_is_never_repeated(field):
    assert (
        describe({"loc": ("body", field), "input": "hunter2", "msg": "", "type": "t"}).found
        == "hidden"
    )


@pytest.mark.parametrize("found", [float("nan"), {"password": "x"}, [1], b"x"])
def test_whatever_was_found_can_be_written_as_json(found):
    text = describe({"loc": ("body",), "input": found, "msg": "", "type": "t"}).model_dump_json()
    assert "password" not in text
