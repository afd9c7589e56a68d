import json
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.errors import IdentityError
from cloud_sync.identity.files import Gateway, Identity, save_identity
from cloud_sync.identity.files import keep_key as keep_identity_key
from edge_runtime.settings import load_settings
from simulators.memory_device import MemoryDevices
from tidegate.edge.handover.checks import Progress, Verdict, check_of, decided
from tidegate.edge.handover.keys import fingerprint, signing_key
from tidegate.edge.handover.page import file_name, render
from tidegate.edge.handover.report import People, make_report, problems_left
from tidegate.edge.handover.signature import NoReportError, payload_script, sign, verify

FILE = """\
gateway: {name: cellar-1, profiles: [.]}
devices:
  - {name: meter, protocol: memory, profile: acme-m1}
  - {name: own, protocol: memory, points: [{name: level}]}
"""
PROFILE = """\
profile: acme-m1
title: Acme M1
vendor: Acme
model: M1
protocol: memory
document: Acme M1 manual, chapter 7
evidence: from documentation
points: [{name: power}, {name: energy}]
"""
NASTY = '</script><script>alert(1)</script><b title="x">&\u2028<!--tidegate-signature:-->'


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "gateway.yaml").write_text(FILE)
    (tmp_path / "acme-m1.yaml").write_text(PROFILE)
    return load_settings(tmp_path / "gateway.yaml", lambda _: MemoryDevices().driver())


@pytest.fixture
def key(tmp_path):
    return signing_key(tmp_path / "state")


@pytest.fixture
def report(settings, key):
    return report_of(settings, key)


def report_of(settings, key, note="", people=None):
    progress = Progress("cellar-1", 1_700_000_000_000_000)
    device = settings.devices[0]
    for point, verdict in zip(
        device.settings.points, (Verdict.ACCEPTED, Verdict.REJECTED), strict=True
    ):
        check = msgspec.structs.replace(check_of(device, point, {}), shown="1.5", quality="good")
        check = decided(
            check, verdict, expected="1.5", note=note, by="Ada", at_us=1_700_000_001_000_000
        )
        progress = progress.with_check(check)
    return make_report(
        settings,
        settings.devices,
        progress,
        people or People("Ada", "Works"),
        key.signed_by,
        now_us=1_700_000_002_000_000,
        software="0.1.0",
    )


@pytest.fixture
def signed(report, key):
    return sign(render(report), key).encode()


# --- the data -----------------------------------------------------------------------------------


def test_a_report_names_profile_document_and_evidence(report):
    meter, own = report.devices
    assert (meter.document, meter.evidence) == ("Acme M1 manual, chapter 7", "from documentation")
    assert (own.profile, own.document) == ("", "")


def test_what_nobody_looked_at_is_open_and_a_problem(report):
    assert report.counts == {"accepted": 1, "rejected": 1, "skipped": 0, "open": 1}
    assert [c.key for c in problems_left(report)] == ["meter/energy", "own/level"]


def test_the_file_is_named_for_gateway_and_day(report):
    assert file_name(report) == "cellar-1-hand-over-2023-11-14.html"


# --- the page -----------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_elsewhere(signed):
    text = signed.decode()
    assert not re.search(r"(src|href|url)\s*[=(]|@import|https?:", text)
    assert "default-src 'none'" in text


def test_the_page_shows_people_points_and_key(signed, key):
    text = signed.decode()
    for words in ("cellar-1", "Works", "Ada", "power", "rejected", "not checked", "Acme M1 manual"):
        assert words in text
    assert key.signed_by.fingerprint[:8] in text
    assert "not enrolled with a cloud yet" in text


def test_nothing_that_people_or_devices_say_becomes_markup(settings, key):
    people = People(NASTY, NASTY, NASTY, NASTY)
    data = sign(render(report_of(settings, key, NASTY, people)), key).encode()
    assert b"<script>alert" not in data
    assert data.count(b"<script") == data.count(b"</script>") == 1
    verified = verify(data, "r.html")
    assert verified.intact
    assert verified.report is not None
    assert verified.report.devices[0].checks[0].note == NASTY


def test_the_data_in_the_page_is_json(report):
    text = payload_script(report)
    assert json.loads(text[text.index(">") + 1 : text.rindex("<")])["gateway"] == "cellar-1"


# --- the signature ------------------------------------------------------------------------------


def test_a_report_verifies_as_it_was_signed(signed, report, key):
    verified = verify(signed, "r.html")
    assert (verified.intact, verified.problems, verified.report) == (True, [], report)
    assert verified.key == key.signed_by.fingerprint


