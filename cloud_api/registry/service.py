"""What gateways tell of themselves, applied: contacts, declarations, silent devices.

Called by ingest inside its transaction. Everything a gateway can make grow is bounded.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import available_timezones

from cloud_api.db.session import Db
from cloud_api.errors import (
    ConflictError,
    InvalidRequestError,
    MessageRefusedError,
    NotFoundError,
)
from cloud_api.registry import queries
from cloud_sync.wire.events import PointDeclared, PointsDeclared
from cloud_sync.wire.uplink import Backlog
from cloud_sync.wire.version import MAX_NAME_CHARS

MAX_DEVICES = 500
MAX_POINTS = 20_000
"""Of one gateway, declared or only seen."""
MAX_LABELS = 256
MAX_LABEL_CHARS = 100
MAX_TEXT_CHARS = 200
MAX_DEVICE_NAME_CHARS = 100
MAX_SITE_NAME_CHARS = 100
KINDS = frozenset({"float", "integer", "boolean", "text", "enumeration"})


async def touch(
    db: Db, tenant: UUID, gateway: UUID, backlog: Backlog, *, version: str, now: datetime
) -> None:
    """Note that a gateway is in contact, what still waits on it, and the outage this ends."""
    oldest = _time(backlog.oldest_us) if backlog.oldest_us is not None else None
    bounded = Backlog(_count(backlog.batches), _count(backlog.samples))
    await queries.touch_gateway(db, tenant, gateway, bounded, oldest, version=version[:64], now=now)


async def outages(
    db: Db, tenant: UUID, gateway: UUID, start: datetime, end: datetime, *, limit: int
) -> list[tuple[datetime, datetime]]:
    """List the newest past outages of a gateway's line that overlap [start, end), in no order."""
    return await queries.outages(db, tenant, gateway, start, end, limit=limit)


async def declare(
    db: Db, tenant: UUID, gateway: UUID, declared: PointsDeclared, now: datetime
) -> dict[str, UUID]:
    """Store the devices and points of a gateway as it declares them; give the devices' numbers.

    What was declared before and is not any more is marked; its history stays.

    Raises:
        MessageRefusedError: more than the limits, or a field that does not fit.

    """
    check_declaration(declared)
    devices = await queries.upsert_devices(db, tenant, gateway, declared.devices, now)
    points = [
        (devices[device.name], f"{device.name}/{point.name}", point)
        for device in declared.devices
        for point in device.points
    ]
    await queries.upsert_points(db, tenant, gateway, points, now)
    await queries.retire_undeclared(db, tenant, gateway, now)
    await _check_count(db, tenant, gateway)
    return devices


async def point_ids(db: Db, tenant: UUID, gateway: UUID, keys: Collection[str]) -> dict[str, int]:
    """Find the numbers of points by key ``device/point``; unknown ones are added as floats.

    Raises:
        MessageRefusedError: a key is none, or the gateway would have too many points.

    """
    known = await queries.point_ids(db, tenant, gateway, list(keys))
    unknown = {key: split_key(key) for key in keys if key not in known}
    if not unknown:
        return known
    added = await queries.add_seen_points(db, tenant, gateway, unknown)
    await _check_count(db, tenant, gateway)
    return known | added


async def device_silent(
    db: Db, tenant: UUID, gateway: UUID, device: str, *, since: datetime, reason: str
) -> UUID | None:
    """Note that a device stopped answering; give its number, None if it is unknown."""
    return await queries.set_silence(
        db, tenant, gateway, device, since=since, reason=reason[:MAX_TEXT_CHARS]
    )


async def device_back(db: Db, tenant: UUID, gateway: UUID, device: str) -> UUID | None:
    """Note that a device answers again; give its number, None if it is unknown."""
    return await queries.set_silence(db, tenant, gateway, device, since=None, reason=None)


