"""What a simulated device does wrong, and how that looks on the wire; pure."""

import json
import random
from collections.abc import Sequence
from enum import StrEnum

from simulators.mqtt.wire import Publish

HUGE_BYTES = 300_000


class Fault(StrEnum):
    """How a device misbehaves."""

    NONE = "none"
    GARBAGE = "garbage"
    """Bytes that mean nothing."""
    WRONG_TYPE = "wrong_type"
    """Texts where numbers were."""
    HUGE = "huge"
    """The right message with a great deal behind it."""
    SILENCE = "silence"
    """Connected, and says nothing."""
    DEATH = "death"
    """Gone without a word: the broker publishes the last will."""
    SEQ_GAP = "seq_gap"
    """Sparkplug: a message that got lost."""
    DUPLICATE = "duplicate"
    """Everything twice."""
    FLAPPING = "flapping"
    """There and gone in turns."""
    HALF_CONFIGURED = "half_configured"
    """Publishes only a part of what it should."""


def distorted(fault: Fault, messages: Sequence[Publish], rng: random.Random) -> list[Publish]:
    """Give what a device publishes when it misbehaves."""
    match fault:
        case Fault.SILENCE | Fault.DEATH:
            return []
        case Fault.DUPLICATE:
            return [message for message in messages for _ in range(2)]
        case Fault.HALF_CONFIGURED:
            return _half(messages)
        case _:
            return [m._replace(payload=_spoilt(fault, m.payload, rng)) for m in messages]


def _spoilt(fault: Fault, payload: bytes, rng: random.Random) -> bytes:
    match fault:
        case Fault.GARBAGE:
            return b"\xff" + rng.randbytes(24)
        case Fault.WRONG_TYPE:
            return _as_texts(payload)
        case Fault.HUGE:
            return payload + b" " * HUGE_BYTES
        case _:
            return payload


def _half(messages: Sequence[Publish]) -> list[Publish]:
    if len(messages) > 1:
        return list(messages[: len(messages) // 2])
    return [message._replace(payload=b"{}") for message in messages]


def _as_texts(payload: bytes) -> bytes:
    """Make every value of a JSON document a text; anything else becomes one word."""
    try:
        document = json.loads(payload)
    except ValueError:
        return b"unknown"
    if isinstance(document, dict):
        return json.dumps(dict.fromkeys(document, "unknown")).encode()
    return b"unknown"
