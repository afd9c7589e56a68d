"""Finds a device's models: the marker, then header after header."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from components.modbus import limits
from components.modbus.errors import ExceptionAnswerError, UnitSilentError, WrongAnswerError
from components.sunspec.definitions import HEADER_REGISTERS
from components.sunspec.layout import (
    BASES,
    END_MODEL,
    MARKER,
    MARKER_REGISTERS,
    MAX_MODELS,
    Block,
    Chain,
    Counts,
    next_block,
)
from edge_runtime.errors import DeviceRefusedError

SUNSPEC_HINT = (
    "Many inverters are delivered with SunSpec switched off, and some answer it as a unit of its "
    "own, such as 126: see the manual. Where it names another start address, set 'base'."
)
BASE_HINT = "Where the device is silent about addresses that it does not have, set 'base'."

BUSY = frozenset({limits.ACKNOWLEDGE, limits.DEVICE_BUSY})
"""Exceptions that say nothing of the address."""
Ask = Callable[[int, int], Awaitable[bytes]]
"""Reads registers: first address and count."""


async def find_chain(ask: Ask, bases: Sequence[int], where: str) -> Chain:
    """Find the marker and list the models behind it.

    Raises:
        UnitSilentError: nobody answers.
        DeviceRefusedError: there is no marker.

    """
    base = await find_base(ask, bases)
    if base is None:
        places = ", ".join(map(str, bases))
        msg = f"{where} has no SunSpec marker at {places}"
        raise DeviceRefusedError(msg, hint=SUNSPEC_HINT)
    return Chain(base, tuple(await _blocks(ask, base + MARKER_REGISTERS)))


async def find_base(ask: Ask, bases: Sequence[int] = BASES) -> int | None:
    """Find the address of the marker; silence counts as a refusal once the device has answered.

    Raises:
        UnitSilentError: it did not answer at all.

    """
    answered = False
    for base in bases:
        try:
            data = await ask(base, MARKER_REGISTERS)
        except (ExceptionAnswerError, WrongAnswerError):
            answered = True
        except UnitSilentError as exc:
            if not answered:
                hint = f"{exc.hint} {BASE_HINT}" if len(bases) > 1 else exc.hint
                raise UnitSilentError(str(exc), hint=hint) from exc
        else:
            answered = True
            if data == MARKER:
                return base
    return None


async def _blocks(ask: Ask, address: int) -> list[Block]:
    """List models until their end, or as far as the device lets us.

    Raises:
        DeviceRefusedError: it is busy, or answers wrongly: half a list would be taken for all.

    """
    blocks: list[Block] = []
    while len(blocks) < MAX_MODELS:
        try:
            header = await ask(address, HEADER_REGISTERS)
        except ExceptionAnswerError as exc:
            if exc.code in BUSY:
                raise
            break  # devices without an end model end so
        block = next_block(address, header)
        if block is None:
            break
        blocks.append(block)
        address = block.end
    return blocks


async def read_counts(ask: Ask, places: Mapping[tuple[int, str], int]) -> Counts:
    """Read how often groups repeat, from the addresses of the fields that say so."""
    counts: dict[tuple[int, str], int] = {}
    for key, address in places.items():
        try:
            number = int.from_bytes(await ask(address, 1), "big")
        except ExceptionAnswerError as exc:
            if exc.code in BUSY:
                raise
            continue
        counts[key] = 0 if number == END_MODEL else number
    return counts
