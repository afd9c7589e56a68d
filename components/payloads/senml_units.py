"""SenML's units (RFC 8428 12.1, RFC 8798) beside UCUM's codes, in which points are described; pure.

A unit is compared, never converted: a value in another unit than the point's must become a problem
that somebody sees, not another number.
"""

UCUM = {
    "m": "m", "kg": "kg", "g": "g", "s": "s", "A": "A", "K": "K", "cd": "cd", "mol": "mol",
    "Hz": "Hz", "rad": "rad", "sr": "sr", "N": "N", "Pa": "Pa", "J": "J", "W": "W", "C": "C",
    "V": "V", "F": "F", "Ohm": "Ohm", "S": "S", "Wb": "Wb", "T": "T", "H": "H", "Cel": "Cel",
    "lm": "lm", "lx": "lx", "Bq": "Bq", "Gy": "Gy", "Sv": "Sv", "kat": "kat", "m2": "m2",
    "m3": "m3", "l": "l", "m/s": "m/s", "m/s2": "m/s2", "m3/s": "m3/s", "l/s": "l/s",
    "W/m2": "W/m2", "cd/m2": "cd/m2", "bit": "bit", "bit/s": "bit/s", "lat": "deg", "lon": "deg",
    "pH": "[pH]", "dB": "dB", "dBW": "dB[W]", "Bspl": "B[SPL]", "count": "1", "/": "1", "%": "%",
    "%RH": "%", "%EL": "%", "EL": "s", "1/s": "/s", "1/min": "/min", "beat/min": "/min",
    "beats": "1", "S/m": "S/m", "B": "By", "VA": "V.A", "VAs": "V.A.s", "var": "var",
    "vars": "var.s", "J/m": "J/m", "kg/m3": "kg/m3", "deg": "deg", "NTU": "{NTU}",
    # Secondary units (RFC 8798)
    "ms": "ms", "min": "min", "h": "h", "MHz": "MHz", "kW": "kW", "kVA": "kV.A", "kvar": "kvar",
    "Ah": "A.h", "Wh": "W.h", "kWh": "kW.h", "varh": "var.h", "kvarh": "kvar.h", "kVAh": "kV.A.h",
    "Wh/km": "W.h/km", "KiB": "KiBy", "GB": "GBy", "Mbit/s": "Mbit/s", "B/s": "By/s",
    "MB/s": "MBy/s", "mV": "mV", "mA": "mA", "dBm": "dB[mW]", "ug/m3": "ug/m3", "mm/h": "mm/h",
    "m/h": "m/h", "ppm": "[ppm]", "/100": "%", "/1000": "[ppth]", "hPa": "hPa", "mm": "mm",
    "cm": "cm", "km": "km", "km/h": "km/h",
}  # fmt: skip
"""From SenML to UCUM."""
SAME = {"L": "l", "L/s": "l/s", "1/s": "/s", "1/min": "/min"}
"""Ways to write one UCUM unit that may meet; the right one stands for both."""


def units_agree(senml: str, ucum: str) -> bool:
    """Tell whether a record's unit is the point's; one that names none agrees with all.

    Some devices send UCUM codes where SenML has none of its own: those count as they stand.
    """
    if not senml or not ucum:
        return True
    return _plain(ucum) in {_plain(senml), _plain(UCUM.get(senml, senml))}


def _plain(unit: str) -> str:
    annotated = unit.partition("{")[0] if unit.endswith("}") else unit
    return SAME.get(unit, SAME.get(annotated, annotated or "1"))
