"""Engineering units of OPC UA (UNECE Recommendation 20) as UCUM codes; pure.

``EUInformation.unitId`` is the unit's common code read as a number, one byte a character (Part 8,
5.6.3.3). Units that are not here keep the server's display name as a description.
"""

UNECE = "http://www.opcfoundation.org/UA/units/un/cefact"
UCUM = {
    "C62": "1", "P1": "%", "59": "[ppm]", "CEL": "Cel", "FAH": "[degF]", "KEL": "K",
    "MTR": "m", "CMT": "cm", "MMT": "mm", "4H": "um", "KMT": "km", "INH": "[in_i]", "FOT": "[ft_i]",
    "MTK": "m2", "MTQ": "m3", "LTR": "l", "MLT": "ml", "HLT": "hl",
    "MTS": "m/s", "KMH": "km/h", "2M": "cm/s", "C16": "mm/s", "MSK": "m/s2",
    "MQH": "m3/h", "MQS": "m3/s", "L2": "l/min", "G51": "l/s", "E32": "l/h",
    "GRM": "g", "KGM": "kg", "TNE": "t", "MGM": "mg", "KGS": "kg/s", "E93": "kg/h", "KMQ": "kg/m3",
    "SEC": "s", "C26": "ms", "MIN": "min", "HUR": "h", "DAY": "d", "ANN": "a",
    "HTZ": "Hz", "KHZ": "kHz", "MHZ": "MHz", "RPM": "/min", "RPS": "/s",
    "AMP": "A", "4K": "mA", "VLT": "V", "2Z": "mV", "KVT": "kV", "OHM": "Ohm",
    "WTT": "W", "KWT": "kW", "MAW": "MW", "D46": "V.A", "KVA": "kV.A", "D44": "var", "KVR": "kvar",
    "WHR": "W.h", "KWH": "kW.h", "MWH": "MW.h", "KVH": "kvar.h", "JOU": "J", "KJO": "kJ",
    "PAL": "Pa", "KPA": "kPa", "A97": "hPa", "MPA": "MPa", "BAR": "bar", "MBR": "mbar",
    "PS": "[psi]", "NEW": "N", "B47": "kN", "NU": "N.m", "D53": "W/m2", "LUX": "lx",
    "DD": "deg", "C81": "rad", "2A": "rad/s", "2N": "dB", "D10": "S/m", "GL": "g/l", "Q30": "[pH]",
    "AD": "By", "2P": "kBy", "4L": "MBy",
}  # fmt: skip
"""From the common code to UCUM."""
MAX_CODE = 4


def common_code(unit_id: int) -> str:
    """Read a unit's number as letters; empty where it is none."""
    if not 0 < unit_id < 1 << 8 * MAX_CODE:
        return ""
    raw = unit_id.to_bytes(MAX_CODE, "big").lstrip(b"\0")
    text = raw.decode("ascii", "replace")
    return text if text.isalnum() else ""


def to_ucum(namespace: str, unit_id: int) -> str:
    """Give the UCUM code of a unit; empty where it is not known."""
    return UCUM.get(common_code(unit_id), "") if namespace == UNECE else ""
