"""What was heard on a broker, as points of devices to choose from; pure.

A device is taken to be the topics below one branch: everything that shares all levels but the last,
or the topic itself where it carries a document.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from components.mqtt.broker_settings import BrokerAddress
from components.mqtt.client import Message
from components.mqtt.settings import MAX_PATH, Format
from components.mqtt.topics import PLACEHOLDER, wrong_filter
from components.payloads import senml
from components.payloads.errors import PayloadError
from components.payloads.extract import compile_path, parse_json, to_value
from edge_runtime.discovery import Found
from edge_runtime.model import PointKind, Reading, Value

MAX_POINTS = 200
"""Of one proposed device."""
MAX_LEAVES = 100
"""Of one document."""
MAX_DEPTH = 6
_NAME = re.compile(r"[^a-z0-9]+")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Leaf(NamedTuple):
    """One value that was heard."""

    topic: str
    format: Format
    place: str
    """JSON path or SenML record; empty for a plain message."""
    value: Value
    unit: str = ""


def propose(address: BrokerAddress, messages: Mapping[str, Message]) -> Iterator[Found]:
    """Propose a device for each branch of topics."""
    branches: dict[str, list[Leaf]] = {}
    for topic in sorted(messages):
        leaves = [leaf for leaf in leaves_of(messages[topic]) if _can_be_set(leaf)]
        whole = len(leaves) > 1 or (bool(leaves) and bool(leaves[0].place))
        branch = topic if whole else topic.rpartition("/")[0]
        branches.setdefault(branch, []).extend(leaves)
    presences = {branch: found for branch in branches if (found := _presence(branches[branch]))}
    for branch, leaves in branches.items():
        presence = presences.get(branch) or presences.get(branch.rpartition("/")[0])
        own = [leaf for leaf in leaves if leaf != presence]
        if own:
            yield _found(address, branch, own, presence)


def _presence(leaves: Sequence[Leaf]) -> Leaf | None:
    """Find where a device, or its last will, says whether it is there."""
    for leaf in leaves:
        if leaf.format is Format.PLAIN and str(leaf.value).lower() in {"online", "offline"}:
            return leaf
    return None


def _can_be_set(leaf: Leaf) -> bool:
    """Leave out what the settings could not name: odd topics, odd members of a document."""
    if wrong_filter(leaf.topic) or PLACEHOLDER.search(leaf.topic):
        return False
    if leaf.format is not Format.JSON:
        return True
    try:
        compile_path(leaf.place)
    except ValueError:
        return False
    return len(leaf.place) <= MAX_PATH


def _found(
    address: BrokerAddress, branch: str, leaves: Sequence[Leaf], presence: Leaf | None
) -> Found:
    points, values = [], []
    names: set[str] = set()
    for leaf in leaves[:MAX_POINTS]:
        name = _name_of(leaf, names)
        points.append(_point(name, leaf))
        values.append(Reading(name, _as_read(leaf.value)))
    settings = broker_fields(address, "mqtt")
    if presence is not None:
        settings["availability"] = _availability(presence)
    notes = []
    if len(leaves) > MAX_POINTS:
        notes.append(f"{len(leaves) - MAX_POINTS} more values were heard")
    return Found(
        protocol="mqtt",
        address=f"{address.at} {branch}",
        identity="",
        title=f"{len(points)} values below '{branch}'",
        settings=settings,
        points=tuple(points),
        values=tuple(values),
        notes=tuple(notes),
    )


def _as_read(value: Value) -> Value:
    """Give a value as the driver will, which knows what booleans are called."""
    truth = kind_of(value) is PointKind.BOOLEAN and isinstance(value, str)
    return str(value).lower() == "on" if truth else value


def _availability(presence: Leaf) -> dict[str, str]:
    """Take both words in the case in which one was heard."""
    said = str(presence.value)
    words = ("ONLINE", "OFFLINE") if said.isupper() else ("online", "offline")
    online, offline = (word.title() if said.istitle() else word for word in words)
    return {"topic": presence.topic, "online": online, "offline": offline}


def broker_fields(address: BrokerAddress, protocol: str) -> dict[str, Any]:
    """Give the fields of a device that reach this broker."""
    fields: dict[str, Any] = {"protocol": protocol, "host": address.host, "port": address.port}
    if address.tls is not None:
        fields["tls"] = {k: str(v) for k, v in address.tls if v is not None}
    if address.username:
        fields["username"] = address.username
    if address.password_file is not None:
        fields["password_file"] = str(address.password_file)
    if address.version != "3.1.1":
        fields["version"] = address.version
    return fields


def leaves_of(message: Message) -> Iterator[Leaf]:
    """Find the values in a message."""
    topic = message.topic
    try:
        document = parse_json(message.payload)
    except PayloadError:
        yield from _plain_leaf(message)
        return
    if isinstance(document, list) and (records := _records(message.payload)):
        for record in records[:MAX_LEAVES]:
            if isinstance(record.value, int | float | str):
                yield Leaf(topic, Format.SENML, record.name, record.value, record.unit)
    elif isinstance(document, dict | list):
        for count, (place, value) in enumerate(_walk(document, "$", 0)):
            if count == MAX_LEAVES:
                return
            yield Leaf(topic, Format.JSON, place, value)
    else:
        yield from _plain_leaf(message)


def _plain_leaf(message: Message) -> Iterator[Leaf]:
    try:
        text = message.payload.decode()
        value = to_value(json.loads(text), "the payload")
    except (ValueError, RecursionError):
        try:
            value = to_value(message.payload.decode().strip(), "the payload")
        except ValueError:
            return
    if value == "" or (isinstance(value, str) and not value.isprintable()):
        return
    yield Leaf(message.topic, Format.PLAIN, "", value)


def _records(payload: bytes) -> Sequence[senml.Record]:
    try:
        return senml.decode_json(payload, now_us=0)
    except senml.SenmlError:
        return ()


def _walk(node: object, place: str, depth: int) -> Iterator[tuple[str, Value]]:
    if isinstance(node, dict | list):
        if depth == MAX_DEPTH:
            return
        entries = enumerate(node) if isinstance(node, list) else node.items()
        for key, inner in entries:
            yield from _walk(inner, place + _step(key), depth + 1)
        return
    try:
        yield place, to_value(node, place)
    except PayloadError:
        return


def _step(key: object) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    text = str(key)
    if _PLAIN_KEY.fullmatch(text):
        return f".{text}"
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def _name_of(leaf: Leaf, taken: set[str]) -> str:
    text = leaf.place or leaf.topic.rpartition("/")[2]
    if leaf.format is Format.SENML:
        text = text.rpartition(":")[2].rpartition("/")[2]
    name = point_name(text)
    plain, number = name, 2
    while name in taken:
        name = f"{plain[:58]}_{number}"
        number += 1
    taken.add(name)
    return name


def point_name(text: str) -> str:
    """Make a name for a point out of what a device calls it."""
    name = _NAME.sub("_", text.lower()).strip("_")[:60].strip("_")
    return name if name[:1].isalpha() else f"p_{name}".rstrip("_")


def _point(name: str, leaf: Leaf) -> dict[str, Any]:
    point: dict[str, Any] = {"name": name, "topic": leaf.topic, "kind": kind_of(leaf.value).value}
    if leaf.format is Format.JSON:
        point["json_path"] = leaf.place
    elif leaf.format is Format.SENML:
        point |= {"format": leaf.format.value, "record": leaf.place}
    if leaf.unit:
        point["unit"] = leaf.unit
    return point


def kind_of(value: Value) -> PointKind:
    """Tell the kind of a point from one value of it: a whole number may be a float's."""
    match value:
        case bool():
            return PointKind.BOOLEAN
        case str():
            return PointKind.BOOLEAN if value.lower() in {"on", "off"} else PointKind.TEXT
        case _:
            return PointKind.FLOAT
