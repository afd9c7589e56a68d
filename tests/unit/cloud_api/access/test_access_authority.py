from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_api.access.authority import check_request, make_authority, open_authority
from cloud_api.errors import InvalidRequestError, SettingsError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def request(key=KEY, algorithm=None, *, extensions=()):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another-gateway")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256() if algorithm is None else algorithm)


def pem(csr):
    return csr.public_bytes(Encoding.PEM).decode()


def test_of_a_request_only_the_key_is_taken_over():
    greedy = request(
        extensions=(
            x509.BasicConstraints(ca=True, path_length=None),
            x509.SubjectAlternativeName([x509.DNSName("cloud.test")]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        )
    )
    gateway = uuid4()
    made = make_authority(NOW).sign_gateway(check_request(pem(greedy)), gateway, NOW)
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert made.subject.rfc4514_string() == f"CN={gateway}"
    assert not constraints.ca
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert [name.value for name in names] == [f"urn:uuid:{gateway}"]
    assert made.not_valid_after_utc - NOW == timedelta(days=90)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),
    ],
    ids=["P-384", "secp256k1", "RSA-1024"],
)
def test_any_other_key_is_refused(key):
    with pytest.raises(InvalidRequestError, match="P-256"):
        check_request(pem(request(key)))


def test_an_ed25519_key_is_refused():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    with pytest.raises(InvalidRequestError):
        check_request(pem(builder.sign(ed25519.Ed25519PrivateKey.generate(), None)))


def test_a_request_that_its_key_did_not_sign_is_refused():
    der = bytearray(request().public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der))
    with pytest.raises(InvalidRequestError):
        check_request(pem(forged))


@pytest.mark.parametrize("text", ["", "no PEM", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"])
def test_nonsense_is_refused(text):
    with pytest.raises(InvalidRequestError):
        check_request(text)


def test_the_authority_is_made_once_and_private(tmp_path):
    folder = tmp_path / "authority"
    first = open_authority(folder, NOW)
    assert open_authority(folder, NOW).pem == first.pem
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_key_that_does_not_fit_its_certificate_stops_the_start(tmp_path):
    open_authority(tmp_path / "a", NOW)
    open_authority(tmp_path / "b", NOW)
    (tmp_path / "a" / "key.pem").write_bytes((tmp_path / "b" / "key.pem").read_bytes())
    with pytest.raises(SettingsError):
        open_authority(tmp_path / "a", NOW)


def test_keys_stay_out_of_reprs():
    assert "PRIVATE" not in repr(make_authority(NOW))
