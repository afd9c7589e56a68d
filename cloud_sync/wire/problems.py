"""Error codes of the API: ``type`` of a problem (RFC 9457) is the base and one of these."""

from enum import StrEnum

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "https://tidegate.dev/problems/"


class Problem(StrEnum):
    """Stable codes; a program may branch on them."""

    INVALID_REQUEST = "invalid-request"
    NOT_SIGNED_IN = "not-signed-in"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many-requests"
    CLAIM_REFUSED = "claim-refused"
    MESSAGE_DAMAGED = "message-damaged"
    NOT_READY = "not-ready"
    INTERNAL = "internal"
