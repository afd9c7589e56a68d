"""What goes wrong between a gateway and its cloud.

SyncError
├── IdentityError            the files of the gateway's identity cannot be used
├── EnrolmentError           the gateway could not become known
│   ├── ClaimRefusedError    used, expired or unknown
│   └── WrongCloudError      not the cloud that issued the claim; nothing secret was sent
└── LineError                retryable: the outbox keeps everything meanwhile
    ├── LineDownError        no answer in time, or broken off
    │   └── CloudUnreachableError   no connection could be made
    ├── UntrustedCloudError  the other side cannot prove that it is our cloud
    ├── AnswerInvalidError   somebody answered, but not our cloud
    ├── NotKeptError         the cloud's answer could not be written to the inbox
    ├── CloudBusyError       429 or 503: come back later
    ├── CloudFailedError     any other 5xx
    └── CloudRefusedError    4xx with a problem code
        ├── TokenRefusedError    401
        └── UploadTooLargeError  413
"""

from typing import ClassVar


class SyncError(Exception):
    """Something went wrong between the gateway and its cloud."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, *, hint: str = "") -> None:
        """``hint`` tells the person on site what to do next."""
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.hint = hint


class IdentityError(SyncError):
    """The gateway's identity on disk cannot be used."""


class EnrolmentError(SyncError):
    """The gateway could not be enrolled."""


class ClaimRefusedError(EnrolmentError):
    """The cloud refused the claim: it was used, has expired or never existed."""


class WrongCloudError(EnrolmentError):
    """The cloud is not the one that issued the claim; nothing secret was sent to it."""


class LineError(SyncError):
    """The line to the cloud does not carry anything now."""

    retryable = True


class LineDownError(LineError):
    """The cloud did not answer in time, or the connection broke off."""


class CloudUnreachableError(LineDownError):
    """No connection to the cloud could be made."""


class UntrustedCloudError(LineError):
    """The server's certificate does not come from the authority that this gateway trusts."""


class AnswerInvalidError(LineError):
    """The answer does not come from the cloud."""


class NotKeptError(LineError):
    """What the cloud said could not be kept; it is asked again later."""


class CloudBusyError(LineError):
    """The cloud asks to come back later."""

    def __init__(self, message: str | None = None, *, retry_after_s: float = 0.0) -> None:
        """``retry_after_s`` is what the cloud asked for, 0 if it did not say."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CloudFailedError(LineError):
    """The cloud failed to handle the request."""


class CloudRefusedError(LineError):
    """The cloud refused the request."""

    def __init__(self, message: str | None = None, *, code: str = "", hint: str = "") -> None:
        """``code`` is one of :class:`cloud_sync.wire.problems.Problem`, or empty."""
        super().__init__(message, hint=hint)
        self.code = code


class TokenRefusedError(CloudRefusedError):
    """The cloud does not accept the gateway's access token."""


class UploadTooLargeError(CloudRefusedError):
    """The cloud, or something before it, takes only smaller requests."""
