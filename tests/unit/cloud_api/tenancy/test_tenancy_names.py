import pytest

from cloud_api.errors import InvalidRequestError
from cloud_api.tenancy.service import checked_name, normal_email


def test_an_address_is_stored_one_way():
    assert normal_email("  Anna@Example.COM ") == "anna@example.com"


@pytest.mark.parametrize(
    "text", ["", "anna", "@example.com", "anna@", "a b@example.com", "a" * 260 + "@x.y"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidRequestError):
        normal_email(text)


@pytest.mark.parametrize("text", ["", "   ", "x" * 101, "a\nb", "a\x00b"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(InvalidRequestError):
        checked_name(text)


def test_a_name_loses_the_blanks_around_it():
    assert checked_name(" Acme GmbH ") == "Acme GmbH"
