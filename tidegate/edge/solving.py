"""What a register may mean, from one look at the device's display; pure.

Given are the registers around a point's address, read a few times, and what the display showed at
that moment. Every type, byte order, scale and nearby address is tried, and what comes close enough
is ranked: what fits to the last digit before what only comes close, what is there already before
what would have to be changed, what is common before what is rare. A value that jumps between two
reads while a display stands still is probably decoded wrongly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from tidegate.edge.byte_orders import CODES, REGISTER_BYTES, Number, number_in, orders_of, size_of

NEAR = 2
"""Addresses before and after the point that are tried: manuals count from 0, from 1, or wrongly."""
DEFAULT_TOLERANCE = 0.01
"""Share of the displayed value by which it may have moved between display and read."""
MAX_CANDIDATES = 200
MAX_TEXT = 32
FEW_DIGITS = 3
"""A display with fewer digits fits many registers by chance."""

SCALES = {
    Decimal(1): 0.0,
    Decimal("0.1"): 0.5,
    Decimal("0.01"): 0.5,
    Decimal("0.001"): 1.0,
    Decimal(10): 1.5,
    Decimal(100): 2.0,
    Decimal("0.0001"): 2.0,
    Decimal(1000): 2.0,
}
"""Factors from register to display, and what each costs in plausibility."""
UPSIDE_DOWN = 2.5
"""Cost of a value that has the other sign."""
ORDER_COSTS = {"ABCD": 0.5, "CDAB": 0.5, "BADC": 1.5, "DCBA": 1.5}
TYPE_COSTS = {kind: 1.5 if size_of(kind) > 4 else 0.5 for kind in CODES}  # noqa: PLR2004 - 32 bits
SCALED_FLOAT = 1.0
NEIGHBOUR = 2.0
CLOSE = 1.0
"""Cost of a value that is not the displayed one to its last digit."""
CLOSE_SPAN = 3.0
"""Further cost of a value at the edge of the tolerance."""
JUMPS = 3.0
CONVERTED = 2.0
CLEAR_LEAD = 1.0
"""By this much the first has to be ahead of the second to be called likely."""


@dataclass(frozen=True, slots=True)
class Display:
    """What the display showed."""

    value: Decimal
    resolution: float
    """Half of its last digit."""
    tolerance: float

    @property
    def digits(self) -> int:
        """How many digits were shown."""
        return len(self.value.as_tuple().digits)


def read_display(text: str, tolerance: float = DEFAULT_TOLERANCE) -> Display:
    """Take what a person typed: ``231.4``, ``231,4``, ``-5``.

    Raises:
        ValueError: it is no number, or 0, which tells nothing.

    """
    try:
        value = Decimal(text.strip().replace(",", ".")) if len(text) <= MAX_TEXT else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not isinstance(exponent, int) or abs(exponent) > MAX_TEXT:
        msg = f"'{text[:MAX_TEXT]}' is no number as a display shows one, such as 231.4"
        raise ValueError(msg)
    if value == 0:
        msg = "0 fits every register that holds 0: wait until the display shows something else"
        raise ValueError(msg)
    resolution = 0.5 * float(Decimal(1).scaleb(min(exponent, 0)))
    return Display(value, resolution, max(resolution, abs(float(value)) * tolerance))


@dataclass(frozen=True, slots=True)
class Conversion:
    """From the unit of the display to the unit of the point: ``value * factor + offset``."""

    title: str
    factor: Decimal
    offset: Decimal


FAHRENHEIT = Conversion("the device counts in °F", Decimal(5) / 9, Decimal(-160) / 9)
KELVIN = Conversion("the device counts in K", Decimal(1), Decimal("-273.15"))
CONVERSIONS = {"Cel": (FAHRENHEIT, KELVIN)}
"""By the point's unit: what a device may count in while its display shows the point's unit."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One way to read the registers."""

    shift: int
    """Addresses from the point's own."""
    type: str
    order: str
    scale: Decimal
    conversion: Conversion | None = None


@dataclass(frozen=True, slots=True)
class Current:
    """How the point is read now."""

    type: str
    order: str
    scale: Decimal
    offset: Decimal = Decimal(0)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A guess that fits, and how plausible it is; the lowest cost first."""

    guess: Guess
    value: float
    cost: float
    exact: bool
    """It is the displayed value to its last digit."""
    why: tuple[str, ...] = field(default=())
    """What speaks against it."""


Registers = Mapping[int, bytes]
"""Two bytes as they came, by their shift from the point's address; what was refused is missing."""


