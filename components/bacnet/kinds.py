"""Object types: what their present value is made of, and what may be written (12). Pure."""

from typing import NamedTuple

from components.bacnet.values import Kind


class ObjectType(NamedTuple):
    """An object type that a point may be made of."""

    name: str
    kind: Kind | None = None
    """Type of the present value; None where it is not fixed."""
    measured: bool = False
    """The device makes the value: writing is for tests of the device only."""
    has_unit: bool = False
    reports: bool = True
    """COV is foreseen for it (table 13-1)."""


TYPES: dict[int, ObjectType] = {
    0: ObjectType("analog-input", Kind.REAL, measured=True, has_unit=True),
    1: ObjectType("analog-output", Kind.REAL, has_unit=True),
    2: ObjectType("analog-value", Kind.REAL, has_unit=True),
    3: ObjectType("binary-input", Kind.ENUMERATED, measured=True),
    4: ObjectType("binary-output", Kind.ENUMERATED),
    5: ObjectType("binary-value", Kind.ENUMERATED),
    6: ObjectType("calendar", Kind.BOOLEAN, measured=True, reports=False),
    8: ObjectType("device", reports=False),
    12: ObjectType("loop", Kind.REAL, measured=True),
    13: ObjectType("multi-state-input", Kind.UNSIGNED, measured=True),
    14: ObjectType("multi-state-output", Kind.UNSIGNED),
    17: ObjectType("schedule", reports=False),
    19: ObjectType("multi-state-value", Kind.UNSIGNED),
    23: ObjectType("accumulator", Kind.UNSIGNED, measured=True, has_unit=True, reports=False),
    24: ObjectType("pulse-converter", Kind.REAL, measured=True, has_unit=True),
    28: ObjectType("load-control", Kind.ENUMERATED, measured=True),
    30: ObjectType("access-door", Kind.ENUMERATED),
    39: ObjectType("bitstring-value", Kind.BITS),
    40: ObjectType("characterstring-value", Kind.TEXT),
    42: ObjectType("date-value", Kind.DATE),
    44: ObjectType("datetime-value"),
    45: ObjectType("integer-value", Kind.INTEGER, has_unit=True),
    46: ObjectType("large-analog-value", Kind.DOUBLE, has_unit=True),
    48: ObjectType("positive-integer-value", Kind.UNSIGNED, has_unit=True),
    50: ObjectType("time-value", Kind.TIME),
    54: ObjectType("lighting-output", Kind.REAL),
    55: ObjectType("binary-lighting-output", Kind.ENUMERATED),
}
NUMBERS = {kind.name: number for number, kind in TYPES.items()}

BINARY = frozenset({3, 4, 5})
MULTI_STATE = frozenset({13, 14, 19})
COMMANDED = frozenset({1, 4, 14, 54, 55})
"""Outputs: always with a priority array. Values may have one."""


def object_type(number: int) -> ObjectType:
    """Give a type; of a vendor's own, or one that is not known, only its number is."""
    return TYPES.get(number) or ObjectType(str(number))


def object_name(place: tuple[int, int]) -> str:
    """Write an object as people do: ``analog-input,1``."""
    return f"{object_type(place[0]).name},{place[1]}"
