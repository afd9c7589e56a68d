"""aiomqtt's client with what it leaves out: why a connect failed, and the broker's reason codes.

Messages go straight to ``deliver`` instead of through a queue with a task for each.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from components.mqtt.broker_settings import BrokerAddress, TlsSettings, Will
from components.mqtt.limits import MAX_TOPIC

MAX_PASSWORD_BYTES = 65_535
MAX_PENDING = 1_000
"""Unanswered requests before the library warns."""


class Message(NamedTuple):
    """One message as it came."""

    topic: str
    payload: bytes
    retained: bool
    """The broker had kept it: nobody knows for how long."""
    correlation: bytes = b""


class Client(aiomqtt.Client):
    """One connection, used once."""

    def __init__(self, deliver: Callable[[Message], None], **settings: Any) -> None:
        self._deliver = deliver
        self._reasons: dict[int, int] = {}
        self.trouble: OSError | None = None
        super().__init__(**settings)
        self._client.connect_timeout = self.timeout
        self.pending_calls_threshold = MAX_PENDING

    def _client_connect(self) -> None:
        try:
            super()._client_connect()
        except OSError as exc:
            self.trouble = exc
            raise

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done once the connection is gone."""
        return self._disconnected

    def drop(self) -> None:
        """Close the socket, whatever state the library left it in."""
        self._client._sock_close()  # noqa: SLF001 - there is no other way

    def _on_message(self, client: Any, userdata: Any, message: MQTTMessage) -> None:
        _ = client, userdata
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        if len(topic) > MAX_TOPIC:
            return
        data = getattr(message.properties, "CorrelationData", b"") if message.properties else b""
        self._deliver(Message(topic, bytes(message.payload), message.retain, data))

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if mid in self._reasons:
            self._reasons[mid] = reason_code.value
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def send(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, properties: Properties | None
    ) -> int:
        """Publish and give the broker's reason code: 0 for QoS 0 and for MQTT 3.1.1.

        Raises:
            aiomqtt.MqttError: there is no connection, or no acknowledgement in time.

        """
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != 0:
            raise aiomqtt.MqttCodeError(info.rc, "could not publish")
        if qos == 0:
            return 0
        self._reasons[info.mid] = 0
        done = asyncio.Event()
        try:
            with self._pending_call(info.mid, done, self._pending_publishes):
                await self._wait_for(done.wait(), timeout=None)
            return self._reasons[info.mid]
        finally:
            self._reasons.pop(info.mid, None)


def new_client(
    address: BrokerAddress,
    client_id: str,
    timeout_s: float,
    deliver: Callable[[Message], None],
    will: Will | None,
) -> Client:
    """Make a client, not yet connected.

    Raises:
        OSError: a file of the settings cannot be read, or is no certificate or key.
        ValueError: the password is no text.

    """
    five = address.version == "5.0"
    return Client(
        deliver,
        hostname=address.host,
        port=address.port,
        identifier=client_id,
        username=address.username or None,
        password=_password(address),
        protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
        clean_session=None if five else address.clean_start,
        clean_start=cast("Any", address.clean_start) if five else MQTT_CLEAN_START_FIRST_ONLY,
        keepalive=address.keepalive_s,
        timeout=timeout_s,
        properties=_connect_properties(address) if five else None,
        tls_context=_tls_context(address.tls) if address.tls else None,
        will=aiomqtt.Will(will.topic, will.gone, qos=1, retain=True) if will else None,
    )


def _password(address: BrokerAddress) -> str | None:
    if address.password_file is None:
        return None
    with address.password_file.open("rb") as file:
        data = file.read(MAX_PASSWORD_BYTES + 1)
    return data[:MAX_PASSWORD_BYTES].decode().rstrip("\r\n")


def _connect_properties(address: BrokerAddress) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    if not address.clean_start:
        properties.SessionExpiryInterval = address.session_expiry_s
    # Room for the topic and the properties beside the payload (5.0 3.1.2.11.4).
    properties.MaximumPacketSize = address.max_payload_bytes + 4_096
    return properties


class _ClosingSocket(ssl.SSLSocket):
    """Closes when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    for file in (tls.ca_file, tls.certificate_file, tls.key_file):
        if file is not None:
            file.open("rb").close()  # ssl's own error does not name the file
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _ClosingSocket
    if tls.certificate_file is not None and tls.key_file is not None:
        context.load_cert_chain(str(tls.certificate_file), str(tls.key_file))
    return context


def publish_properties(response_topic: str, correlation: bytes) -> Properties:
    """Ask for an answer (5.0 4.10)."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic = response_topic
    properties.CorrelationData = correlation
    return properties
