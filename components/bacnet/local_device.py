"""The gateway as a BACnet device of its own: bacpypes3's layers, with our socket below.

What is in messages is read by :mod:`components.bacnet.messages`; bacpypes3 carries them: BVLL, network
layer, segmentation, repetition and foreign registration.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

from bacpypes3.apdu import (
    AbortReason,
    ComplexAckPDU,
    Error,
    ErrorPDU,
    IAmRequest,
    SimpleAckPDU,
    SubscribeCOVRequest,
    WhoHasRequest,
    WhoIsRequest,
    WritePropertyMultipleRequest,
    WritePropertyRequest,
)
from bacpypes3.app import Application, DeviceInfoCache
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import Segmentation
from bacpypes3.comm import ServiceAccessPoint, bind
from bacpypes3.errors import PropertyError, ServicesError
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPForeign, BIPNormal, UDPMultiplexer
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import Address, IPv4Address

from components.bacnet import limits
from components.bacnet.link import Datagrams
from components.bacnet.messages import Reported, read_report
from components.bacnet.wire import DamagedError

SEGMENT_TIMEOUT_MS = 1_000
MAX_ANSWER = limits.MAX_SEGMENTS * limits.MAX_APDU
"""Bytes of an answer in segments."""


UNCONFIRMED_REPORT_HEAD = bytes([0x10, limits.UNCONFIRMED_REPORT])
WHOLE_REQUEST = 0xF8
"""Bits of the first byte that are 0 in a confirmed request that is not one of several segments."""


class Report(NamedTuple):
    """A report, and where it came from."""

    source: Address
    said: Reported


class Terms(NamedTuple):
    """How long one answer is waited for."""

    wait_s: float
    """Before the request is sent again."""
    retries: int


USUAL = Terms(3.0, 1)
_terms: ContextVar[Terms] = ContextVar("bacnet_terms", default=USUAL)
"""Of the request that is being sent: bacpypes3 takes them from the device it belongs to, and ours
has the settings of many devices to follow. A task inherits the context that it is made in."""


class _Conditions:
    """What bacpypes3's transactions ask of the local device, by the request at hand."""

    segmentationSupported = Segmentation.segmentedBoth  # noqa: N815 - bacpypes3's name
    maxSegmentsAccepted = limits.MAX_SEGMENTS  # noqa: N815 - bacpypes3's name
    maxApduLengthAccepted = limits.MAX_APDU  # noqa: N815 - bacpypes3's name
    apduSegmentTimeout = SEGMENT_TIMEOUT_MS  # noqa: N815 - bacpypes3's name

    @property
    def apduTimeout(self) -> int:  # noqa: N802 - bacpypes3's name
        """In milliseconds."""
        return max(1, int(1_000 * _terms.get().wait_s))

    @property
    def numberOfApduRetries(self) -> int:  # noqa: N802 - bacpypes3's name
        """After the first try."""
        return _terms.get().retries


class _Transactions(ApplicationServiceAccessPoint):  # type: ignore[misc]  # untyped
    """Hands answers on as bytes; bacpypes3 would take them apart first."""

    async def sap_response(self, apdu: Any) -> None:
        """Give an answer to whoever waits for it."""
        if isinstance(apdu, ComplexAckPDU | ErrorPDU):
            await ServiceAccessPoint.sap_response(self, apdu)
        else:
            await super().sap_response(apdu)

    def __init__(self, cache: DeviceInfoCache, take: Callable[[Report], bool]) -> None:
        """``take`` takes reports, and tells whether anybody asked for them."""
        super().__init__(_Conditions(), cache)
        self._take = take

    async def confirmation(self, pdu: Any) -> None:
        """Take what arrives; gives up answers in segments that have no end."""
        data = bytes(pdu.pduData[:4])
        if data[:2] == UNCONFIRMED_REPORT_HEAD:
            self._reported(pdu.pduSource, bytes(pdu.pduData[2:]))
            return
        if len(data) == 4 and data[0] & WHOLE_REQUEST == 0 and data[3] == limits.CONFIRMED_REPORT:  # noqa: PLR2004 - the header
            await self._acknowledge(pdu.pduSource, data[2], bytes(pdu.pduData[4:]))
            return
        await super().confirmation(pdu)
        for transaction in tuple(self.clientTransactions):
            answer = transaction.segmentAPDU
            if answer is not None and len(answer.pduData or b"") > MAX_ANSWER:
                await transaction.response(transaction.abort(AbortReason.apduTooLong))

    def _reported(self, source: Address, data: bytes) -> bool:
        try:
            return self._take(Report(source, read_report(data)))
        except (DamagedError, IndexError):
            return False

    async def _acknowledge(self, source: Address, invoke: int, data: bytes) -> None:
        """Take a report and acknowledge it; what nobody subscribed is refused, so that it ends."""
        answer: Any
        if self._reported(source, data):
            answer = SimpleAckPDU(limits.CONFIRMED_REPORT, invoke)
        else:
            answer = Error(
                service_choice=limits.CONFIRMED_REPORT, invoke_id=invoke,
                errorClass="services", errorCode="unknown-subscription",
            ).encode()  # fmt: skip
        answer.pduDestination = source
        await self.request(answer)

    def forget(self, apdu: Any) -> None:
        """End the transaction of a request that nobody waits for any more."""
        for transaction in tuple(self.clientTransactions):
            if (transaction.invokeID, transaction.pdu_address) == (
                apdu.apduInvokeID,
                apdu.pduDestination,
            ):
                transaction.stop_timer()
                self.clientTransactions.remove(transaction)

    def stop(self) -> None:
        """End the timers of what is still under way."""
        for transaction in [*self.clientTransactions, *self.serverTransactions]:
            transaction.stop_timer()


