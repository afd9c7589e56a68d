"""Reads properties with as few requests as the device allows, and judges what came."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from components.bacnet import limits
from components.bacnet.errors import (
    AbortedError,
    DeviceSilentError,
    ErrorAnswerError,
    RejectedError,
    WrongAnswerError,
    code_name,
)
from components.bacnet.memory import Learned
from components.bacnet.messages import (
    Ref,
    Refusal,
    many_answers,
    one_answer,
    read_many,
    ref_bytes,
    single,
)
from components.bacnet.plan import chunks, halves, size_of
from components.bacnet.settings import Point, is_value, ref_of
from components.bacnet.trust import FAULT, trust_of
from components.bacnet.values import Kind, NoValueError, value_of
from components.bacnet.wire import DamagedError, Tag
from edge_runtime.errors import DeviceRefusedError
from edge_runtime.model import Quality, Reading, Reason

MAX_SILENT = 2
"""Requests without an answer in one pass before the rest of it is given up."""
Ask = Callable[[int, bytes], Awaitable[bytes]]
"""Send a service's request and give the answer's bytes."""


class Refused(NamedTuple):
    """A property that was not got."""

    reason: str
    """Of the reading."""


Result = list[Tag] | Refused
Results = Mapping[Ref, Result]
Answered = AbortedError | ErrorAnswerError | RejectedError | WrongAnswerError


class Reader:
    """One pass over some properties."""

    def __init__(self, ask: Ask, learned: Learned, room: int) -> None:
        """``room`` is the longest answer in bytes."""
        self._ask = ask
        self._learned = learned
        self._room = room
        self._silent = 0
        self._answered = False
        self.found: dict[Ref, Result] = {}
        """What came so far."""

    async def read(self, refs: Sequence[Ref]) -> Results:
        """Read these properties.

        Raises:
            DeviceSilentError: the device did not answer at all.

        """
        learned = self._learned
        together = [ref for ref in refs if learned.many and ref.object not in learned.apart]
        for chunk in chunks(together, min(self._room, learned.room or self._room)):
            await self._many(chunk)
        await self._singly([ref for ref in refs if ref not in self.found])
        return self.found

    async def _many(self, chunk: Sequence[Ref]) -> bool:
        """Read together; tells whether the device gave all of it at once."""
        if not self._learned.many:
            return False
        try:
            answer = await self._try(limits.READ_PROPERTY_MULTIPLE, read_many(chunk), chunk)
            if answer is None:
                return False
            answers = _checked(answer)
        except (AbortedError, ErrorAnswerError, RejectedError, WrongAnswerError) as exc:
            await self._many_refused(chunk, exc)
            return False
        self._learned.many_worked = True
        wanted = set(chunk)
        for ref, got in answers.items():
            if ref in wanted:
                self.found[ref] = _refused(got) if isinstance(got, Refusal) else got
        return True

    async def _many_refused(self, chunk: Sequence[Ref], refusal: Answered) -> None:
        """Part a refused request until what remains refused is one object, and learn."""
        if isinstance(refusal, RejectedError) and refusal.detail == "unrecognized-service":
            self._learned.many = False
            return
        parts = halves(chunk)
        if parts is None:
            self._learned.refuse_many(chunk[0].object)
            return
        at_once = [await self._many(part) for part in parts]
        if isinstance(refusal, AbortedError) and refusal.too_long and all(at_once):
            self._learned.shrink(max(map(size_of, parts)))  # else one object is to blame

    async def _singly(self, refs: Sequence[Ref]) -> None:
        for ref in refs:
            try:
                answer = await self._try(limits.READ_PROPERTY, ref_bytes(ref), [ref])
                if answer is not None:
                    self.found[ref] = one_answer(answer, ref)
            except (AbortedError, ErrorAnswerError, RejectedError) as exc:
                self.found[ref] = Refused(f"{Reason.DEVICE_ERROR}:{exc.detail}")
            except DamagedError:
                self.found[ref] = Refused(f"{Reason.DEVICE_ERROR}:{WrongAnswerError.detail}")

    async def _try(self, service: int, data: bytes, refs: Sequence[Ref]) -> bytes | None:
        """Send a request; None where the device stayed silent though it answered others."""
        if self._silent >= MAX_SILENT:
            self.found.update(dict.fromkeys(refs, Refused(Reason.NO_ANSWER.value)))
            return None
        try:
            answer = await self._ask(service, data)
        except DeviceSilentError:
            self._silent += 1
            if not self._answered:
                raise
            self.found.update(dict.fromkeys(refs, Refused(Reason.NO_ANSWER.value)))
            return None
        except DeviceRefusedError:
            self._answered = True
            raise
        self._answered = True
        return answer


def _checked(answer: bytes) -> Mapping[Ref, list[Tag] | Refusal]:
    try:
        return many_answers(answer)
    except (DamagedError, IndexError) as exc:
        raise WrongAnswerError(f"an answer that cannot be read: {exc}") from exc


def _refused(refusal: Refusal) -> Refused:
    return Refused(f"{Reason.DEVICE_ERROR}:{code_name(refusal.error_code)}")


# --- judging ------------------------------------------------------------------------------------


def flags_of(result: Result | None) -> int | None:
    """Give status flags as a number; None where the object has none."""
    if not isinstance(result, list) or single(result, Kind.BITS) is None:
        return None
    try:
        flags = value_of(result)
    except ValueError:
        return None
    return flags if isinstance(flags, int) else None


def doubtful(results: Results) -> list[Ref]:
    """List the reliabilities that must be read: of present values that the device calls faulty."""
    return [
        Ref(ref.object, limits.RELIABILITY)
        for ref, result in results.items()
        if ref.property == limits.STATUS_FLAGS and (flags_of(result) or 0) & FAULT
    ]


def reading_of(point: Point, results: Results) -> Reading:
    """Make the reading of a point of what was read."""
    ref = ref_of(point)
    result = results.get(ref)
    if result is None:
        return _bad(point, f"{Reason.DEVICE_ERROR}:{WrongAnswerError.detail}")
    if isinstance(result, Refused):
        return _bad(point, result.reason)
    flags = reliability = None
    if is_value(ref):
        flags = flags_of(results.get(Ref(ref.object, limits.STATUS_FLAGS)))
        reliability = number_of(results.get(Ref(ref.object, limits.RELIABILITY)))
    trust = trust_of(flags, reliability)
    if trust.quality is Quality.BAD:
        return _bad(point, trust.reason)
    try:
        value = value_of(result)
    except NoValueError:
        return _bad(point, Reason.NOT_IMPLEMENTED.value)
    except DamagedError:
        return _bad(point, Reason.CONFIGURATION.value)
    return Reading(point.name, value, trust.quality, trust.reason)


def number_of(result: Result | None) -> int | None:
    """Give an enumeration or an unsigned number; None for all else."""
    if not isinstance(result, list) or len(result) != 1:
        return None
    try:
        value = value_of(result)
    except ValueError:
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _bad(point: Point, reason: str) -> Reading:
    return Reading(point.name, None, Quality.BAD, reason)
