"""The gateway's own certificate for OPC UA: made once, self-signed, with the right names in it.

A server trusts a client by its certificate, and checks that the application URI the client gives
stands in it (Part 6, 6.2.2). It lies in ``pki_dir/own`` and is never made anew by itself: a new one
would have to be trusted again on every server.
"""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_runtime.durable import make_folder, write_file
from edge_runtime.errors import SettingsError

KEY_BITS = 2048
"""The most that Basic256Sha256 is sure to take everywhere (Part 7: 2048 to 4096)."""
YEARS = 20
"""Nobody drives to a site to renew what only two machines compare with a copy."""
NAME = "Tidegate gateway"
RENEW_HINT = "Delete the folder to have a new one made; then every server must trust it again."


class OwnCertificate(NamedTuple):
    """Certificate and key of this gateway."""

    der: bytes
    key_pem: bytes
    application_uri: str
    file: Path


def own_certificate(pki_dir: Path, application_uri: str, now: datetime) -> OwnCertificate:
    """Load the gateway's certificate, or make it on first use. Takes up to a second.

    Raises:
        SettingsError: it does not fit the settings, has ended, or the disk refuses.

    """
    folder = pki_dir / "own"
    file, key_file = folder / "certificate.der", folder / "key.pem"
    try:
        if not (file.exists() and key_file.exists()):
            make_folder(folder)
            der, key_pem = make_certificate(application_uri or default_uri(), now)
            write_file(key_file, key_pem)
            write_file(file, der, mode=0o644)
        der, key_pem = file.read_bytes(), key_file.read_bytes()
    except OSError as exc:
        msg = f"cannot use {folder}: {exc.strerror or exc}"
        raise SettingsError(msg, hint="Check 'pki_dir' and the rights of the folder.") from exc
    return OwnCertificate(der, key_pem, _checked_uri(der, application_uri, now, file), file)


def _checked_uri(der: bytes, application_uri: str, now: datetime, file: Path) -> str:
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uri = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (ValueError, IndexError, x509.ExtensionNotFound) as exc:
        msg = f"{file} is no certificate of an OPC UA application"
        raise SettingsError(msg, hint=RENEW_HINT) from exc
    if application_uri and uri != application_uri:
        msg = f"{file} was made for '{uri}', but 'application_uri' is '{application_uri}'"
        raise SettingsError(msg, hint=RENEW_HINT)
    if certificate.not_valid_after_utc < now:
        msg = f"{file} ended on {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise SettingsError(msg, hint=RENEW_HINT)
    return uri


def default_uri() -> str:
    """Name this gateway by its host."""
    return f"urn:{_host()}:tidegate:gateway"


def _host() -> str:
    return socket.gethostname()[:63] or "localhost"


def make_certificate(
    application_uri: str, now: datetime, *, name: str = NAME, server: bool = False
) -> tuple[bytes, bytes]:
    """Make a self-signed certificate (DER) and its key (PEM) with what Part 6, 6.2.2 asks for."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    names = [x509.UniformResourceIdentifier(application_uri), x509.DNSName(_host())]
    # a gateway without a battery for its clock may believe that it is last year
    start = min(now, datetime.now(UTC)) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=True,
    data_encipherment=True,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
