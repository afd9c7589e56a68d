"""The key that signs a report: the gateway's own, or one made for commissioning."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud_sync.identity.files import FOLDER as IDENTITY
from cloud_sync.identity.files import keep_key, load_identity
from edge_runtime.durable import make_folder
from tidegate.edge.handover.keeping import FOLDER as COMMISSIONING
from tidegate.edge.handover.report import SignedBy


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key and what is said of it."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    signed_by: SignedBy
    certificate: str
    """PEM; empty for a commissioning key."""


def signing_key(state_dir: Path) -> SigningKey:
    """Give the key of an enrolled gateway; before enrolment one that is made once and kept.

    Raises:
        IdentityError: there is an identity that cannot be used.

    """
    identity = load_identity(state_dir / IDENTITY)
    if identity is None:
        make_folder(state_dir)
        key = keep_key(state_dir / COMMISSIONING)
        return SigningKey(key, SignedBy("commissioning", fingerprint(key.public_key())), "")
    return SigningKey(
        identity.key,
        SignedBy("gateway", fingerprint(identity.key.public_key()), identity.gateway.gateway),
        identity.certificate.public_bytes(Encoding.PEM).decode(),
    )


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Name a key: SHA-256 of its SubjectPublicKeyInfo, hex."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()
