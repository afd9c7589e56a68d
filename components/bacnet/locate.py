"""Finds a device: at its address, or by Who-Is wherever it is now."""

from collections.abc import Sequence

from bacpypes3.pdu import Address

from components.bacnet import limits
from components.bacnet.errors import FIND_HINT, AnsweredError, DeviceSilentError
from components.bacnet.local_device import Terms
from components.bacnet.memory import Place
from components.bacnet.messages import Ref, one_answer, ref_bytes
from components.bacnet.reading import number_of
from components.bacnet.settings import Settings
from components.bacnet.stack import Announced, Key, Stack, resolve
from components.bacnet.values import Kind, object_of, value_of
from components.bacnet.wire import DamagedError, Tag
from edge_runtime.errors import DeviceRefusedError

WHO_IS_S = 1.0
"""Longest wait for the I-Am of a device whose address is known."""


def key_of(settings: Settings) -> Key:
    """Give which local device the device is reached by."""
    foreign = settings.foreign
    return Key(
        settings.local_address,
        settings.port,
        settings.local_instance,
        settings.local_vendor_id,
        foreign.bbmd if foreign else "",
        foreign.ttl_s if foreign else 0,
    )


def terms_of(settings: Settings) -> Terms:
    """Give how one answer is waited for: all tries together take ``timeout_s``."""
    return Terms(settings.timeout_s / (settings.retries + 1), settings.retries)


async def locate(stack: Stack, settings: Settings) -> Place:
    """Find the device.

    Raises:
        DeviceUnreachableError: it is not there, or does not answer.
        DeviceRefusedError: another device answers at its address.

    """
    if not settings.host:
        return await _by_instance(stack, settings)
    try:
        return await _by_address(stack, settings, await resolve(settings.host))
    except (DeviceSilentError, DeviceRefusedError):
        if settings.device_instance is None or not await can_broadcast(stack):
            raise
        found = await _announced(stack, settings)
        if not found:
            raise
        return await _known(stack, settings, found[0])


async def is_still_there(stack: Stack, settings: Settings, place: Place) -> bool:
    """Tell whether the same device still has the address; addresses are given to others.

    Raises:
        DeviceUnreachableError: nobody has it.

    """
    if place.instance is None:
        return True
    return await _Asking(stack, place.address, settings).answers_as(place.instance)


async def can_broadcast(stack: Stack) -> bool:
    """Tell whether Who-Is reaches anybody from here."""
    return (await stack.local()).datagrams.broadcasts or bool(stack.key.bbmd)


async def _by_instance(stack: Stack, settings: Settings) -> Place:
    found = await _announced(stack, settings)
    if not found:
        msg = f"nobody answered the Who-Is for device {settings.device_instance}"
        if stack.registration:
            msg += f": the BBMD {stack.key.bbmd} {stack.registration}"
        raise DeviceSilentError(msg, hint=FIND_HINT)
    return await _known(stack, settings, found[0])


async def _announced(stack: Stack, settings: Settings) -> Sequence[Announced]:
    number = settings.device_instance
    return await stack.who_is(settings.timeout_s, low=number, high=number)


async def _known(stack: Stack, settings: Settings, announced: Announced) -> Place:
    asking = _Asking(stack, announced.address, settings)
    return Place(
        announced.address,
        announced.instance,
        min(announced.max_apdu, settings.max_apdu),
        await asking.number(announced.instance, limits.SERVICES_SUPPORTED),
    )


async def _by_address(stack: Stack, settings: Settings, address: Address) -> Place:
    asking = _Asking(stack, address, settings)
    instance = await asking.instance(settings.device_instance)
    if instance is None:
        return Place(address, None, min(limits.SAFE_APDU, settings.max_apdu))
    longest = await asking.number(instance, limits.MAX_APDU_LENGTH)
    return Place(
        address,
        instance,
        min(longest or limits.SAFE_APDU, settings.max_apdu),
        await asking.number(instance, limits.SERVICES_SUPPORTED),
    )


class _Asking:
    """Reads the device object of one address."""

    def __init__(self, stack: Stack, address: Address, settings: Settings) -> None:
        self._stack = stack
        self._address = address
        self._terms = terms_of(settings)
        self._where = settings.at

    async def instance(self, wanted: int | None) -> int | None:
        """Give the device's instance; None where it does not tell.

        Raises:
            DeviceRefusedError: the device is not the one that is wanted.

        """
        asked = limits.ANY_INSTANCE if wanted is None else wanted
        try:
            tags = await self._read(asked, limits.OBJECT_IDENTIFIER)
        except AnsweredError as exc:
            found = await self._stack.who_is(WHO_IS_S, to=self._address)
            number = next((a.instance for a in found if a.address == self._address), None)
            if wanted is not None and exc.detail == "unknown-object":
                other = "another device" if number is None else f"device {number}"
                msg = f"{other} answers at the address of {self._where}"
                raise DeviceRefusedError(
                    msg, hint="Leave 'host' out to find the device, or correct 'device_instance'."
                ) from exc
            return number if wanted is None else wanted
        return object_of(tags[0].data)[1] if tags and tags[0].number == Kind.OBJECT else wanted

    async def answers_as(self, instance: int) -> bool:
        """Tell whether the device is this one."""
        try:
            await self._read(instance, limits.OBJECT_IDENTIFIER)
        except AnsweredError as exc:
            return exc.detail != "unknown-object"
        return True

    async def number(self, instance: int, prop: int) -> int | None:
        """Read a number, or bits as one, of the device object; None where it is not given."""
        try:
            tags = await self._read(instance, prop)
        except DeviceRefusedError:
            return None
        if len(tags) == 1 and tags[0].number == Kind.BITS:
            return _bits(tags)
        return number_of(tags)

    async def _read(self, instance: int, prop: int) -> list[Tag]:
        ref = Ref((limits.DEVICE, instance), prop)
        answer = await self._stack.ask(
            self._address, limits.READ_PROPERTY, ref_bytes(ref), self._terms, self._where
        )
        try:
            return one_answer(answer, ref)
        except (DamagedError, IndexError):
            return []


def _bits(tags: list[Tag]) -> int | None:
    try:
        value = value_of(tags)
    except DamagedError:
        return None
    return value if isinstance(value, int) else None
