"""The folder ``identity``, crash by crash."""

import stat

import pytest
from cryptography import x509

from cloud_sync.errors import IdentityError
from cloud_sync.identity.files import (
    Gateway,
    Identity,
    keep_key,
    load_identity,
    save_identity,
    signing_request,
)
from simulators.cloud_line.authority import Authority

GATEWAY = Gateway("g1", "t1", "s1", "cellar-1", "https://cloud.example")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "identity"


@pytest.fixture
def identity(folder):
    key = keep_key(folder)
    authority = Authority()
    request = x509.load_pem_x509_csr(signing_request(key, "cellar-1").encode())
    return Identity(GATEWAY, key, authority.sign(request, "g1"), authority.pem.decode())


def test_an_empty_folder_is_not_enrolled(folder):
    assert load_identity(folder) is None


def test_what_was_saved_is_loaded(folder, identity):
    save_identity(folder, identity)
    loaded = load_identity(folder)
    assert loaded.gateway == GATEWAY
    assert loaded.fingerprint == identity.fingerprint
    assert loaded.authority == identity.authority


def test_the_key_is_for_its_owner_only(folder):
    keep_key(folder)
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_key_is_made_once(folder):
    assert keep_key(folder).private_numbers() == keep_key(folder).private_numbers()


def test_a_key_half_written_before_a_crash_does_not_stand_in_the_way(folder):
    folder.mkdir()
    (folder / "key.pem.new").write_text("-----BEGIN PRIV")
    keep_key(folder)
    assert not (folder / "key.pem.new").exists()


@pytest.mark.parametrize("written", [(), ("authority.pem",), ("authority.pem", "certificate.pem")])
def test_a_crash_before_the_last_file_means_not_enrolled(folder, identity, written):
    save_identity(folder, identity)
    for name in {"authority.pem", "certificate.pem", "gateway.json"} - set(written):
        (folder / name).unlink()
    assert load_identity(folder) is None


@pytest.mark.parametrize("name", ["key.pem", "authority.pem", "certificate.pem"])
def test_a_missing_file_of_an_enrolled_gateway_is_named(folder, identity, name):
    save_identity(folder, identity)
    (folder / name).unlink()
    with pytest.raises(IdentityError, match=name) as caught:
        load_identity(folder)
    assert "new claim" in caught.value.hint


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "gateway.json"])
def test_a_damaged_file_is_an_error_and_not_a_new_gateway(folder, identity, name):
    save_identity(folder, identity)
    (folder / name).write_bytes(b"{}")
    with pytest.raises(IdentityError):
        load_identity(folder)


def test_a_certificate_of_another_key_is_refused(folder, identity):
    save_identity(folder, identity)
    (folder / "key.pem").unlink()
    keep_key(folder)
    with pytest.raises(IdentityError, match="does not belong"):
        load_identity(folder)


def test_an_identity_does_not_show_its_key(identity):
    assert repr(identity) == f"Identity(gateway={GATEWAY!r})"


def test_the_signing_request_carries_the_gateways_name_and_is_signed(folder):
    request = x509.load_pem_x509_csr(signing_request(keep_key(folder), "cellar-1").encode())
    assert request.subject.rfc4514_string() == "CN=cellar-1"
    assert request.is_signature_valid
