"""asyncua's client with our fences: its endpoint chosen, its server known, its password not in clear.

What a server says about itself before the channel is secured (GetEndpoints) only chooses the
certificate; whether that certificate is trusted was decided by a person, and from then on the
channel proves that the server holds its key.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from components.opcua import limits
from components.opcua.certificate import OwnCertificate
from components.opcua.errors import ServerUntrustedError
from components.opcua.settings import SecurityMode, SecurityPolicy, Settings
from components.opcua.trust import TRUSTED, look_up
from edge_runtime.errors import DeviceRefusedError, SettingsError

POLICIES: dict[SecurityPolicy, type[security_policies.SecurityPolicy]] = {
    SecurityPolicy.NONE: security_policies.SecurityPolicyNone,
    SecurityPolicy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    SecurityPolicy.AES256SHA256RSAPSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}
MODES = {
    None: ua.MessageSecurityMode.None_,
    SecurityMode.SIGN: ua.MessageSecurityMode.Sign,
    SecurityMode.SIGN_AND_ENCRYPT: ua.MessageSecurityMode.SignAndEncrypt,
}
LONG_SEQUENCE = b"\x30\x82"
"""How a certificate of 256 to 65535 bytes begins (X.690: sequence, two bytes of length)."""
WATCH_S = 5.0
"""How often a session that carries nothing else is looked at, at the most."""
WATCHES_PER_SESSION = 3
CHANNEL_S = 3_600.0
"""How long the keys of a channel are asked to serve; renewed after three quarters of it."""
CLEAR_HINT = (
    "Choose a 'security_policy' with the mode SignAndEncrypt, or have the server encrypt passwords."
)


class FencedClient(Client):
    """Refuses to send a password that others could read."""

    async def activate_session(
        self,
        username: str | None = None,
        password: str | None = None,
        certificate: x509.Certificate | None = None,
    ) -> ua.ActivateSessionResult:
        """Log in.

        Raises:
            DeviceRefusedError: the password would go in clear, or cannot be encrypted.

        """
        if username and certificate is None:
            policy = self.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri
            in_clear = not policy or policy == security_policies.SecurityPolicyNone.URI
            encrypted = self.security_policy.Mode is ua.MessageSecurityMode.SignAndEncrypt
            if in_clear and not encrypted:
                msg = "the server wants the password in clear text over a line that others can read"
                raise DeviceRefusedError(msg, hint=CLEAR_HINT)
            if not in_clear and not self.security_policy.peer_certificate:
                msg = "the server wants the password encrypted but shows no certificate to do it by"
                raise DeviceRefusedError(msg, hint=CLEAR_HINT)
            if not encrypted and self.security_policy.Mode is ua.MessageSecurityMode.None_:
                self.require_trusted()
        return await super().activate_session(username, password, certificate)

    def require_trusted(self) -> None:
        """Check the certificate that a password is about to be encrypted by."""
        der = self.security_policy.peer_certificate
        assert der is not None
        require_trusted(self.trusting, der)

    trusting: Settings


def make_client(settings: Settings) -> FencedClient:
    """Make a client that is not connected."""
    watch_s = min(WATCH_S, settings.session_timeout_s / WATCHES_PER_SESSION)
    client = FencedClient(settings.url, timeout=settings.timeout_s, watchdog_intervall=watch_s)
    client.trusting = settings
    client.name = client.description = f"Tidegate {settings.name}"
    client.product_uri = "urn:tidegate"
    client.session_timeout = int(settings.session_timeout_s * 1000)
    client.secure_channel_timeout = int(CHANNEL_S * 1000)
    client.max_messagesize = limits.MAX_MESSAGE_BYTES
    client.max_chunkcount = limits.MAX_CHUNKS
    if settings.application_uri:
        client.application_uri = settings.application_uri
    if settings.user:
        client.set_user(settings.user)
        client.set_password(password_of(settings))
    return client


def password_of(settings: Settings) -> str:
    """Give the password.

    Raises:
        SettingsError: its file cannot be read.

    """
    if settings.password is not None:
        return settings.password.get_secret_value()
    assert settings.password_file is not None
    return _content(settings.password_file).decode(errors="replace").strip()


async def use_identity(client: Client, settings: Settings) -> None:
    """Load the certificate that a person logs in by.

    Raises:
        SettingsError: a file cannot be read, or holds something else.

    """
    certificate, key = settings.user_certificate_file, settings.user_key_file
    if certificate is None or key is None:
        return
    content = _content(certificate)
    pem = content.lstrip().startswith(b"-----")
    load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    try:
        client.user_certificate = load(content)
    except ValueError as exc:
        msg = f"{certificate} is no certificate in PEM or DER"
        raise SettingsError(msg, hint="Check 'user_certificate_file'.") from exc
    _content(key)
    try:
        await client.load_private_key(key, extension="pem")
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        msg = f"{key} is no private key in PEM without a password"
        raise SettingsError(msg, hint="Check 'user_key_file'.") from exc


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        msg = f"cannot read {file}: {exc.strerror or exc}"
        raise SettingsError(msg, hint="Check the path and who may read the file.") from exc


async def secure(client: Client, settings: Settings, own: OwnCertificate, server: bytes) -> None:
    """Sign and encrypt from now on, with a server that holds the key of this certificate."""
    client.application_uri = own.application_uri
    await client.set_security(
        POLICIES[settings.security_policy],
        own.der,
        CertProperties(own.key_pem, extension="pem"),
        server_certificate=server,
        mode=MODES[settings.mode],
    )


def require_trusted(settings: Settings, der: bytes) -> None:
    """Let pass what an installer trusts; keep what nobody knows.

    Raises:
        ServerUntrustedError: it is not trusted.

    """
    kept = look_up(settings.pki_dir, der)
    if kept.state != TRUSTED:
        raise ServerUntrustedError(settings.endpoint, kept, settings.pki_dir)


def certificate_of(endpoints: Sequence[ua.EndpointDescription], settings: Settings) -> bytes:
    """Give the server's certificate of the endpoint that the settings ask for.

    Raises:
        DeviceRefusedError: the server has no such endpoint.

    """
    wanted = (POLICIES[settings.security_policy].URI, MODES[settings.mode])
    for endpoint in endpoints:
        if (endpoint.SecurityPolicyUri, endpoint.SecurityMode) == wanted:
            return first_certificate(endpoint.ServerCertificate or b"")
    offered = ", ".join(sorted({shown(endpoint) for endpoint in endpoints})) or "nothing"
    msg = f"{settings.endpoint} does not offer {settings.security_policy} {settings.mode or ''}"
    raise DeviceRefusedError(
        msg.rstrip(), hint=f"It offers {offered}: set 'security_policy' and 'security_mode'."
    )


def shown(endpoint: ua.EndpointDescription) -> str:
    """Name an endpoint's security for people: ``Basic256Sha256 SignAndEncrypt``."""
    uri = str(endpoint.SecurityPolicyUri or "")
    names = {policy.URI: name for name, policy in POLICIES.items()}
    mode = next((m for m, known in MODES.items() if known == endpoint.SecurityMode), None)
    return f"{names.get(uri) or uri.rpartition('#')[2][:60]} {mode or ''}".rstrip()


def first_certificate(der: bytes) -> bytes:
    """Take the server's own certificate out of a chain: the first (Part 6, 6.2.6).

    Raises:
        ValueError: it is none.

    """
    if der[:2] != LONG_SEQUENCE:
        msg = "the server shows no certificate"
        raise ValueError(msg)
    return der[: int.from_bytes(der[2:4], "big") + 4]


def now() -> datetime:
    """The time by which certificates are judged."""
    return datetime.now(UTC)