class LocalDevice(Application):  # type: ignore[misc]  # untyped
    """Asks, hears who is there, and takes reports; lets nobody change it."""

    def __init__(self, instance: int, vendor_id: int, *, foreign: bool) -> None:
        super().__init__()
        self.datagrams = Datagrams()
        device = DeviceObject(
            objectIdentifier=("device", instance),
            objectName=f"tidegate-{instance}",
            vendorIdentifier=vendor_id,
            vendorName="Tidegate",
            modelName="Tidegate gateway",
            maxApduLengthAccepted=limits.MAX_APDU,
            maxSegmentsAccepted=limits.MAX_SEGMENTS,
            segmentationSupported=Segmentation.segmentedBoth,
        )
        self.asap = _Transactions(self.device_info_cache, self._take)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        self.link = BIPForeign() if foreign else BIPNormal()
        self.reports: dict[int, Callable[[Report], bool]] = {}
        """Who takes reports, by process identifier; tells whether the subscription is his."""
        self.announced: set[Callable[[IAmRequest], None]] = set()
        """Who listens to I-Am."""
        self._device = device

    async def open(self, interface: str, port: int) -> None:
        """Open the socket and put the layers on it.

        Raises:
            OSError: the port is taken, or the address is not of this machine.

        """
        await self.datagrams.open(interface, port)
        codec, multiplexer = BVLLCodec(), UDPMultiplexer()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        bind(self.link, codec, multiplexer.annexJ)
        bind(multiplexer, self.datagrams)
        self.nsap.bind(self.link, address=IPv4Address(self.datagrams.local))
        self.add_object(self._device)

    def register(self, bbmd: IPv4Address, ttl_s: int) -> None:
        """Begin to register with a BBMD, again and again in time."""
        assert isinstance(self.link, BIPForeign)
        self.link.register(bbmd, ttl_s)

    async def ask(self, apdu: Any, terms: Terms) -> ComplexAckPDU | SimpleAckPDU:
        """Send a request; raises what bacpypes3 raises: the answer that is no acknowledgement."""
        token = _terms.set(terms)
        try:
            future = self.request(apdu)
        finally:
            _terms.reset(token)
        try:
            answer: ComplexAckPDU | SimpleAckPDU = await future
        except asyncio.CancelledError:
            self.asap.forget(apdu)
            raise
        return answer

    async def close(self) -> None:
        """Close the socket and end what is under way; tells a BBMD that we leave."""
        if isinstance(self.link, BIPForeign) and self.link.bbmdAddress is not None:
            self.link.unregister()
            await asyncio.sleep(0)  # the farewell is sent by a task of its own
            await asyncio.sleep(0)
        self.asap.stop()
        self.datagrams.close()
        await asyncio.sleep(0)  # the loop closes sockets in its next turn

    # --- what others send -----------------------------------------------------------------------

    async def do_WhoIsRequest(self, apdu: WhoIsRequest) -> None:  # noqa: N802 - bacpypes3's name
        """Answer whom it concerns; a range with one end is nobody's question."""
        low, high = apdu.deviceInstanceRangeLowLimit, apdu.deviceInstanceRangeHighLimit
        if (low is None) == (high is None):
            await super().do_WhoIsRequest(apdu)

    async def do_WhoHasRequest(self, _: WhoHasRequest) -> None:  # noqa: N802 - bacpypes3's name
        """Stay silent: the gateway has no object that others look for."""

    async def do_IAmRequest(self, apdu: IAmRequest) -> None:  # noqa: N802 - bacpypes3's name
        """Tell whoever listens."""
        for listener in tuple(self.announced):
            listener(apdu)

    def _take(self, report: Report) -> bool:
        take = self.reports.get(report.said.process)
        return take is not None and take(report)

    async def do_WritePropertyRequest(  # noqa: N802 - bacpypes3's name
        self, _: WritePropertyRequest
    ) -> None:
        """Refuse: the gateway is set up by its own file."""
        raise PropertyError(errorCode="writeAccessDenied")

    async def do_WritePropertyMultipleRequest(  # noqa: N802 - bacpypes3's name
        self, _: WritePropertyMultipleRequest
    ) -> None:
        """Refuse: the gateway is set up by its own file."""
        raise PropertyError(errorCode="writeAccessDenied")

    async def do_SubscribeCOVRequest(  # noqa: N802 - bacpypes3's name
        self, _: SubscribeCOVRequest
    ) -> None:
        """Refuse: the gateway has nothing to report over BACnet."""
        raise ServicesError(errorCode="covSubscriptionFailed")
