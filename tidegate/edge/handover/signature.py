"""A signature inside the very document that it signs; pure.

The document has one slot, ``<!--tidegate-signature:-->``. What is signed is the SHA-256 of the
document with the slot empty: the whole page as people see it and the data in it. What is put into
the slot is base64 and nothing else, so that nothing can be shown from there.

    statement    {"certificate_sha256": …, "document_sha256": …, "format": …, "key": fingerprint,
                  "payload_sha256": …}
    signature    ECDSA P-256 with SHA-256 over the statement as canonical JSON (keys sorted, no blanks)
"""

import base64
import binascii
import hashlib
import re

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from tidegate.edge.handover.keys import SigningKey, fingerprint
from tidegate.edge.handover.report import FORMAT, Report

EMPTY_SLOT = "<!--tidegate-signature:-->"
MAX_BYTES = 64 << 20
_SLOT = re.compile(rb"<!--tidegate-signature:([A-Za-z0-9+/=]*)-->")
_OPENING = b"<!--tidegate-signature:"
_PAYLOAD = re.compile(rb'<script type="application/json" id="hand-over">(.*?)</script>', re.DOTALL)


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed."""

    certificate_sha256: str
    """Of its PEM text; of nothing where there is none."""
    document_sha256: str
    format: str
    key: str
    payload_sha256: str


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the slot."""

    statement: Statement
    signature: str
    public_key: str
    certificate: str = ""


class Verified(msgspec.Struct, frozen=True):
    """What became of a check."""

    file: str
    intact: bool
    """The document is, to the last byte, what was signed."""
    trusted: bool
    """The key belongs to the certificate that was given."""
    key: str
    problems: list[str]
    report: Report | None


class NoReportError(ValueError):
    """Not a hand-over report."""


def canonical(data: object) -> bytes:
    """Encode as JSON of which there is one form only."""
    return msgspec.json.encode(msgspec.to_builtins(data), order="sorted")


def payload_script(report: Report) -> str:
    """Give the element that carries the data; nothing in it can end it early."""
    text = canonical(report).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="hand-over">{text}</script>'


def sign(document: str, key: SigningKey) -> str:
    """Fill the slot of a document."""
    blank = document.encode()
    if blank.count(_OPENING) != 1 or EMPTY_SLOT.encode() not in blank:
        msg = "the document needs exactly one empty slot"
        raise ValueError(msg)
    public = key.key.public_key()
    statement = _statement(blank, fingerprint(public), key.certificate)
    signature = key.key.sign(canonical(statement), ec.ECDSA(hashes.SHA256()))
    slot = Slot(statement, base64.b64encode(signature).decode(), _pem(public), key.certificate)
    filled = base64.b64encode(canonical(slot)).decode()
    return document.replace(EMPTY_SLOT, EMPTY_SLOT.replace("-->", f"{filled}-->"))


def verify(data: bytes, file: str, certificate: bytes | None = None) -> Verified:
    """Check a document, and whether its key belongs to a certificate (PEM) where one is given.

    The certificate may be the gateway's own or that of the authority that issued it.

    Raises:
        NoReportError: it is no hand-over report at all, or the certificate is none.

    """
    slots = _SLOT.findall(data)
    if len(data) > MAX_BYTES or len(slots) != 1 or data.count(_OPENING) != 1:
        msg = "no hand-over report: it has no signature, or more than one"
        raise NoReportError(msg)
    slot, public = _read_slot(slots[0])
    blank = _SLOT.sub(EMPTY_SLOT.encode(), data)
    problems = list(_altered(slot, public, blank))
    report = _report(blank)
    if report is not None and report.signed_by.fingerprint != slot.statement.key:
        problems.append("the report names another key than the one that signed it")
    intact, trusted = not problems, False
    if certificate is not None:
        trusted = _belongs(slot, public, _certificate(certificate))
        if not trusted:
            problems.append("the key does not belong to this certificate")
    key = fingerprint(public)
    return Verified(file, intact, intact and trusted, key, problems, report if intact else None)


def _statement(blank: bytes, key: str, certificate: str) -> Statement:
    payload = _PAYLOAD.search(blank)
    return Statement(
        certificate_sha256=_sha256(certificate.encode()),
        document_sha256=_sha256(blank),
        format=FORMAT,
        key=key,
        payload_sha256=_sha256(payload[1] if payload else b""),
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pem(public: ec.EllipticCurvePublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _read_slot(text: bytes) -> tuple[Slot, ec.EllipticCurvePublicKey]:
    try:
        slot = msgspec.json.decode(base64.b64decode(text, validate=True), type=Slot)
        public = load_pem_public_key(slot.public_key.encode())
    except (binascii.Error, msgspec.MsgspecError, ValueError) as exc:
        msg = "no hand-over report: what stands in its signature cannot be read"
        raise NoReportError(msg) from exc
    if not isinstance(public, ec.EllipticCurvePublicKey):
        msg = "no hand-over report: it is signed with a key of another kind"
        raise NoReportError(msg)
    if base64.b64encode(canonical(slot)) != text or _pem(public) != slot.public_key:
        msg = "no hand-over report: its signature is written in another way than ours"
        raise NoReportError(msg)
    return slot, public


def _altered(slot: Slot, public: ec.EllipticCurvePublicKey, blank: bytes) -> list[str]:
    try:
        signature = base64.b64decode(slot.signature, validate=True)
        if base64.b64encode(signature).decode() != slot.signature:
            return ["the signature is not one of this key"]
        public.verify(signature, canonical(slot.statement), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return ["the signature is not one of this key"]
    if slot.statement != _statement(blank, fingerprint(public), slot.certificate):
        return ["the report was altered after it was signed"]
    return []


def _report(blank: bytes) -> Report | None:
    payload = _PAYLOAD.search(blank)
    try:
        return msgspec.json.decode(payload[1], type=Report) if payload else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as exc:
        msg = "this is no certificate (PEM)"
        raise NoReportError(msg) from exc


def _belongs(slot: Slot, public: ec.EllipticCurvePublicKey, given: x509.Certificate) -> bool:
    if given.public_key() == public:
        return True
    if not slot.certificate:
        return False
    try:
        own = x509.load_pem_x509_certificate(slot.certificate.encode())
        own.verify_directly_issued_by(given)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return own.public_key() == public
