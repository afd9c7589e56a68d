"""A certificate authority in memory: signs the server of the simulated cloud and its gateways."""

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from cloud_sync.wire.identity import PIN_BYTES

_LIFE = timedelta(days=1)


class Authority:
    """One key, one self-signed certificate."""

    def __init__(self) -> None:
        """Make both."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("simulated authority")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.certificate = (
            _dated(self._name, self._name, self._key.public_key())
            .add_extension(constraints, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def pin(self) -> bytes:
        """What a claim says of this authority."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return hashlib.sha256(der).digest()[:PIN_BYTES]

    def sign(self, request: x509.CertificateSigningRequest, gateway: str) -> x509.Certificate:
        """Give a gateway its certificate."""
        return _dated(_named(gateway), self._name, request.public_key()).sign(
            self._key, hashes.SHA256()
        )

    def write_server(self, folder: Path, address: str) -> tuple[Path, Path]:
        """Write certificate and key of a server at an address; give both paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName("localhost"),
                x509.IPAddress(ipaddress.ip_address(address)),
            ]
        )
        certificate = (
            _dated(_named("simulated cloud"), self._name, key.public_key())
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        paths = folder / "server.pem", folder / "server-key.pem"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(private)
        return paths


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _dated(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )
