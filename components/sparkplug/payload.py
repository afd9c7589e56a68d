"""The Sparkplug B payload as a Protocol Buffers message.

Its fields and their numbers are facts of the Sparkplug specification 3.0 (chapter 6.4). They are
written down here and made into a message class when the module is loaded, so that no generated
module has to be kept. Fields that we do not use are left out: what a sender puts there is skipped.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from components.payloads.errors import PayloadError

MAX_BYTES = 1 << 20
MAX_METRICS = 20_000
"""Of one message, and of one edge node with its devices."""

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES: Final = {
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
    "float": _FIELD.TYPE_FLOAT,
    "double": _FIELD.TYPE_DOUBLE,
    "bool": _FIELD.TYPE_BOOL,
    "text": _FIELD.TYPE_BYTES,
    "bytes": _FIELD.TYPE_BYTES,
}
"""Texts are taken as bytes, so that one that is no UTF-8 spoils itself and not the message."""
_MESSAGES: Final[dict[str, tuple[str, ...]]] = {
    "PropertyValue": (
        "1 type uint32", "2 is_null bool", "3 int_value uint32 of value",
        "4 long_value uint64 of value", "5 float_value float of value",
        "6 double_value double of value", "7 boolean_value bool of value",
        "8 string_value text of value",
    ),
    "PropertySet": ("1 keys text many", "2 values PropertyValue many"),
    "DataSet": ("1 num_of_columns uint64",),
    "Template": ("1 version text", "4 template_ref text", "5 is_definition bool"),
    "Metric": (
        "1 name text", "2 alias uint64", "3 timestamp uint64", "4 datatype uint32",
        "5 is_historical bool", "6 is_transient bool", "7 is_null bool",
        "9 properties PropertySet", "10 int_value uint32 of value",
        "11 long_value uint64 of value", "12 float_value float of value",
        "13 double_value double of value", "14 boolean_value bool of value",
        "15 string_value text of value", "16 bytes_value bytes of value",
        "17 dataset_value DataSet of value", "18 template_value Template of value",
    ),
    "Payload": (
        "1 timestamp uint64", "2 metrics Metric many", "3 seq uint64", "4 uuid text",
        "5 body bytes",
    ),
}  # fmt: skip
"""Message to its fields: number, name, type; ``many`` repeats, ``of`` names a choice."""
_PACKAGE = "tidegate.sparkplug"


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tidegate/sparkplug.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in fields:
            _add_field(message, line.split())
    return file


def _add_field(message: descriptor_pb2.DescriptorProto, words: list[str]) -> None:
    number, name, kind, *more = words
    label = _FIELD.LABEL_REPEATED if more == ["many"] else _FIELD.LABEL_OPTIONAL
    field = message.field.add(name=name, number=int(number), label=label)
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    if more[:1] == ["of"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name=more[1])
        field.oneof_index = 0


def _message_class() -> type[Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.Payload")
    return message_factory.GetMessageClass(found)


Payload: Final = _message_class()
"""A payload; its ``metrics`` are made by ``payload.metrics.add(name=b"…")``."""


def parse_payload(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Decode a payload.

    Raises:
        PayloadError: it is none, or past a limit.

    """
    if len(data) > max_bytes:
        msg = f"{len(data)} bytes are more than the {max_bytes} that are taken"
        raise PayloadError(msg)
    try:
        payload = Payload.FromString(data)
    except (DecodeError, ValueError, RecursionError) as exc:
        msg = "no Sparkplug payload"
        raise PayloadError(msg) from exc
    if len(payload.metrics) > MAX_METRICS:
        msg = f"{len(payload.metrics)} metrics are more than the {MAX_METRICS} that are taken"
        raise PayloadError(msg)
    return payload


def text_of(data: bytes, *, most: int = 512) -> str:
    """Take a text field.

    Raises:
        PayloadError: it is no UTF-8, or too long.

    """
    if len(data) > 4 * most:
        msg = f"a text of {len(data)} bytes"
        raise PayloadError(msg)
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        msg = "a text that is no UTF-8"
        raise PayloadError(msg) from exc
    if len(text) > most:
        msg = f"a text of {len(text)} characters"
        raise PayloadError(msg)
    return text
