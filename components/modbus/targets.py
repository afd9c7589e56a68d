"""Where a scan looks: addresses, networks and serial ports as people write them; pure."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import product
from typing import Any, NamedTuple

from pydantic import ValidationError

from components.modbus import limits
from components.modbus.line_settings import Framing, LineSettings, Parity
from edge_runtime.discovery import ScanTarget
from edge_runtime.errors import SettingsError

MAX_HOSTS = 1_024
"""Of one network; a scan is bounded."""
MAX_UNITS = 256
OPTIONS = {
    "units": "units=1-10,17",
    "baud": "baud=9600,19200",
    "parity": "parity=none,even",
    "stop_bits": "stop_bits=1",
    "framing": "framing=rtu",
}
DEFAULTS = {"baud": "19200,9600", "parity": "even,none", "stop_bits": "1", "framing": "tcp"}
SERIAL_UNITS = "1-10"
TCP_UNITS = "1"
Fields = Mapping[str, Any]


class Way(NamedTuple):
    """One way to reach devices: a host, or a port with its settings."""

    name: str
    fields: Fields
    """Of the line, as in gateway.yaml."""


class Spot(NamedTuple):
    """Ways of which at most one leads anywhere: the settings of one serial port, or one host."""

    ways: tuple[Way, ...]
    units: tuple[int, ...]


def spots_of(scan: ScanTarget) -> list[Spot]:
    """Read the targets and options of a scan; those of other protocols are left alone.

    Raises:
        SettingsError: one of them cannot be understood.

    """
    options = {**DEFAULTS, **scan.options}
    targets = [target for target in scan.targets if "://" not in target]  # others' addresses
    if not targets:
        msg = "a Modbus scan needs a target: 10.0.0.7, 10.0.0.7:502, 10.0.0.0/24 or /dev/ttyUSB0"
        raise SettingsError(msg)
    return [spot for target in targets for spot in _spots(target, options)]


def _spots(target: str, options: Mapping[str, str]) -> Iterator[Spot]:
    if target.startswith("/"):
        units = numbers(options.get("units", SERIAL_UNITS), 1, limits.MAX_SERIAL_UNIT)
        yield Spot(tuple(_serial_ways(target, options)), units)
        return
    units = numbers(options.get("units", TCP_UNITS), 0, limits.MAX_UNIT)
    for host, port in _hosts(target):
        fields = {"host": host, "port": port}
        if options["framing"] != Framing.TCP.value:
            fields["framing"] = options["framing"]
        yield Spot((Way(f"{host}:{port}", fields),), units)


def _serial_ways(port: str, options: Mapping[str, str]) -> Iterator[Way]:
    bauds = options["baud"].split(",")
    for parity, baud in product(options["parity"].split(","), bauds):
        serial = {
            "port": port,
            "baudrate": _number(baud, "baud"),
            "parity": parity.strip(),
            "stop_bits": _number(options["stop_bits"], "stop_bits"),
        }
        yield Way(f"{port} at {baud.strip()} baud, parity {parity.strip()}", {"serial": serial})


def _hosts(target: str) -> Iterator[tuple[str, int]]:
    host, colon, port = target.rpartition(":")
    if not colon or "]" in port or host.count(":"):
        host, port = target, str(limits.PORT)
    number = _number(port, "port")
    if "/" not in host:
        yield host, number
        return
    try:
        network = ip_network(host, strict=False)
    except ValueError as exc:
        msg = f"'{target}' is no network: {exc}"
        raise SettingsError(msg, hint="Write it as 10.0.0.0/24.") from exc
    if network.num_addresses > MAX_HOSTS:
        msg = f"'{target}' has {network.num_addresses} addresses; at most {MAX_HOSTS} are scanned"
        raise SettingsError(msg)
    yield from ((str(address), number) for address in network.hosts())


def _number(text: str, option: str) -> int:
    try:
        return int(text)
    except ValueError:
        msg = f"'{text}' is no number for {option}"
        raise SettingsError(msg, hint=f"Write {OPTIONS.get(option, 'host:port')}.") from None


def numbers(text: str, least: int, most: int) -> tuple[int, ...]:
    """Read ``1-10,17``.

    Raises:
        SettingsError: it is none.

    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = _number(first, "units"), _number(last or first, "units")
        if not least <= low <= high <= most:
            msg = f"units {part} are not within {least} to {most}"
            raise SettingsError(msg)
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))[:MAX_UNITS]


class Probed(LineSettings):
    """A line's settings, before any point is known."""

    points: tuple[Any, ...] = ()


def probed(way: Way, unit: int, timeout_s: float) -> Probed:
    """Make the settings of one unit.

    Raises:
        SettingsError: an option has a value that is not allowed.

    """
    try:
        return Probed(name="scan", unit=unit, timeout_s=timeout_s, **way.fields)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        msg = f"{way.name}: {place}: {first['msg']}"
        raise SettingsError(msg, hint=f"parity: {', '.join(Parity)}; framing: tcp, rtu") from exc
