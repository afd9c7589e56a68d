"""What the simulated cloud knows: gateways, batches, documents. No I/O."""

import secrets
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cloud_sync.wire.batch import Batch, open_batch
from cloud_sync.wire.downlink import Document
from cloud_sync.wire.errors import WireError
from cloud_sync.wire.identity import SECRET_BYTES, Claim
from cloud_sync.wire.uplink import BatchResult, Outcome, Upload, UploadReply
from simulators.cloud_line.authority import Authority


@dataclass(slots=True)
class EnrolledGateway:
    """One gateway with its certificate."""

    id: str
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()


@dataclass(slots=True)
class Books:
    """Everything that the simulated cloud keeps."""

    authority: Authority = field(default_factory=Authority)
    claims: dict[bytes, EnrolledGateway | None] = field(default_factory=dict)
    batches: dict[tuple[str, str], dict[int, Batch]] = field(default_factory=dict)
    arrivals: list[tuple[str, int]] = field(default_factory=list)
    """(stream, number) of every new batch in the order of arrival."""
    duplicates: int = 0
    uploads: list[Upload] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    """Those that the gateway did not acknowledge yet."""
    acknowledged: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    tokens_issued: int = 0

    def new_claim(self) -> Claim:
        """Make a claim that can be used once."""
        claim = Claim(secrets.token_bytes(SECRET_BYTES), self.authority.pin)
        self.claims[claim.secret] = None
        return claim

    def enrol(
        self, claim: Claim, request: x509.CertificateSigningRequest
    ) -> EnrolledGateway | None:
        """Sign a request; None if the claim is unknown or was used with another key."""
        if claim.secret not in self.claims:
            return None
        known = self.claims[claim.secret]
        if known is not None and known.certificate.public_key() != request.public_key():
            return None
        gateway = known.id if known else f"gateway-{secrets.token_hex(4)}"
        enrolled = EnrolledGateway(gateway, self.authority.sign(request, gateway))
        self.claims[claim.secret] = enrolled
        return enrolled

    def find(self, fingerprint: str) -> EnrolledGateway | None:
        """Find a gateway by its certificate."""
        known = (gateway for gateway in self.claims.values() if gateway is not None)
        return next((gateway for gateway in known if gateway.fingerprint == fingerprint), None)

    def ingest(self, upload: Upload) -> UploadReply:
        """Keep the batches of an upload, each once."""
        self.uploads.append(upload)
        return UploadReply([self._keep(message) for message in upload.batches])

    def _keep(self, message: bytes) -> BatchResult:
        try:
            batch = open_batch(message)
        except WireError:
            return BatchResult("", "", 0, Outcome.REFUSED, "damaged")
        known = self.batches.setdefault((batch.stream, batch.epoch), {})
        outcome, reason = Outcome.STORED, ""
        if batch.seq not in known:
            known[batch.seq] = batch
            self.arrivals.append((batch.stream, batch.seq))
        elif known[batch.seq].sha256 == batch.sha256:
            self.duplicates += 1
            outcome = Outcome.DUPLICATE
        else:
            outcome, reason = Outcome.REFUSED, "clone"
        return BatchResult(batch.stream, batch.epoch, batch.seq, outcome, reason)
