"""Listening on a broker: what is published there, as points of devices to choose from.

Nothing is sent but one subscription to each broker.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from pydantic import ValidationError

from components.mqtt import limits
from components.mqtt.broker import shared_broker
from components.mqtt.broker_settings import BrokerAddress, TlsSettings
from components.mqtt.client import Message
from components.mqtt.errors import BrokerRefusedError, reason_text
from components.mqtt.proposing import propose
from components.mqtt.topics import wrong_filter
from edge_runtime.discovery import Found, Progress, ScanTarget
from edge_runtime.errors import SettingsError

DEFAULT_TOPIC = "#"
DEFAULT_SECONDS = 10.0
MAX_SECONDS = 600.0
MAX_TOPICS = 1_000
STEP_S = 0.5
KNOWN_OPTIONS = frozenset({
    "topic", "seconds", "username", "password_file", "ca_file", "version",
})  # fmt: skip
HINT = "Targets look like broker.example, 10.0.0.7:1883 or mqtts://broker.example:8883."


async def discover(target: ScanTarget) -> AsyncIterator[Progress | Found]:
    """Listen on each broker for a while and propose what was heard.

    Raises:
        SettingsError: a target or an option is none.
        DeviceUnreachableError: a broker does not answer.
        DeviceRefusedError: a broker refuses the connection or the subscription.

    """
    seconds = listening_seconds(target.options)
    topic = topic_filter(target.options)
    brokers = [broker_of(text, target) for text in target.targets]
    for address in brokers:
        messages: dict[str, Message] = {}
        async for progress in listen(address, topic, seconds, target, messages):
            yield progress
        for found in propose(address, messages):
            yield found


async def listen(
    address: BrokerAddress,
    topic: str,
    seconds: float,
    target: ScanTarget,
    messages: dict[str, Message],
) -> AsyncIterator[Progress]:
    """Gather the newest message of each topic; bounded in time, topics and bytes."""

    def hear(message: Message) -> None:
        fits = len(message.payload) <= limits.MAX_PAYLOAD
        if fits and (message.topic in messages or len(messages) < MAX_TOPICS):
            messages[message.topic] = message

    async with shared_broker(address) as broker:
        await broker.connect(target.timeout_s)
        refused = await broker.subscribe([topic], 0, hear)
        if refused:
            msg = f"{address.at} refused '{topic}': {reason_text(refused[topic])}"
            raise BrokerRefusedError(msg)
        steps = max(1, round(seconds / STEP_S))
        for step in range(steps):
            yield Progress(step, steps, f"{address.at}: {len(messages)} topics", 1)
            await asyncio.sleep(seconds / steps)
            if not broker.session:
                raise broker.lost_error()
        await broker.forget([topic], hear, tell=False)


def topic_filter(options: Mapping[str, str], default: str = DEFAULT_TOPIC) -> str:
    """Take the filter to listen on.

    Raises:
        SettingsError: it is none, or an option is not known.

    """
    if unknown := sorted(set(options) - KNOWN_OPTIONS):
        msg = f"unknown option '{unknown[0]}'; there are {', '.join(sorted(KNOWN_OPTIONS))}"
        raise SettingsError(msg)
    topic = options.get("topic", default)
    if wrong := wrong_filter(topic):
        msg = f"topic '{topic[:80]}': {wrong}"
        raise SettingsError(msg)
    return topic


def listening_seconds(options: Mapping[str, str]) -> float:
    """Take how long to listen.

    Raises:
        SettingsError: it is no number of seconds, or too long.

    """
    text = options.get("seconds", str(DEFAULT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= MAX_SECONDS:
        msg = f"seconds '{text[:40]}': a number up to {MAX_SECONDS:g} is wanted"
        raise SettingsError(msg)
    return seconds


def broker_of(text: str, target: ScanTarget) -> BrokerAddress:
    """Read a target.

    Raises:
        SettingsError: it is none.

    """
    scheme, _, rest = text.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    plain = not (parts_beyond_host(rest) or scheme not in {"", "mqtt", "mqtts"})
    if not host or not plain:
        msg = f"'{text[:80]}' is no broker"
        raise SettingsError(msg, hint=HINT)
    options = target.options
    secure = scheme == "mqtts" or "ca_file" in options
    try:
        return BrokerAddress(
            host=host,
            port=port or (limits.TLS_PORT if secure else limits.PORT),
            tls=TlsSettings(ca_file=options.get("ca_file")) if secure else None,
            username=options.get("username", ""),
            password_file=options.get("password_file"),
            client_id="",
            version=options.get("version", "3.1.1"),
            keepalive_s=30,
            clean_start=True,
            session_expiry_s=0,
            max_payload_bytes=limits.MAX_PAYLOAD,
        )
    except ValidationError as exc:
        msg = f"'{text[:80]}': {exc.errors()[0]['msg']}"
        raise SettingsError(msg, hint=HINT) from exc


def parts_beyond_host(text: str) -> bool:
    """Tell whether a target has a path, a query or a login."""
    return any(mark in text for mark in "/?#@")