def solve(reads: Sequence[Registers], display: Display, current: Current) -> list[Candidate]:
    """Find what fits, the most plausible first."""
    found: dict[tuple[object, ...], Candidate] = {}
    for shift, kind, order in _decodings():
        numbers = [_number(registers, shift, kind, order) for registers in reads]
        known = [number for number in numbers if number is not None]
        if len(known) < len(numbers) or not known:
            continue
        for guess in _guesses(shift, kind, order, current):
            candidate = _judge(guess, known, display, current)
            if candidate is not None:
                same = (shift, size_of(kind), order, guess.scale, guess.conversion, candidate.value)
                if same not in found or candidate.cost < found[same].cost:
                    found[same] = candidate
    ranked = sorted(found.values(), key=lambda c: (c.cost, abs(c.guess.shift), c.guess.type))
    return ranked[:MAX_CANDIDATES]


def is_clear(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the first is well ahead of all others."""
    if len(candidates) < 2:  # noqa: PLR2004 - there is no second
        return bool(candidates)
    return candidates[1].cost - candidates[0].cost >= CLEAR_LEAD


def scales_for(numbers: Sequence[Number], display: Display, current: Current) -> list[Candidate]:
    """Find scales only, for a protocol that names the types of its values by itself."""
    guesses = _guesses(0, current.type, current.order, current)
    judged = (_judge(guess, numbers, display, current) for guess in guesses)
    return sorted((c for c in judged if c is not None), key=lambda c: c.cost)


def _decodings() -> Iterator[tuple[int, str, str]]:
    for shift in range(-NEAR, NEAR + 1):
        for kind in CODES:
            for order in orders_of(kind):
                yield shift, kind, order


def _guesses(shift: int, kind: str, order: str, current: Current) -> Iterator[Guess]:
    for scale in dict.fromkeys((current.scale, *SCALES)):
        yield Guess(shift, kind, order, scale)
        if scale > 0:
            yield Guess(shift, kind, order, -scale)
            for conversion in CONVERSIONS.get(current.unit, ()):
                yield Guess(shift, kind, order, scale, conversion)


def _number(registers: Registers, shift: int, kind: str, order: str) -> Number | None:
    count = size_of(kind) // REGISTER_BYTES
    parts = [registers.get(shift + i) for i in range(count)]
    data = b"".join(part for part in parts if part is not None)
    return number_in(data, kind, order)


def engineering(guess: Guess, number: Number, offset: Decimal = Decimal(0)) -> float:
    """Give the value that a point with these settings would have."""
    value = float(number) * float(guess.scale)
    if guess.conversion is not None:
        return value * float(guess.conversion.factor) + float(guess.conversion.offset)
    return value + float(offset)


def _judge(
    guess: Guess, numbers: Sequence[Number], display: Display, current: Current
) -> Candidate | None:
    wanted = float(display.value)
    values = [engineering(guess, number, _offset(guess, current)) for number in numbers]
    value = min(values, key=lambda v: abs(v - wanted))
    error = abs(value - wanted)
    if not error <= display.tolerance:
        return None
    exact = error <= display.resolution * 1.000001
    reasons = dict(_costs(guess, current))
    if not exact:
        reasons["not to the last digit"] = CLOSE + CLOSE_SPAN * error / display.tolerance
    if max(values) - min(values) > display.tolerance:
        reasons["jumps from read to read"] = JUMPS
    told = tuple(reason for reason, cost in reasons.items() if cost >= CLOSE)
    return Candidate(guess, value, sum(reasons.values()), exact, told)


def _offset(guess: Guess, current: Current) -> Decimal:
    """Keep an offset that the point has as long as it keeps its scale."""
    return current.offset if guess.scale == current.scale else Decimal(0)


def _costs(guess: Guess, current: Current) -> Iterator[tuple[str, float]]:
    if guess.shift:
        yield "another address", NEIGHBOUR * abs(guess.shift)
    if guess.type != current.type:
        yield (
            f"{guess.type} is rare" if TYPE_COSTS[guess.type] > 1 else "type",
            (TYPE_COSTS[guess.type]),
        )
    if not same_order(guess, current.order):
        yield f"{guess.order} is rare", ORDER_COSTS[guess.order]
    if guess.scale != current.scale:
        size = abs(guess.scale)
        yield (
            "an unusual scale",
            SCALES.get(size, CLOSE_SPAN)
            + (SCALED_FLOAT if guess.type.startswith("float") and size != 1 else 0),
        )
        if guess.scale < 0:
            yield "the other sign", UPSIDE_DOWN
    if guess.conversion is not None:
        yield guess.conversion.title, CONVERTED


def same_order(guess: Guess, order: str) -> bool:
    """Tell whether an order reads this type the same: in one register, words cannot be turned."""
    if size_of(guess.type) > REGISTER_BYTES:
        return guess.order == order
    return guess.order == ("ABCD" if order in {"ABCD", "CDAB"} else "BADC")
