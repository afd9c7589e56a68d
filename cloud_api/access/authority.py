"""The cloud's own certificate authority: signs gateways, and this cloud's own TLS certificate.

Its key lies in a file of mode 0600 below ``state_dir/authority``, never in the database. Gateways
pin its certificate at enrolment.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_api.db.private_file import make_private_folder, write_private
from cloud_api.errors import InvalidRequestError, SettingsError
from cloud_sync.wire.identity import PIN_BYTES

AUTHORITY_LIFETIME = timedelta(days=3650)
GATEWAY_LIFETIME = timedelta(days=90)
SERVER_LIFETIME = timedelta(days=90)
BACKDATED = timedelta(hours=1)
"""For gateways whose clock runs behind."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Certificate and key of the authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"Authority({self.certificate.subject.rfc4514_string()})"

    @property
    def pem(self) -> str:
        """The certificate, as gateways get it."""
        return pem_of(self.certificate)

    @property
    def pin(self) -> bytes:
        """The half of a claim by which a gateway recognises this cloud."""
        return fingerprint(self.certificate)[:PIN_BYTES]

    def sign_gateway(
        self, csr: x509.CertificateSigningRequest, gateway: UUID, now: datetime
    ) -> x509.Certificate:
        """Certify the key of a checked request. Of the request nothing else is taken over."""
        name = x509.UniformResourceIdentifier(f"urn:uuid:{gateway}")
        return self._sign(
            str(gateway),
            csr.public_key(),
            [name],
            usage=ExtendedKeyUsageOID.CLIENT_AUTH,
            until=now + GATEWAY_LIFETIME,
            now=now,
        )

    def sign_server(
        self, key: ec.EllipticCurvePublicKey, names: Sequence[str], now: datetime
    ) -> x509.Certificate:
        """Certify this cloud's own TLS key for the names it is reached by."""
        return self._sign(
            names[0],
            key,
            [_general_name(name) for name in names],
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
            until=now + SERVER_LIFETIME,
            now=now,
        )

    def _sign(
        self,
        common_name: str,
        key: object,
        names: Sequence[x509.GeneralName],
        *,
        usage: x509.ObjectIdentifier,
        until: datetime,
        now: datetime,
    ) -> x509.Certificate:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            msg = "only EC keys are certified"
            raise TypeError(msg)
        authority = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name[:64]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(min(until, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )


def open_authority(folder: Path, now: datetime) -> Authority:
    """Read the authority of this cloud, or make it at the first start.

    Raises:
        SettingsError: the files are there and cannot be used.

    """
    make_private_folder(folder)
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    if not certificate_file.exists():
        made = make_authority(now)
        write_private(key_file, pem_of_key(made.key))
        write_private(certificate_file, made.pem)
    key = read_key(key_file)
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    if certificate.public_key() != key.public_key():
        raise SettingsError(
            f"{key_file} is not the key of {certificate_file}",
            hint="restore both from the same backup; every gateway trusts this certificate",
        )
    return Authority(certificate, key)


def make_authority(now: datetime) -> Authority:
    """Make a new authority: EC P-256, ten years, may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    tag = hashlib.sha256(pem_of_public_key(key.public_key()).encode()).hexdigest()[:8]
    name = _name(f"Tidegate authority {tag}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def check_request(pem: str) -> x509.CertificateSigningRequest:
    """Check a signing request: well-formed, signed by its own key, the key EC P-256.

    Names, extensions and attributes in it are ignored: who a gateway is, is not its to say.

    Raises:
        InvalidRequestError: one of these is not so.

    """
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        key = csr.public_key()
        proven = csr.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as exc:
        raise InvalidRequestError(
            "the signing request cannot be read", hint="PKCS#10, PEM"
        ) from exc
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequestError(
            "the key of the signing request is not EC P-256", hint="make a P-256 key"
        )
    if not proven:
        raise InvalidRequestError("the signing request is not signed by its own key")
    return csr


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 over the certificate's DER."""
    return certificate.fingerprint(hashes.SHA256())


def key_fingerprint(key: object) -> bytes:
    """SHA-256 over the public key's DER: the same key in any certificate gives the same."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        msg = "only EC keys are known here"
        raise TypeError(msg)
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).digest()


def pem_of(certificate: x509.Certificate) -> str:
    """Write a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Write a private key as PEM, for a file of mode 0600."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def pem_of_public_key(key: ec.EllipticCurvePublicKey) -> str:
    """Write a public key as PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a private key.

    Raises:
        SettingsError: it is missing, or no EC key.

    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as exc:
        raise SettingsError(
            f"{path} cannot be read: {exc}", hint="restore it from a backup"
        ) from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(f"{path} is not an EC key")
    return key


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
