"""Commands: the message that writes a point, and what an answer says; pure."""

import json
import secrets
from typing import NamedTuple

from components.mqtt.client import Message
from components.mqtt.errors import CommandRefusedError
from components.mqtt.settings import Command, Point
from components.payloads.errors import PayloadError
from components.payloads.extract import parse_json
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import PointKind, Value

MAX_SAID = 200
CORRELATION_BYTES = 8


class Outgoing(NamedTuple):
    """A command on its way."""

    payload: bytes
    correlation: str
    """Its id: in the message (``correlation``) or beside it (MQTT 5.0)."""

    @property
    def correlation_data(self) -> bytes:
        """The id as MQTT 5.0 carries it."""
        return self.correlation.encode()


def outgoing(point: Point, command: Command, value: Value) -> Outgoing:
    """Make the message of a command.

    Raises:
        DeviceRefusedError: the value does not fit the point.

    """
    told = _told(point, value)
    correlation = secrets.token_hex(CORRELATION_BYTES)
    if command.format == "plain":
        return Outgoing(_plain(told), correlation)
    body: dict[str, Value] = {command.member: told}
    if command.correlation is not None:
        body[command.correlation] = correlation
    return Outgoing(json.dumps(body, separators=(",", ":")).encode(), correlation)


def _told(point: Point, value: Value) -> Value:
    """Give the device's own word for a value, where the point's map has one."""
    for word, meant in point.map.items():
        if meant == value and isinstance(meant, bool) == isinstance(value, bool):
            return word
    if (point.kind is PointKind.TEXT) != isinstance(value, str):
        msg = f"'{point.name}' is a {point.kind}: {value!r} does not fit it"
        raise DeviceRefusedError(msg)
    if point.kind is PointKind.BOOLEAN:
        return bool(value)
    if isinstance(value, float) and point.kind in {PointKind.INTEGER, PointKind.ENUMERATION}:
        if not value.is_integer():
            msg = f"'{point.name}' takes whole numbers, not {value}"
            raise DeviceRefusedError(msg)
        return int(value)
    return value


def _plain(value: Value) -> bytes:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode()


def answers(command: Command, sent: Outgoing, message: Message, *, five: bool) -> bool:
    """Tell whether a message on the response topic answers this command.

    An id in the message or beside it must be ours. Where the device gives none back, with 3.1.1
    and no ``correlation``, the first answer after the command counts.
    """
    if message.retained:
        return False
    if command.correlation is not None:
        try:
            document = parse_json(message.payload)
        except PayloadError:
            return False
        return isinstance(document, dict) and document.get(command.correlation) == sent.correlation
    return message.correlation == sent.correlation_data if five else True


def check_answer(point: Point, command: Command, message: Message) -> None:
    """Look whether the device says that it took the command.

    Raises:
        CommandRefusedError: it says that it did not.

    """
    if command.format != "json":
        return
    try:
        document = parse_json(message.payload)
    except PayloadError:
        return  # an answer that is no JSON says that the command arrived, and nothing else
    said = document.get(command.error_member) if isinstance(document, dict) else None
    if said not in (None, "", False):
        msg = f"'{point.name}' was not written: the device says {str(said)[:MAX_SAID]!r}"
        raise CommandRefusedError(msg)
