"""One pass over the requests of a read, and what to do when a device refuses or falls silent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from components.modbus.decode import Decoder, bad, compile_bits, compile_registers, no_answer
from components.modbus.errors import ExceptionAnswerError, UnitSilentError, WrongAnswerError
from components.modbus.frames import checked, data_of
from components.modbus.learned import Learned, halves
from components.modbus.line import Line
from components.modbus.plan import Request, wait_seconds
from components.modbus.settings import Settings, Table
from edge_runtime.model import Reading, Reason

MAX_EXTRA_REQUESTS = 32
"""Most requests that one read may spend on finding out what exactly a device refuses."""
MAX_SILENT_REQUESTS = 2
"""Unanswered requests of a read after which the rest of it is not asked for."""

_READS = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}
Refusal = ExceptionAnswerError | WrongAnswerError
Fetched = tuple[Request, bytes]
"""A request and the data of its answer."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with its compiled decoder."""

    request: Request
    decode: Decoder


def prepare(request: Request, settings: Settings) -> Prepared:
    """Compile the decoder of a request."""
    if request.table.is_bits:
        return Prepared(request, compile_bits(request.points, request.first))
    decode = compile_registers(request.points, request.first, settings.word_order)
    return Prepared(request, decode)


class Pass:
    """Reads a list of requests once."""

    def __init__(self, line: Line, settings: Settings, learned: Learned) -> None:
        self._line = line
        self._settings = settings
        self._learned = learned
        self._extra = MAX_EXTRA_REQUESTS
        self._answered = False
        self._gave_data = False
        self._refused_points: list[tuple[Request, str]] = []
        self.refusal: Refusal | None = None
        """The first refusal of this pass."""
        self.fetched: list[Fetched] = []
        self.silent: list[tuple[Table, int]] = []
        """Where the requests began that were not answered though others were, or first of all."""

    async def read(self, requests: Sequence[Prepared]) -> list[Reading]:
        """Read all requests; only the first silence of a device that never answered is raised.

        Raises:
            DeviceUnreachableError: the device did not answer at all.

        """
        try:
            return await self._read(requests)
        finally:
            self._learn()

    async def _read(self, requests: Sequence[Prepared]) -> list[Reading]:
        readings: list[Reading] = []
        for prepared in requests:
            if len(self.silent) == MAX_SILENT_REQUESTS:
                readings += no_answer(prepared.request.names)
                continue
            try:
                readings += await self._answer(prepared)
            except UnitSilentError:
                self.silent.append(prepared.request.start)
                if not self._answered:
                    raise
                readings += no_answer(prepared.request.names)
        return readings

    def _learn(self) -> None:
        """Believe a refusal of single points only of a device that gives others (it may boot)."""
        if self._gave_data:
            now = asyncio.get_running_loop().time()
            for request, detail in self._refused_points:
                self._learned.refuse(request.points, detail, now)

    async def _answer(self, prepared: Prepared) -> list[Reading]:
        try:
            return prepared.decode(await self._fetch(prepared.request))
        except ExceptionAnswerError as exc:
            return await self._refused(prepared.request, exc)
        except WrongAnswerError:
            return await self._once_more(prepared)

    async def _once_more(self, prepared: Prepared) -> list[Reading]:
        """Rule out that a wrong answer was chance before anything is learned from it."""
        try:
            return prepared.decode(await self._fetch(prepared.request))
        except (ExceptionAnswerError, WrongAnswerError) as exc:
            return await self._refused(prepared.request, exc)

    async def _refused(self, request: Request, refusal: Refusal) -> list[Reading]:
        """Part a refused request until what remains refused is a single point, and learn."""
        self.refusal = self.refusal or refusal
        reason = f"{Reason.DEVICE_ERROR}:{refusal.detail}"
        if not refusal.divisible or self._extra <= 0:
            return bad(request.names, reason)
        parts = halves(request)
        if parts is None:
            if isinstance(refusal, ExceptionAnswerError):
                self._refused_points.append((request, refusal.detail))
            return bad(request.names, reason)
        readings: list[Reading] = []
        whole = True
        for part in parts:
            self._extra -= 1
            try:
                data = await self._fetch(part)
            except (ExceptionAnswerError, WrongAnswerError) as exc:
                whole = False
                readings += await self._refused(part, exc)
            else:
                readings += prepare(part, self._settings).decode(data)
        if whole:
            self._learned.part(request.table, parts[1].first)
        return readings

    async def _fetch(self, request: Request) -> bytes:
        pdu = _READS[request.table](address=request.first, count=request.count, dev_id=request.unit)
        wait_s = wait_seconds(self._settings, request.data_bytes)
        answer = await self._line.exchange(pdu, wait_s)
        try:
            body = checked(answer, pdu.function_code, request)
        except ExceptionAnswerError:
            self._answered = True
            raise
        self._answered = True
        data = data_of(body, request.data_bytes, request)
        self._gave_data = True
        self.fetched.append((request, data))
        return data
