"""What goes wrong in the cloud.

CloudError                      500 internal
├── RequestError                4xx: the caller can do something about it
│   ├── InvalidRequestError     400 invalid-request
│   ├── NotSignedInError        401 not-signed-in
│   ├── NotAllowedError         403 not-allowed
│   ├── ClaimRefusedError       403 claim-refused
│   ├── NotFoundError           404 not-found: also for what belongs to another tenant
│   ├── ConflictError           409 conflict
│   ├── TooLargeError           413 too-large
│   ├── TooManyError            429 too-many-requests
│   └── MessageRefusedError     400 message-damaged
├── NotReadyError               503 not-ready
├── SettingsError               a setting is wrong; nothing was started
└── DatabaseError               the database cannot be used
    ├── EmbeddedDatabaseError   the server of our own did not start
    └── MigrationError          code and schema do not fit each other
"""

from collections.abc import Mapping
from typing import ClassVar

from cloud_sync.wire.problems import Problem


class CloudError(Exception):
    """Something went wrong in the cloud."""

    status_code: ClassVar[int] = 500
    code: ClassVar[Problem] = Problem.INTERNAL

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``hint`` tells the caller what to do next; ``headers`` go with the answer."""
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.hint = hint
        self.headers = dict(headers or {})


class RequestError(CloudError):
    """The request cannot be fulfilled."""

    status_code = 400
    code = Problem.INVALID_REQUEST


class InvalidRequestError(RequestError):
    """The request is not valid."""


class NotSignedInError(RequestError):
    """Sign in first."""

    status_code = 401
    code = Problem.NOT_SIGNED_IN


class NotAllowedError(RequestError):
    """Your role does not allow it."""

    status_code = 403
    code = Problem.NOT_ALLOWED


class ClaimRefusedError(RequestError):
    """The claim is not valid: wrong, used or expired."""

    status_code = 403
    code = Problem.CLAIM_REFUSED


class NotFoundError(RequestError):
    """There is nothing here."""

    status_code = 404
    code = Problem.NOT_FOUND


class ConflictError(RequestError):
    """The request does not fit the present state."""

    status_code = 409
    code = Problem.CONFLICT


class TooLargeError(RequestError):
    """The request is too large."""

    status_code = 413
    code = Problem.TOO_LARGE


class TooManyError(RequestError):
    """Too many requests; try again later."""

    status_code = 429
    code = Problem.TOO_MANY


class MessageRefusedError(RequestError):
    """The message cannot be read."""

    code = Problem.MESSAGE_DAMAGED


class NotReadyError(CloudError):
    """The cloud is not ready; try again later."""

    status_code = 503
    code = Problem.NOT_READY


class SettingsError(CloudError):
    """The settings cannot be used."""


class DatabaseError(CloudError):
    """The database cannot be used."""


class EmbeddedDatabaseError(DatabaseError):
    """The embedded database server cannot be used."""


class MigrationError(DatabaseError):
    """The code and the schema of the database do not fit each other."""
