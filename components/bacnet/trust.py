"""How far a value may be trusted, by status flags and reliability (12.2.6, 21). Pure.

``overridden`` is good: the value is true, somebody turned a switch on the device. ``in alarm`` says
something of the plant and nothing of the value.
"""

from typing import NamedTuple

from edge_runtime.model import Quality, Reason

FAULT, OVERRIDDEN, OUT_OF_SERVICE = 1 << 1, 1 << 2, 1 << 3
"""Bits of BACnetStatusFlags as a number; bit 0 is "in alarm"."""


class Trust(NamedTuple):
    """What becomes of a value."""

    quality: Quality
    reason: str


GOOD = Trust(Quality.GOOD, "")
NOT_IN_SERVICE = Trust(Quality.UNCERTAIN, f"{Reason.DEVICE_ERROR}:out-of-service")
"""Somebody took the object off its input or output; the value is what he wrote."""

RELIABILITY = {
    0: "no-fault-detected", 1: "no-sensor", 2: "over-range", 3: "under-range", 4: "open-loop",
    5: "shorted-loop", 6: "no-output", 7: "unreliable-other", 8: "process-error",
    9: "multi-state-fault", 10: "configuration-error", 12: "communication-failure",
    13: "member-fault", 14: "monitored-object-fault", 15: "tripped", 16: "lamp-failure",
    17: "activation-failure", 18: "renew-dhcp-failure", 19: "renew-fd-registration-failure",
    20: "restart-auto-negotiation-failure", 21: "restart-failure",
    22: "proprietary-command-failure", 23: "faults-listed", 24: "referenced-object-fault",
    25: "multi-state-out-of-range",
}  # fmt: skip
_UNCERTAIN = frozenset({2, 3, 8, 13, 14, 15, 16, 17, 23, 24})
"""The value is there, and may be near the truth: beyond its range, or a part of a whole failed."""
_RANGE = frozenset({2, 3})
_CONFIGURATION = 10


def trust_of(flags: int | None, reliability: int | None) -> Trust:
    """Judge a value; None where the object has no such property."""
    flags = flags or 0
    if reliability:
        return _unreliable(reliability)
    if flags & FAULT:
        return Trust(Quality.BAD, f"{Reason.DEVICE_ERROR}:fault")
    return NOT_IN_SERVICE if flags & OUT_OF_SERVICE else GOOD


def _unreliable(reliability: int) -> Trust:
    name = RELIABILITY.get(reliability, f"reliability-{reliability}")
    if reliability in _RANGE:
        return Trust(Quality.UNCERTAIN, Reason.OUT_OF_RANGE.value)
    if reliability == _CONFIGURATION:
        return Trust(Quality.BAD, Reason.CONFIGURATION.value)
    quality = Quality.UNCERTAIN if reliability in _UNCERTAIN else Quality.BAD
    return Trust(quality, f"{Reason.DEVICE_ERROR}:{name}")
