"""One simulated device on one UDP port: bacpypes3's server with faults around it."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.apdu import AbortPDU, ReadPropertyMultipleRequest, SubscribeCOVRequest
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import Segmentation
from bacpypes3.comm import bind
from bacpypes3.errors import ExecutionError, ServicesError, UnrecognizedService
from bacpypes3.ipv4 import IPv4DatagramServer
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPBBMD, BIPNormal, UDPMultiplexer
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import PDU, IPv4Address

from simulators.bacnet.faults import Faults

LOOPBACK = "127.0.0.1"
VENDOR_ID = 999
ANY_INSTANCE = 4_194_303
MAX_UNDER_WAY = 50
"""Confirmed reports to one subscriber; past 255 bacpypes3 looks for a free number for ever."""


class _Server(IPv4DatagramServer):  # type: ignore[misc]  # untyped
    """A socket that spoils what goes out."""

    def __init__(self, address: IPv4Address, faults: Faults, bound: socket.socket | None) -> None:
        super().__init__(address, bind_socket=bound)
        self._faults = faults
        self._start = asyncio.get_running_loop().time()

    async def indication(self, pdu: PDU) -> None:
        """Send, if nothing is wrong."""
        elapsed = asyncio.get_running_loop().time() - self._start
        data = self._faults.spoil(bytes(pdu.pduData), elapsed)
        if data is not None:
            await super().indication(PDU(data, destination=pdu.pduDestination))

    async def opened(self) -> None:
        """Wait until all sockets are bound."""
        await asyncio.gather(*self._transport_tasks)


class SimulatedDevice(Application):  # type: ignore[misc]  # untyped
    """A device with objects; what it does wrong stands in ``faults``."""

    def __init__(
        self, instance: int, objects: Sequence[Any], faults: Faults, **device: Any
    ) -> None:
        super().__init__()
        self.faults = faults
        self.instance = instance
        self.own = DeviceObject(
            **{
                "objectIdentifier": ("device", instance),
                "objectName": f"simulated-{instance}",
                "vendorIdentifier": VENDOR_ID,
                "vendorName": "Tidegate",
                "modelName": "Simulated controller",
                "maxApduLengthAccepted": 1476,
                "maxSegmentsAccepted": 64,
                "segmentationSupported": Segmentation.segmentedBoth,
            }
            | device
        )
        self.objects = {tuple(o.objectIdentifier): o for o in objects}
        self._kept_back: dict[int, tuple[Any, Any]] = {}
        self._server: _Server | None = None
        self._link: BIPNormal | BIPBBMD | None = None

    async def open(self, address: IPv4Address, bound: socket.socket | None, *, bbmd: bool) -> None:
        """Put bacpypes3's layers on a socket."""
        self._server = _Server(address, self.faults, bound)
        self._link = BIPBBMD(address) if bbmd else BIPNormal()
        self.asap = ApplicationServiceAccessPoint(self.own, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        codec, multiplexer = BVLLCodec(), UDPMultiplexer()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        bind(self._link, codec, multiplexer.annexJ)
        bind(multiplexer, self._server)
        self.nsap.bind(self._link, address=address)
        self.add_object(self.own)
        for obj in self.objects.values():
            self.add_object(obj)
        await self._server.opened()

    async def shut(self) -> None:
        """Close the socket and end all timers."""
        self.forget()
        for transaction in [*self.asap.clientTransactions, *self.asap.serverTransactions]:
            transaction.stop_timer()
        if isinstance(self._link, BIPBBMD):
            self._link._fdt_clock_handle.cancel()  # noqa: SLF001 - nothing else stops its clock
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)

    def object_at(self, title: str, number: int) -> Any:
        """Find one of the objects: ``object_at("analog-input", 1)``."""
        return next(
            o
            for o in self.objects.values()
            if (str(o.objectType), o.objectIdentifier[1]) == (title, number)
        )

    def foreign_devices(self) -> list[Any]:
        """List who registered with it, if it is a BBMD."""
        return list(getattr(self._link, "bbmdFDT", ()))

    # --- COV --------------------------------------------------------------------------------------

    @property
    def subscriptions(self) -> list[Any]:
        """All subscriptions."""
        return [
            s for detection in self._cov_detections.values() for s in detection.cov_subscriptions
        ]

    def forget(self) -> None:
        """Lose all subscriptions, as by a restart."""
        for subscription in self.subscriptions:
            self.cancel_subscription(subscription)

    async def do_SubscribeCOVRequest(self, apdu: SubscribeCOVRequest) -> None:  # noqa: N802 - bacpypes3's name
        """Subscribe, renew or cancel."""
        most = self.faults.max_subscriptions
        if self.faults.refuse_cov:
            raise ServicesError(errorCode="covSubscriptionFailed")
        if most is not None and apdu.lifetime is not None and len(self.subscriptions) >= most:
            raise ExecutionError(errorClass="resources", errorCode="noSpaceToAddListElement")
        await super().do_SubscribeCOVRequest(apdu)

    def cov_notification(self, cov: Any, apdu: Any) -> None:
        """Report, unless that is what is wrong; of many at once the newest of each is kept back."""
        if self.faults.mute_reports:
            return
        if len(self._requests.get(cov.client_addr, ())) >= MAX_UNDER_WAY:
            self._kept_back[id(cov)] = (cov, apdu)
        else:
            super().cov_notification(cov, apdu)

    def cov_confirmation(self, cov: Any, future: Any) -> None:
        """Give a subscriber up who does not acknowledge."""
        if not future.cancelled() and future.exception() is not None and cov.obj_ref is not None:
            self.cancel_subscription(cov)
        while self._kept_back:
            kept, apdu = self._kept_back.pop(next(iter(self._kept_back)))
            if kept.obj_ref is not None:
                super().cov_notification(kept, apdu)
                return

    # --- requests ---------------------------------------------------------------------------------

    async def indication(self, apdu: Any) -> None:
        """Take a request after the time that the device needs."""
        self.faults.asked.append(type(apdu).__name__.removesuffix("Request"))
        await self.faults.think()
        await super().indication(apdu)

    async def do_ReadPropertyMultipleRequest(self, apdu: ReadPropertyMultipleRequest) -> None:  # noqa: N802 - bacpypes3's name
        """Answer, or refuse the whole of it."""
        asked = [_key(spec.objectIdentifier) for spec in apdu.listOfReadAccessSpecs]
        if self.faults.no_many:
            raise UnrecognizedService("read-property-multiple")
        if self.faults.sour & set(asked):
            raise ExecutionError(errorClass="object", errorCode="unknownObject")
        if self.faults.most_objects is not None and len(asked) > self.faults.most_objects:
            abort = AbortPDU(True, apdu.apduInvokeID, "segmentation-not-supported", context=apdu)
            await self.response(abort)
            return
        await super().do_ReadPropertyMultipleRequest(apdu)

    def get_object_id(self, objid: Any) -> Any:
        """Find an object; some answer with an error."""
        error = self.faults.errors.get(_key(objid))
        if error is not None:
            raise ExecutionError(errorClass=error[0], errorCode=error[1])
        if _key(objid) == ("device", ANY_INSTANCE):
            return self.own
        return super().get_object_id(objid)

    def get_services_supported(self) -> Any:
        """Say what the device can; some say less."""
        services = super().get_services_supported()
        if self.faults.hide_cov:
            services[5] = 0
        return services


def _key(objid: Any) -> tuple[str, int]:
    return str(objid[0]), int(objid[1])


@asynccontextmanager
async def serve(
    instance: int,
    objects: Sequence[Any],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    faults: Faults | None = None,
    bbmd: bool = False,
    **device: Any,
) -> AsyncIterator[tuple[SimulatedDevice, int]]:
    """Serve a device; gives it and its port.

    ``host`` with the length of its network (``10.9.0.2/24``) also hears broadcasts there. More fields
    are those of the device object, such as ``segmentationSupported``.

    Raises:
        OSError: the port is taken.

    """
    simulated = SimulatedDevice(instance, objects, faults or Faults(), **device)
    bound = None
    if "/" not in host:
        bound = _bound(host, port)
        port = bound.getsockname()[1]
    await simulated.open(IPv4Address(f"{host}:{port}"), bound, bbmd=bbmd)
    try:
        yield simulated, port
    finally:
        await simulated.shut()


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        made.bind((host, port))
    except OSError as exc:
        made.close()
        raise OSError(exc.errno or errno.EADDRINUSE, f"cannot listen on {host}:{port}") from exc
    return made