def check_declaration(declared: PointsDeclared) -> None:
    """Hold a declaration to the limits.

    Raises:
        MessageRefusedError: it breaks one; the text says which.

    """
    names = [device.name for device in declared.devices]
    total = sum(len(device.points) for device in declared.devices)
    if len(names) > MAX_DEVICES or total > MAX_POINTS:
        raise MessageRefusedError(
            f"{len(names)} devices with {total} points are declared; a gateway may have"
            f" {MAX_DEVICES} and {MAX_POINTS}",
            hint="split the site over several gateways",
        )
    if len(set(names)) != len(names):
        raise MessageRefusedError("a device is declared twice")
    for device in declared.devices:
        texts = (device.address, device.description)
        short = (device.profile, device.vendor, device.model, device.name)
        _fits(device.name, bool(device.name) and "/" not in device.name)
        _fits(device.name, max(map(len, texts)) <= MAX_TEXT_CHARS)
        _fits(device.name, max(map(len, short)) <= MAX_DEVICE_NAME_CHARS)
        _fits(device.name, len(device.protocol) <= 32)  # noqa: PLR2004 - the column's check
        _fits(device.name, not any("\x00" in text for text in (*texts, *short, device.protocol)))
        _fits(device.name, len({point.name for point in device.points}) == len(device.points))
        for point in device.points:
            _check_point(device.name, point)


def _check_point(device: str, point: PointDeclared) -> None:
    key = f"{device}/{point.name}"
    _fits(key, bool(point.name) and len(key) <= MAX_NAME_CHARS)
    _fits(key, point.kind in KINDS)
    texts = (point.name, point.unit, point.description, *point.labels, *point.labels.values())
    _fits(key, not any("\x00" in text for text in texts))
    _fits(key, len(point.unit) <= 32 and len(point.description) <= MAX_TEXT_CHARS)  # noqa: PLR2004 - the columns' checks
    _fits(key, point.decimals is None or 0 <= point.decimals <= 6)  # noqa: PLR2004 - the column's check
    _fits(key, 0 < point.interval_s <= 86_400 and 0 < point.max_silence_s <= 86_400)  # noqa: PLR2004 - a day, as on the edge
    _fits(key, len(point.labels) <= MAX_LABELS)
    _fits(key, all(len(k) + len(text) <= MAX_LABEL_CHARS for k, text in point.labels.items()))


def _fits(name: str, fact: bool) -> None:
    if not fact:
        raise MessageRefusedError(f"the declaration of '{name[:MAX_NAME_CHARS]}' is not valid")


def split_key(key: str) -> tuple[str, str]:
    """Part a key into device and point.

    Raises:
        MessageRefusedError: it is not ``device/point``, or too long.

    """
    device, _, name = key.partition("/")
    fits = len(key) <= MAX_NAME_CHARS and len(device) <= MAX_DEVICE_NAME_CHARS
    if not device or not name or not fits or "\x00" in key:
        raise MessageRefusedError(f"'{key[:MAX_NAME_CHARS]}' is not a point's key: device/point")
    return device, name


async def _check_count(db: Db, tenant: UUID, gateway: UUID) -> None:
    devices, points = await queries.count_points(db, tenant, gateway)
    if devices > MAX_DEVICES or points > MAX_POINTS:
        raise MessageRefusedError(
            f"the gateway would have {devices} devices and {points} points; the limits are"
            f" {MAX_DEVICES} and {MAX_POINTS}"
        )


def _time(microseconds: int) -> datetime | None:
    """Give a time for a count of µs; None for what no calendar holds."""
    try:
        return datetime.fromtimestamp(microseconds / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _count(number: int) -> int:
    return max(0, min(number, (1 << 62)))


async def add_site(db: Db, tenant: UUID, name: str, time_zone: str) -> UUID:
    """Add a site.

    Raises:
        InvalidRequestError: the name or the time zone cannot be used.
        ConflictError: the tenant has a site of this name.

    """
    site = uuid4()
    plain = name.strip()
    if not 0 < len(plain) <= MAX_SITE_NAME_CHARS or not plain.isprintable():
        raise InvalidRequestError(f"a site's name has 1 to {MAX_SITE_NAME_CHARS} characters")
    if time_zone not in available_timezones():
        raise InvalidRequestError(
            f"there is no time zone '{time_zone[:64]}'", hint="such as Europe/Berlin, or UTC"
        )
    if not await queries.add_site(db, tenant, site, plain, time_zone):
        raise ConflictError(f"there is a site '{plain}' already")
    return site


async def find_site(db: Db, tenant: UUID, wanted: str) -> UUID:
    """Find a site by name or number.

    Raises:
        NotFoundError: the tenant has none, or several are meant.

    """
    found = await queries.site_ids(db, tenant, wanted)
    if len(found) != 1:
        raise NotFoundError(f"there is no site '{wanted}'", hint="tidegate cloud site add NAME")
    return found[0]
