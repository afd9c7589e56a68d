"""The servers that a gateway trusts: one certificate a file, moved between folders by a person.

    pki_dir/own/        certificate.der and key.pem of the gateway itself
    pki_dir/pending/    shown by a server, not yet looked at by anybody: connection refused
    pki_dir/trusted/    confirmed by an installer
    pki_dir/rejected/   refused for good

A file is named by the SHA-256 fingerprint of what is in it, so nobody can be taken for another.
"""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha1, sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from edge_runtime.durable import make_folder, write_file
from edge_runtime.errors import SettingsError

PENDING, TRUSTED, REJECTED = "pending", "trusted", "rejected"
STATES = (PENDING, TRUSTED, REJECTED)
MAX_PENDING = 100
MAX_CERTIFICATE_BYTES = 64 * 1024
MIN_FINGERPRINT = 8
SUFFIX = ".der"
_FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")


class ServerCertificate(msgspec.Struct, frozen=True):
    """A certificate in one of the folders, as a person compares it with the server's own."""

    state: str
    fingerprint: str
    """SHA-256, hexadecimal."""
    thumbprint: str
    """SHA-1, hexadecimal: what most OPC UA tools show."""
    subject: str
    application_uri: str
    not_after: datetime | None
    file: str


class Kept(NamedTuple):
    """Where a server's certificate is kept."""

    state: str
    fingerprint: str
    file: Path


def fingerprint_of(der: bytes) -> str:
    """Give the SHA-256 fingerprint of a certificate."""
    return sha256(der).hexdigest()


def look_up(pki_dir: Path, der: bytes) -> Kept:
    """Find out what was decided about a certificate; an unknown one is put into ``pending``.

    Raises:
        SettingsError: it cannot be kept: too large, too many wait already, or the disk refuses.

    """
    fingerprint = fingerprint_of(der)
    for state in STATES:
        file = pki_dir / state / f"{fingerprint}{SUFFIX}"
        if file.is_file():
            return Kept(state, fingerprint, file)
    if len(der) > MAX_CERTIFICATE_BYTES:
        msg = f"the server's certificate is larger than {MAX_CERTIFICATE_BYTES} bytes"
        raise SettingsError(msg)
    folder = pki_dir / PENDING
    if folder.is_dir() and sum(1 for _ in folder.glob(f"*{SUFFIX}")) >= MAX_PENDING:
        msg = f"{MAX_PENDING} certificates wait in {folder} already"
        raise SettingsError(msg, hint="Trust, reject or delete some of them.")
    return Kept(PENDING, fingerprint, _keep(folder / f"{fingerprint}{SUFFIX}", der))


def list_pending(pki_dir: Path) -> list[ServerCertificate]:
    """List the certificates that wait for an installer's word."""
    return list(_certificates(pki_dir, PENDING))


def list_all(pki_dir: Path) -> list[ServerCertificate]:
    """List every certificate that a server ever showed, with what was decided about it."""
    return [found for state in STATES for found in _certificates(pki_dir, state)]


def trust(pki_dir: Path, fingerprint: str) -> ServerCertificate:
    """Trust a certificate by its fingerprint, or by the first 8 or more characters of it.

    Raises:
        SettingsError: none or several have it.

    """
    return _move(pki_dir, fingerprint, TRUSTED)


def reject(pki_dir: Path, fingerprint: str) -> ServerCertificate:
    """Refuse a certificate for good, also one that was trusted before.

    Raises:
        SettingsError: none or several have it.

    """
    return _move(pki_dir, fingerprint, REJECTED)


def _move(pki_dir: Path, fingerprint: str, state: str) -> ServerCertificate:
    wanted = re.sub(r"[\s:]", "", fingerprint).lower()
    if not _FINGERPRINT.fullmatch(wanted):
        msg = f"'{fingerprint}' is no fingerprint: {MIN_FINGERPRINT} to 64 hexadecimal characters"
        raise SettingsError(msg)
    found = [one for one in list_all(pki_dir) if wanted in {one.fingerprint, one.thumbprint}] or [
        one for one in list_all(pki_dir) if one.fingerprint.startswith(wanted)
    ]
    if len(found) != 1:
        count = "no certificate" if not found else f"{len(found)} certificates"
        msg = f"{count} in {pki_dir} with the fingerprint {wanted}"
        raise SettingsError(msg, hint="`tidegate edge trust list` shows what is there.")
    source = Path(found[0].file)
    target = pki_dir / state / source.name
    if source != target:
        _keep(target, source.read_bytes())
        source.unlink()
    return msgspec.structs.replace(found[0], state=state, file=str(target))


def _keep(file: Path, der: bytes) -> Path:
    try:
        make_folder(file.parent)
        write_file(file, der)
    except OSError as exc:
        msg = f"cannot write {file}: {exc.strerror or exc}"
        raise SettingsError(msg, hint="Check 'pki_dir' and the rights of the folder.") from exc
    return file


def _certificates(pki_dir: Path, state: str) -> Iterator[ServerCertificate]:
    for file in sorted((pki_dir / state).glob(f"*{SUFFIX}")):
        der = file.read_bytes()
        if fingerprint_of(der) == file.stem:  # others were not put here by us
            yield describe(der, state, file)


def describe(der: bytes, state: str, file: Path) -> ServerCertificate:
    """Say what is in a certificate; one that nobody can read still has its fingerprint."""
    subject, uri, not_after = "", "", None
    try:
        parsed = x509.load_der_x509_certificate(der)
        not_after = parsed.not_valid_after_utc
        names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        subject = str(names[0].value) if names else parsed.subject.rfc4514_string()
        alternatives = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = alternatives.get_values_for_type(x509.UniformResourceIdentifier)
        uri = uris[0] if uris else ""
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        subject = subject or "cannot be read"
    return ServerCertificate(
        state=state,
        fingerprint=fingerprint_of(der),
        thumbprint=sha1(der, usedforsecurity=False).hexdigest(),
        subject=subject[:200],
        application_uri=uri[:200],
        not_after=not_after,
        file=os.fspath(file),
    )
