import pytest
from pydantic import ValidationError

from edge_runtime.marked_yaml import Mark, Marked
from edge_runtime.profiles.loader import Identification, Profile, ProfileHead, Profiles
from edge_runtime.profiles.matching import matching_profiles
from edge_runtime.validation import Findings


def profile(name, *matches, vendor="Acme", model="M1"):
    head = ProfileHead(
        profile=name,
        title=name,
        vendor=vendor,
        model=model,
        protocol="memory",
        document="manual",
        evidence="from documentation",
        matches=matches,
        points=[{}],
    )
    return Profile(head, Marked({}, Mark("", 0, 0)))


def fitting(*profiles, vendor="", model="", title=""):
    return matching_profiles(profiles, vendor=vendor, model=model, title=title)


def test_vendor_and_model_of_the_head_are_enough():
    assert fitting(profile("a"), vendor="ACME", model="m-1") == ["a"]
    assert fitting(profile("a"), model="M1") == ["a"]


def test_another_vendors_model_of_the_same_name_does_not_fit():
    assert fitting(profile("a"), vendor="Other", model="M1") == []


def test_a_device_that_says_nothing_fits_nothing():
    assert fitting(profile("a")) == []


def test_patterns_leave_out_what_varies():
    one = profile("a", Identification(vendor="acme*", model="SDM630*"))
    assert fitting(one, vendor="Acme Ltd.", model="SDM 630 MODBUS V2") == ["a"]
    assert fitting(one, vendor="Acme Ltd.", model="SDM120") == []


def test_the_more_exact_profile_comes_first():
    broad = profile("a", Identification(vendor="acme*"), model="x")
    exact = profile("b", Identification(vendor="acme*", model="m1"), model="x")
    assert fitting(broad, exact, vendor="Acme", model="M1") == ["b", "a"]


def test_a_title_is_enough_for_devices_without_fields():
    one = profile("a", Identification(title="*flow meter*"))
    assert fitting(one, title="ACME Flow-Meter 7") == ["a"]


def test_an_empty_identification_is_refused():
    with pytest.raises(ValidationError, match="at least one"):
        Identification()


def test_built_in_profiles_of_a_protocol_are_read():
    findings = Findings()
    found = Profiles([]).for_protocol("modbus", findings)
    assert "demo-pump-station" in {p.head.profile for p in found}
    assert not findings.problems


def test_a_broken_profile_of_a_site_is_noted_and_left_out(tmp_path):
    (tmp_path / "mine.yaml").write_text("profile: mine\n")
    findings = Findings()
    assert Profiles([tmp_path]).for_protocol("modbus", findings)
    assert "mine.yaml" in str(findings.problems[0])
