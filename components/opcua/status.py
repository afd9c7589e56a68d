"""What a status code says of a value: quality and reason by table; pure (Part 4, 7.39; Part 8, A.4.3).

The reason is ours, with the code's own name behind a colon: ``no_answer:BadNoCommunication``.
"""

from typing import NamedTuple

from asyncua.ua import status_codes

from edge_runtime.model import Quality, Reason

NAME_MASK = 0xFFFF_0000
"""Below are limit bits, overflow and the like, which do not make another code."""
UNKNOWN = "Unknown StatusCode"
"""How asyncua describes a code that it does not know."""
SEVERITY_SHIFT = 30


class Trust(NamedTuple):
    """What becomes of a value."""

    quality: Quality
    reason: str


GOOD = Trust(Quality.GOOD, "")

REASONS = {
    "BadNoCommunication": Reason.NO_ANSWER,
    "BadNotConnected": Reason.NO_ANSWER,
    "BadCommunicationError": Reason.NO_ANSWER,
    "BadTimeout": Reason.NO_ANSWER,
    "BadWaitingForInitialData": Reason.NO_ANSWER,
    "BadNoData": Reason.NOT_IMPLEMENTED,
    "BadNotSupported": Reason.NOT_IMPLEMENTED,
    "BadNotImplemented": Reason.NOT_IMPLEMENTED,
    "BadConfigurationError": Reason.CONFIGURATION,
    "BadOutOfRange": Reason.OUT_OF_RANGE,
    "UncertainNoCommunicationLastUsableValue": Reason.STALE,
    "UncertainLastUsableValue": Reason.STALE,
    "UncertainEngineeringUnitsExceeded": Reason.OUT_OF_RANGE,
}
"""Everything else is ``device_error``."""


def name_of(code: int) -> str:
    """Give the name of a code as the specification has it; its number where it has none."""
    name, words = status_codes.get_name_and_doc(code & NAME_MASK)
    return f"0x{code:08X}" if words.startswith(UNKNOWN) else name


def is_good(code: int) -> bool:
    """Tell whether a code is neither uncertain nor bad."""
    return code >> SEVERITY_SHIFT & 0b11 == 0


def trust_of(code: int) -> Trust:
    """Say how far a value with this code may be trusted."""
    if is_good(code):
        return GOOD
    name = name_of(code)
    reason = f"{REASONS.get(name, Reason.DEVICE_ERROR)}:{name}"
    return Trust(Quality.UNCERTAIN if code >> SEVERITY_SHIFT & 0b11 == 1 else Quality.BAD, reason)
