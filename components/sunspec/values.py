"""SunSpec's types: from registers to values, what means "not implemented", and back; pure.

Source: SunSpec Device Information Model Specification V1.1, "Point Type Definition".
"""

import math
import struct
from ipaddress import IPv4Address, IPv6Address

from components.sunspec.definitions import Field
from edge_runtime.model import PointKind, Value

CODES = {
    "int16": "h", "uint16": "H", "count": "H", "acc16": "H", "enum16": "H", "bitfield16": "H",
    "sunssf": "h", "pad": "H", "int32": "i", "uint32": "I", "acc32": "I", "enum32": "I",
    "bitfield32": "I", "int64": "q", "uint64": "Q", "acc64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
FLOATS = frozenset({"float32", "float64"})
TEXTS = frozenset({"string", "ipaddr", "ipv6addr", "eui48"})
ACCUMULATORS = frozenset({"acc16", "acc32", "acc64"})
ENUMERATIONS = frozenset({"enum16", "enum32"})
BITFIELDS = frozenset({"bitfield16", "bitfield32"})
ONES = frozenset({"uint16", "count", "uint32", "uint64"}) | ENUMERATIONS | BITFIELDS
"""Types that say "not implemented" by all bits set."""
SIGNED = frozenset({"int16", "int32", "int64", "sunssf"})
"""Types that say it by the least number they can hold."""
MAX_SCALE = 10
"""Scale factors go from -10 to 10."""
NO_EUI = b"\xff" * 6
NEARLY = 1e-6
"""Of a step: what a value may lie beside a whole number of steps and still be meant."""

UCUM = {
    "A": "A", "V": "V", "W": "W", "VA": "V.A", "var": "var", "Var": "var", "Hz": "Hz",
    "Wh": "W.h", "WH": "W.h", "kWh": "kW.h", "VAh": "V.A.h", "varh": "var.h", "Varh": "var.h",
    "Ah": "A.h", "AH": "A.h", "kAH": "kA.h", "C": "Cel", "Pct": "%", "Secs": "s", "Sec": "s",
    "S": "s", "mSecs": "ms", "Tms": "s", "Degrees": "deg", "deg": "deg", "HPa": "hPa",
    "ohms": "Ohm", "kO": "kOhm", "W/m2": "W/m2", "W/m^2": "W/m2", "W/s": "W/s", "A/s": "A/s",
    "V/s": "V/s", "Hz/s": "Hz/s", "m/s": "m/s", "mps": "m/s", "mm": "mm", "meters": "m",
    "bps": "bit/s", "Mbps": "Mbit/s",
}  # fmt: skip
"""From the models' units to UCUM; the others are words, and none is better than a wrong one."""


def kind_of(field: Field) -> PointKind:
    """Give the kind of a point that shows this field."""
    if field.type in TEXTS:
        return PointKind.TEXT
    if field.type in ENUMERATIONS and field.symbols:
        return PointKind.ENUMERATION
    scaled = isinstance(field.scale, str) or (isinstance(field.scale, int) and field.scale < 0)
    return PointKind.FLOAT if field.type in FLOATS or scaled else PointKind.INTEGER


def unit_of(field: Field) -> str:
    """Give its unit in UCUM; percentages of something are percentages."""
    return "%" if field.units.startswith("%") else UCUM.get(field.units, "")


def decode(field: Field, data: bytes) -> Value | None:
    """Read a field, unscaled; None for "not implemented"."""
    if field.type in TEXTS:
        return _text(field.type, data)
    [number] = struct.unpack(f">{CODES[field.type]}", data)
    if field.type in FLOATS:
        return float(number) if math.isfinite(number) else None
    bits = 8 * len(data)
    absent = (
        (field.type in ONES and number == (1 << bits) - 1)
        or (field.type in SIGNED and number == -(1 << (bits - 1)))
        or (field.type in ACCUMULATORS and number == 0)
    )
    return None if absent else int(number)


def _text(kind: str, data: bytes) -> str | None:
    if kind == "ipaddr":
        return str(IPv4Address(data)) if any(data) else None
    if kind == "ipv6addr":
        return str(IPv6Address(data)) if any(data) else None
    if kind == "eui48":
        address = data[-len(NO_EUI) :]
        return None if address == NO_EUI or not any(address) else address.hex(":").upper()
    text = data.partition(b"\0")[0].decode("utf-8", errors="replace").strip()
    return text if any(data) else None


def scaled(value: Value, exponent: int) -> Value:
    """Apply a scale factor; division by a power of ten gives the nearest float there is."""
    if isinstance(value, bool | str) or exponent == 0:
        return value
    return value * _power(exponent) if exponent > 0 else value / _power(-exponent)


def _power(exponent: int) -> int:
    return int(10**exponent)


def encode(field: Field, value: Value, exponent: int) -> bytes:
    """Turn a scaled value into the bytes to write.

    Raises:
        ValueError: it does not fit the field, or lies between two of its steps.

    """
    if field.type in TEXTS:
        return _encode_text(field, value)
    if isinstance(value, str):
        msg = f"{value!r} is no number"
        raise ValueError(msg)  # noqa: TRY004 - a wrong value like the others
    number = value / _power(exponent) if exponent > 0 else value * _power(-exponent)
    code = CODES[field.type]
    if field.type in FLOATS:
        return struct.pack(f">{code}", number)
    whole = round(number)
    if not math.isclose(number, whole, rel_tol=0, abs_tol=NEARLY * max(1.0, abs(number))):
        msg = f"{value!r} lies between two steps of {10.0**exponent:g}"
        raise ValueError(msg)
    try:
        data = struct.pack(f">{code}", whole)
    except struct.error as exc:
        msg = f"{value!r} does not fit a {field.type} that counts in {10.0**exponent:g}"
        raise ValueError(msg) from exc
    if decode(field, data) is None and field.type not in ACCUMULATORS:
        msg = f"{value!r} would say 'not implemented'"
        raise ValueError(msg)
    return data


def _encode_text(field: Field, value: Value) -> bytes:
    size = 2 * field.size
    data = str(value).encode("utf-8")
    if field.type != "string" or len(data) > size:
        msg = f"{value!r} does not fit a {field.type} of {size} bytes"
        raise ValueError(msg)
    return data.ljust(size, b"\0")
