"""What can go wrong with a server, and asyncua's exceptions in our words.

DeviceError
├── DeviceUnreachableError
│   ├── ServerUntrustedError    its certificate is not trusted yet, or was rejected
│   └── GatewayUntrustedError   the server does not trust ours
└── DeviceRefusedError
"""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import ua
from asyncua.crypto.uacrypto import InvalidSignature
from cryptography import exceptions as crypto

from components.opcua.status import name_of
from components.opcua.trust import REJECTED, Kept
from edge_runtime.errors import (
    DeviceError,
    DeviceRefusedError,
    DeviceUnreachableError,
    SettingsError,
)

NETWORK_HINT = "Check the server's power and network, and that the endpoint's port is right."
SESSION_HINT = "The session or the connection ended; it is made anew."
NONSENSE_HINT = "Check that an OPC UA server listens there, and that its firmware is current."


class ServerUntrustedError(DeviceUnreachableError):
    """The server's certificate is not trusted."""

    def __init__(self, where: str, kept: Kept, pki_dir: object) -> None:
        """Name the fingerprint, the file and the command."""
        short = kept.fingerprint[:16]
        if kept.state == REJECTED:
            super().__init__(
                f"{where}: its certificate {kept.fingerprint} was rejected ({kept.file})",
                hint=f"If that was a mistake: tidegate edge trust accept {short} --pki {pki_dir}",
            )
            return
        super().__init__(
            f"{where} shows a certificate that nobody trusts yet: SHA-256 {kept.fingerprint}, "
            f"kept in {kept.file}",
            hint="Compare the fingerprint with the server's own, then: "
            f"tidegate edge trust accept {short} --pki {pki_dir}",
        )


class GatewayUntrustedError(DeviceUnreachableError):
    """The server does not trust the gateway's certificate yet."""

    def __init__(self, where: str, file: object, said: str) -> None:
        """Name the certificate that must be carried to the server."""
        super().__init__(
            f"{where} does not trust this gateway's certificate yet ({said})",
            hint=f"Trust {file} on the server: look in its list of rejected certificates, "
            "or copy the file there.",
        )


UNTRUSTED = frozenset(
    {
        "BadSecurityChecksFailed",
        "BadCertificateUntrusted",
        "BadCertificateInvalid",
        "BadCertificateUriInvalid",
        "BadCertificateUseNotAllowed",
        "BadCertificateTimeInvalid",
        "BadCertificateChainIncomplete",
        "BadCertificateRevocationUnknown",
        "BadCertificateIssuerRevocationUnknown",
    }
)
"""How servers say that they do not take a client's certificate."""
LOST = frozenset(
    {
        "BadSessionIdInvalid", "BadSessionClosed", "BadSessionNotActivated",
        "BadSecureChannelIdInvalid", "BadSecureChannelClosed", "BadSecureChannelTokenUnknown",
        "BadConnectionClosed", "BadCommunicationError", "BadTimeout", "BadRequestTimeout",
        "BadServerHalted", "BadShutdown", "BadNotConnected", "BadServerNotConnected",
        "BadNoCommunication", "BadDisconnect", "BadTcpServerTooBusy", "BadTooManySessions",
        "BadTcpEndpointUrlInvalid", "BadTcpInternalError", "BadTcpMessageTooLarge",
        "BadRequestInterrupted", "BadSequenceNumberInvalid", "BadEncodingLimitsExceeded",
    }
)  # fmt: skip
"""After these there is no use in the session."""
HINTS = {
    "BadUserAccessDenied": "Check user and password, and what the server lets this user do.",
    "BadIdentityTokenRejected": "Check user and password, or the person's certificate.",
    "BadIdentityTokenInvalid": "The server does not take this way of logging in.",
    "BadTooManySessions": "Another program holds the server's sessions: close one.",
    "BadTcpEndpointUrlInvalid": "The path in 'endpoint' is wrong: `tidegate edge scan` lists them.",
}
CAUGHT = (
    ua.UaError,
    OSError,
    TimeoutError,
    InvalidSignature,
    crypto.InvalidSignature,
    crypto.UnsupportedAlgorithm,
    SettingsError,
    AssertionError,
    AttributeError,
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What asyncua lets through when a server is lost or sends nonsense; a test looks for others."""


def mapped(exc: BaseException, where: str) -> DeviceError:
    """Say in our words what asyncua or the operating system said; raise it ``from`` that."""
    match exc:
        case DeviceError():
            return exc
        case SettingsError():
            return DeviceRefusedError(str(exc), hint=exc.hint)
        case ua.UaStatusCodeError():
            return _of_status(exc.code, where)
        case OSError():  # a TimeoutError too
            reason = "did not answer in time"
            if not isinstance(exc, TimeoutError):
                reason = f"cannot be reached: {exc.strerror or str(exc) or type(exc).__name__}"
            return DeviceUnreachableError(f"{where} {reason}", hint=NETWORK_HINT)
        case _:
            said = str(exc) or type(exc).__name__
            msg = f"{where} answered what cannot be understood: {said[:200]}"
            return DeviceUnreachableError(msg, hint=NONSENSE_HINT)


def _of_status(code: int | None, where: str) -> DeviceError:
    name = name_of(code) if code is not None else "an error without a code"
    if name in LOST:
        hint = HINTS.get(name, SESSION_HINT)
        return DeviceUnreachableError(f"{where} ended the session: {name}", hint=hint)
    return DeviceRefusedError(f"{where} refused: {name}", hint=HINTS.get(name, ""))


@asynccontextmanager
async def in_our_words(where: str) -> AsyncIterator[None]:
    """Let nothing but a :class:`DeviceError` out."""
    try:
        yield
    except CAUGHT as exc:
        raise mapped(exc, where) from exc
