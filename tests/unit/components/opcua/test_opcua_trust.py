import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from components.opcua import trust as folder
from components.opcua.certificate import default_uri, make_certificate, own_certificate
from components.opcua.trust import (
    PENDING,
    REJECTED,
    TRUSTED,
    fingerprint_of,
    list_all,
    list_pending,
    look_up,
    reject,
    trust,
)
from edge_runtime.errors import SettingsError

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def der():
    return make_certificate("urn:plc:server", NOW, name="PLC", server=True)[0]


def test_unknown_certificate_waits_and_is_described(tmp_path, der):
    kept = look_up(tmp_path, der)
    assert (kept.state, kept.file.read_bytes()) == (PENDING, der)
    [pending] = list_pending(tmp_path)
    assert (pending.subject, pending.application_uri) == ("PLC", "urn:plc:server")
    assert pending.fingerprint == kept.fingerprint == fingerprint_of(der)


def test_looking_twice_keeps_it_once(tmp_path, der):
    assert look_up(tmp_path, der) == look_up(tmp_path, der)
    assert len(list_all(tmp_path)) == 1


@pytest.mark.parametrize("short", [8, 16, 64])
def test_certificate_is_trusted_by_the_start_of_its_fingerprint(tmp_path, der, short):
    look_up(tmp_path, der)
    trust(tmp_path, fingerprint_of(der)[:short].upper())
    assert look_up(tmp_path, der).state == TRUSTED
    assert list_pending(tmp_path) == []


def test_certificate_is_trusted_by_the_thumbprint_of_other_tools(tmp_path, der):
    look_up(tmp_path, der)
    [pending] = list_pending(tmp_path)
    apart = ":".join(pending.thumbprint[i : i + 2] for i in range(0, 40, 2))
    assert trust(tmp_path, apart).state == TRUSTED


def test_trust_is_taken_back_by_rejecting(tmp_path, der):
    look_up(tmp_path, der)
    trust(tmp_path, fingerprint_of(der))
    reject(tmp_path, fingerprint_of(der))
    assert look_up(tmp_path, der).state == REJECTED
    assert [one.state for one in list_all(tmp_path)] == [REJECTED]


@pytest.mark.parametrize(
    ("said", "text"),
    [("0123456789", "no certificate in"), ("", "is no fingerprint"), ("../..", "no fingerprint")],
)
def test_fingerprint_that_fits_nothing_is_told(tmp_path, said, text):
    with pytest.raises(SettingsError, match=text):
        trust(tmp_path, said)


def test_file_with_another_content_than_its_name_says_is_not_shown(tmp_path, der):
    kept = look_up(tmp_path, der)
    kept.file.write_bytes(b"something else")
    assert list_all(tmp_path) == []


def test_waiting_certificates_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "MAX_PENDING", 2)
    look_up(tmp_path, b"one")
    look_up(tmp_path, b"two")
    with pytest.raises(SettingsError, match="2 certificates wait"):
        look_up(tmp_path, b"three")


def test_huge_certificate_is_not_kept(tmp_path):
    with pytest.raises(SettingsError, match="larger than"):
        look_up(tmp_path, bytes(100_000))
    assert list_pending(tmp_path) == []


def test_nonsense_has_a_fingerprint_and_no_name(tmp_path):
    look_up(tmp_path, b"nonsense")
    assert list_pending(tmp_path)[0].subject == "cannot be read"


def test_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "pki").write_text("a file")
    with pytest.raises(SettingsError, match="cannot write"):
        look_up(tmp_path / "pki", b"one")


# --- the gateway's own ---------------------------------------------------------------------------


def test_own_certificate_is_made_once(tmp_path):
    made = own_certificate(tmp_path, "urn:gateway", NOW)
    again = own_certificate(tmp_path, "", NOW + timedelta(days=400))
    assert (again.der, again.application_uri) == (made.der, "urn:gateway")
    assert (tmp_path / "own" / "key.pem").stat().st_mode & 0o077 == 0


def test_own_certificate_says_what_servers_check(tmp_path):
    made = x509.load_der_x509_certificate(own_certificate(tmp_path, "", NOW).der)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [default_uri()]
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc


def test_own_certificate_is_never_made_anew_by_itself(tmp_path):
    own_certificate(tmp_path, "urn:gateway", NOW)
    with pytest.raises(SettingsError, match="was made for 'urn:gateway'"):
        own_certificate(tmp_path, "urn:other", NOW)
    with pytest.raises(SettingsError, match="ended on"):
        own_certificate(tmp_path, "", NOW + timedelta(days=365 * 30))
    (tmp_path / "own" / "certificate.der").write_bytes(b"nonsense")
    with pytest.raises(SettingsError, match="is no certificate"):
        own_certificate(tmp_path, "", NOW)


def test_settings_and_trust_do_without_the_library_of_the_protocol():
    """asyncua costs half a second: only a gateway with such a device pays it."""
    program = (
        "import sys, components.opcua.settings, components.opcua.trust;"
        "raise SystemExit('asyncua' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
