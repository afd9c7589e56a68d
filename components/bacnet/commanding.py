"""Writes one point: learns type and range from the device, writes, and looks whether it took effect."""

from collections.abc import Sequence
from typing import Protocol

from components.bacnet import limits
from components.bacnet.messages import Ref, write_one
from components.bacnet.reading import Results, number_of
from components.bacnet.settings import Point, is_value, ref_of, shown
from components.bacnet.values import NULL, Kind, kind_of, value_of
from components.bacnet.wire import DamagedError, put
from components.bacnet.writing import (
    Range,
    check_writable,
    fixed_kind,
    is_relinquish,
    may_be_commanded,
    overruled_by,
    written_bytes,
)
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Value


class Line(Protocol):
    """The device, as far as writing needs it."""

    async def fetch(self, refs: Sequence[Ref]) -> Results:
        """Read properties."""
        ...

    async def send(self, service: int, data: bytes) -> bytes:
        """Send a request."""
        ...


async def command(line: Line, point: Point, value: Value) -> None:
    """Write a value, or take ours back.

    Raises:
        DeviceUnreachableError: the device is not found or does not answer.
        DeviceRefusedError: it refused, the value does not fit, or a higher priority overrules it.

    """
    check_writable(point)
    if is_relinquish(point, value):
        await relinquish(line, point)
        return
    kind = fixed_kind(point) or await _kind(line, point)
    data = written_bytes(point, kind, value, await _range(line, point))
    await _write(line, point, data)
    await _check_effect(line, point, data)


async def relinquish(line: Line, point: Point) -> None:
    """Take our value out of the priority array.

    Raises:
        DeviceUnreachableError: the device is not found or does not answer.
        DeviceRefusedError: it refused.

    """
    check_writable(point)
    await _write(line, point, NULL)


async def _write(line: Line, point: Point, data: bytes) -> None:
    await line.send(limits.WRITE_PROPERTY, write_one(ref_of(point), data, point.priority))


async def _kind(line: Line, point: Point) -> Kind:
    """Learn the type of a property that no table knows, from its present contents."""
    ref = ref_of(point)
    result = (await line.fetch([ref])).get(ref)
    try:
        if isinstance(result, list):
            return kind_of(result)
    except DamagedError:
        pass
    msg = f"'{point.name}' was not written: the type of {shown(point)} cannot be read"
    raise DeviceRefusedError(msg, hint="Read the point first: the device may not have it.")


async def _range(line: Line, point: Point) -> Range:
    ref = ref_of(point)
    if not is_value(ref):
        return Range()
    states, low, high = (
        Ref(ref.object, prop)
        for prop in (limits.NUMBER_OF_STATES, limits.MIN_PRESENT_VALUE, limits.MAX_PRESENT_VALUE)
    )
    found = await line.fetch([states, low, high])
    return Range(number_of(found.get(states)), _real(found, low), _real(found, high))


def _real(found: Results, ref: Ref) -> float | None:
    result = found.get(ref)
    if not isinstance(result, list):
        return None
    try:
        value = value_of(result)
    except ValueError:
        return None
    return None if isinstance(value, str) else value


async def _check_effect(line: Line, point: Point, written: bytes) -> None:
    """Say so if a higher priority holds another value.

    Raises:
        DeviceRefusedError: one does.

    """
    if not may_be_commanded(point):
        return
    now, slots = ref_of(point), Ref(ref_of(point).object, limits.PRIORITY_ARRAY)
    found = await line.fetch([now, slots])
    value, array = found.get(now), found.get(slots)
    if not isinstance(value, list) or not isinstance(array, list) or len(value) != 1:
        return
    if put(value[0].number, value[0].data) == written:
        return
    try:
        winner = overruled_by(array, point.priority)
    except DamagedError:
        return
    if winner is not None:
        msg = f"'{point.name}' was written, but priority {winner} of the device overrules it"
        raise DeviceRefusedError(msg, hint="Somebody else commands this object: ask him first.")
