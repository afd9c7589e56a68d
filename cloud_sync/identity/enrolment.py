"""From a claim to an identity.

The order is that of ``kubeadm join``. The cloud's authority is fetched over a connection that
proves nothing, and that carries nothing of ours. Then its SHA-256 is held against the pin in the
claim, which the installer brought by another way. Only a cloud whose authority has this very hash
gets to see the claim's secret, over a second connection that trusts this authority alone; somebody
in between can neither read the secret nor enrol the gateway elsewhere.

The key is made once and kept, so an answer that was lost costs nothing: the same claim with the
same key gives the same gateway again.
"""

import hashlib
import hmac
import logging
from http import HTTPStatus
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync.errors import (
    AnswerInvalidError,
    ClaimRefusedError,
    CloudRefusedError,
    EnrolmentError,
    WrongCloudError,
)
from cloud_sync.identity.files import (
    Gateway,
    Identity,
    keep_key,
    save_identity,
    signing_request,
)
from cloud_sync.transports.answers import document_of, expect
from cloud_sync.transports.https import Request, open_client
from cloud_sync.wire import paths
from cloud_sync.wire.identity import PIN_BYTES, Claim, EnrolReply, EnrolRequest, parse_claim
from cloud_sync.wire.problems import Problem

log = logging.getLogger(__name__)

_NEW_CLAIM = "make a new claim: on the site's page of the dashboard, or with 'tidegate cloud claim'"


async def enrol(folder: Path, *, url: str, claim: str, name: str, version: str) -> Identity:
    """Become known to the cloud at ``url``, and write the identity to ``folder``.

    Raises:
        EnrolmentError: the claim is no claim, was refused, or is of another cloud.
        IdentityError: the folder holds something that is no key.
        LineError: the cloud could not be asked; try again.

    """
    try:
        parsed = parse_claim(claim)
    except ValueError as exc:
        raise EnrolmentError(str(exc), hint=_NEW_CLAIM) from exc
    key = keep_key(folder)
    authority = await fetch_authority(url, parsed)
    request = EnrolRequest(
        claim=str(parsed), csr=signing_request(key, name), name=name, version=version
    )
    reply = await _ask(url, authority, request)
    gateway = Gateway(reply.gateway, reply.tenant, reply.site, name, url)
    certificate = _own_certificate(reply, key, authority)
    identity = Identity(gateway, key, certificate, _pem(authority))
    save_identity(folder, identity)
    log.info("enrolled", extra={"gateway": gateway.gateway, "gateway_name": name, "url": url})
    return identity


async def fetch_authority(url: str, claim: Claim) -> x509.Certificate:
    """Fetch the cloud's authority, unverified, and hold it against the claim's pin.

    Raises:
        WrongCloudError: it is not the one that the claim names.
        LineError: the cloud could not be asked.

    """
    async with open_client(url, authority=None) as client:
        answer = await client.ask(Request("GET", paths.AUTHORITY))
    expect(answer, HTTPStatus.OK, "")
    try:
        authority = x509.load_pem_x509_certificate(answer.body)
    except ValueError as exc:
        msg = f"{url} does not answer as a Tidegate cloud does"
        raise AnswerInvalidError(msg, hint="look at gateway.cloud.url in gateway.yaml") from exc
    digest = hashlib.sha256(authority.public_bytes(Encoding.DER)).digest()
    if not hmac.compare_digest(digest[:PIN_BYTES], claim.pin):
        msg = f"{url} is not the cloud that issued the claim; nothing secret was sent to it"
        raise WrongCloudError(
            msg, hint="look at gateway.cloud.url, or make a claim on this very cloud"
        )
    return authority


async def _ask(url: str, authority: x509.Certificate, request: EnrolRequest) -> EnrolReply:
    headers = {"Content-Type": "application/json"}
    body = request.model_dump_json().encode()
    async with open_client(url, _pem(authority)) as client:
        answer = await client.ask(Request("POST", paths.ENROL, body, headers=headers))
    try:
        return document_of(answer, HTTPStatus.CREATED, EnrolReply)
    except CloudRefusedError as exc:
        if exc.code == Problem.CLAIM_REFUSED:
            raise ClaimRefusedError(hint=_NEW_CLAIM) from exc
        if exc.code == Problem.CONFLICT:
            msg = f"the cloud has another gateway named '{request.name}'"
            raise EnrolmentError(msg, hint="choose another gateway.name in gateway.yaml") from exc
        if exc.code == Problem.INVALID_REQUEST:
            raise EnrolmentError(str(exc), hint=_NEW_CLAIM) from exc
        raise


def _own_certificate(
    reply: EnrolReply, key: ec.EllipticCurvePrivateKey, authority: x509.Certificate
) -> x509.Certificate:
    """Check that the certificate is for our key and from the pinned authority.

    Raises:
        AnswerInvalidError: it is not.

    """
    try:
        certificate = x509.load_pem_x509_certificate(reply.certificate.encode())
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as exc:
        msg = "the certificate from the cloud is not one of its authority"
        raise AnswerInvalidError(msg) from exc
    if certificate.public_key() != key.public_key():
        msg = "the certificate from the cloud is for another key"
        raise AnswerInvalidError(msg)
    return certificate


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