@given(st.data())
def test_any_other_byte_breaks_it(report_bytes, data):
    at = data.draw(st.integers(0, len(report_bytes) - 1))
    altered = bytearray(report_bytes)
    altered[at] ^= data.draw(st.integers(1, 255))
    assert not is_intact(bytes(altered))


@pytest.fixture(scope="module")
def report_bytes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    (folder / "gateway.yaml").write_text(FILE)
    (folder / "acme-m1.yaml").write_text(PROFILE)
    settings = load_settings(folder / "gateway.yaml", lambda _: MemoryDevices().driver())
    key = signing_key(folder / "state")
    return sign(render(report_of(settings, key)), key).encode()


def is_intact(data):
    try:
        return verify(data, "r.html").intact
    except NoReportError:
        return False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">rejected<", b">accepted<"),
        (b'"verdict":"rejected"', b'"verdict":"accepted"'),
        (b"</main>", b"<p>and more</p></main>"),
        (b".rejected,", b".accepted,"),
        (b"\n</body>", b" \n</body>"),
    ],
)
def test_an_altered_page_is_found_out(signed, old, new):
    assert old in signed
    assert verify(signed.replace(old, new), "r.html").problems == [
        "the report was altered after it was signed"
    ]


def test_a_report_signed_again_with_another_key_names_the_wrong_key(report, tmp_path):
    other = signing_key(tmp_path / "other")
    verified = verify(sign(render(report), other).encode(), "r.html")
    assert verified.problems == ["the report names another key than the one that signed it"]


def test_a_second_slot_is_refused(signed):
    with pytest.raises(NoReportError, match="more than one"):
        verify(signed + b"<!--tidegate-signature:-->", "r.html")


@pytest.mark.parametrize("slot", [b"", b"e30=", b"AAAA", b"=", b"<b>"])
def test_a_slot_with_anything_else_is_no_signature(signed, slot):
    with pytest.raises(NoReportError):
        verify(re.sub(rb"signature:[A-Za-z0-9+/=]+", b"signature:" + slot, signed), "r.html")


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"\xff\x00"])
def test_another_file_is_no_report(data):
    with pytest.raises(NoReportError, match="no signature"):
        verify(data, "r.html")


def test_a_document_without_a_slot_is_not_signed(key):
    with pytest.raises(ValueError, match="exactly one empty slot"):
        sign("<html></html>", key)


# --- keys ---------------------------------------------------------------------------------------


def certificate_for(public, issuer_key, subject, issuer):
    now = datetime.now(UTC)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture
def authority():
    key = ec.generate_private_key(ec.SECP256R1())
    return key, certificate_for(key.public_key(), key, "authority", "authority")


@pytest.fixture
def enrolled(tmp_path, authority):
    folder = tmp_path / "state" / "identity"
    key = keep_identity_key(folder)
    certificate = certificate_for(key.public_key(), authority[0], "gateway", "authority")
    pem = authority[1].public_bytes(Encoding.PEM).decode()
    gateway = Gateway("g-1", "t-1", "s-1", "cellar-1", "https://cloud.example")
    save_identity(folder, Identity(gateway, key, certificate, pem))
    return tmp_path / "state"


def test_an_enrolled_gateway_signs_with_its_own_key(enrolled, settings, authority):
    key = signing_key(enrolled)
    assert (key.signed_by.kind, key.signed_by.gateway_id) == ("gateway", "g-1")
    data = sign(render(report_of(settings, key)), key).encode()
    assert b"the one it is enrolled with" in data
    assert verify(data, "r.html", key.certificate.encode()).trusted
    assert verify(data, "r.html", authority[1].public_bytes(Encoding.PEM)).trusted


def test_a_certificate_of_somebody_else_is_not_trusted(signed, authority):
    verified = verify(signed, "r.html", authority[1].public_bytes(Encoding.PEM))
    assert (verified.intact, verified.trusted) == (True, False)
    assert verified.problems == ["the key does not belong to this certificate"]


def test_what_is_no_certificate_says_so(signed):
    with pytest.raises(NoReportError, match="no certificate"):
        verify(signed, "r.html", b"nothing")


def test_a_commissioning_key_is_made_once_and_kept_private(tmp_path):
    first, second = signing_key(tmp_path), signing_key(tmp_path)
    assert first.signed_by == second.signed_by
    assert fingerprint(first.key.public_key()) == first.signed_by.fingerprint
    assert (tmp_path / "commissioning" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert "key" not in repr(first).lower().replace("signingkey", "")


def test_an_identity_that_is_broken_is_not_replaced(enrolled):
    (enrolled / "identity" / "certificate.pem").unlink()
    with pytest.raises(IdentityError):
        signing_key(enrolled)
