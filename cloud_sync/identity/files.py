"""The folder ``identity``: what makes this gateway this gateway.

    key.pem           EC P-256 private key, made here, never leaves (0600)
    authority.pem     the authority that the gateway trusts, pinned by the claim
    certificate.pem   what the authority says of the key
    gateway.json      who the cloud says we are; written last, so its presence means: enrolled

A crash between any two of them leaves a folder from which enrolment simply goes on.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud_sync.errors import IdentityError

FOLDER = "identity"
_PRIVATE = 0o600
_HINT = "restore the folder 'identity' from a backup, or remove it and enrol with a new claim"


class Gateway(msgspec.Struct, frozen=True):
    """``gateway.json``: who the gateway is, and where it was enrolled."""

    gateway: str
    tenant: str
    site: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled gateway."""

    gateway: Gateway
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    authority: str = field(repr=False)
    """PEM of the only authority whose servers are trusted."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex: names the key in assertions."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def load_identity(folder: Path) -> Identity | None:
    """Read the identity; None if the gateway is not enrolled yet.

    Raises:
        IdentityError: the files do not fit together.

    """
    try:
        gateway = msgspec.json.decode((folder / "gateway.json").read_bytes(), type=Gateway)
        key = _read_key(folder / "key.pem")
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
        authority = (folder / "authority.pem").read_text(encoding="ascii")
    except FileNotFoundError as exc:
        if Path(exc.filename).name == "gateway.json":
            return None
        msg = f"{exc.filename} is missing"
        raise IdentityError(msg, hint=_HINT) from exc
    except (OSError, ValueError) as exc:
        msg = f"{folder} cannot be read: {exc}"
        raise IdentityError(msg, hint=_HINT) from exc
    if certificate.public_key() != key.public_key():
        msg = f"{folder}: certificate.pem does not belong to key.pem"
        raise IdentityError(msg, hint=_HINT)
    return Identity(gateway, key, certificate, authority)


def save_identity(folder: Path, identity: Identity) -> None:
    """Write what enrolment gave; ``gateway.json`` last."""
    pem = identity.certificate.public_bytes(serialization.Encoding.PEM)
    write_durably(folder / "authority.pem", identity.authority.encode())
    write_durably(folder / "certificate.pem", pem)
    write_durably(folder / "gateway.json", msgspec.json.encode(identity.gateway) + b"\n")


def keep_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    """Read the gateway's key, or make one: the same key is used until enrolment succeeds.

    Raises:
        IdentityError: there is a key file that is not an EC P-256 key.

    """
    path = folder / "key.pem"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _read_key(path)
    except FileNotFoundError:
        key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_durably(path, pem, mode=_PRIVATE)
    return key


def signing_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """Make the PKCS#10 request (PEM) that asks for a certificate in the gateway's name."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem.decode()


def write_durably(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file so that after a power cut it holds the old or the new content."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read the private key.

    Raises:
        FileNotFoundError: there is none.
        IdentityError: it is not an EC P-256 key, or is encrypted.

    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as exc:
        msg = f"{path} is not a private key"
        raise IdentityError(msg, hint=_HINT) from exc
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    msg = f"{path} is not an EC P-256 key"
    raise IdentityError(msg, hint=_HINT)
