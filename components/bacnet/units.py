"""BACnetEngineeringUnits (21) as UCUM codes. Pure.

A unit that UCUM cannot say (currencies, tons of refrigeration per hour) is left out rather than
made up. ``percent`` is what many controllers give to an object that nobody configured: see
:func:`is_default`.
"""

PERCENT = 98
NO_UNITS = 95

UCUM: dict[int, str] = {
    0: "m2", 1: "[sft_i]", 115: "[sin_i]", 116: "cm2",
    2: "mA", 3: "A", 4: "Ohm", 5: "V", 6: "kV", 7: "MV", 8: "V.A", 9: "kV.A", 10: "MV.A",
    11: "V.A{reactive}", 12: "kV.A{reactive}", 13: "MV.A{reactive}", 14: "deg", 15: "1{power_factor}",
    122: "kOhm", 123: "MOhm", 124: "mV", 145: "mOhm", 190: "uS", 202: "mS", 173: "S", 174: "S/m",
    167: "A/m", 168: "A/m2", 169: "A.m2", 170: "F", 171: "H", 172: "Ohm.m", 175: "T", 176: "V/K",
    177: "V/m", 178: "Wb", 238: "A.s", 245: "V2.h", 246: "A2.h",
    16: "J", 17: "kJ", 126: "MJ", 125: "kJ/kg", 18: "W.h", 19: "kW.h", 146: "MW.h",
    20: "[Btu_IT]", 147: "k[Btu_IT]", 148: "M[Btu_IT]", 203: "V.A.h{reactive}",
    204: "kV.A.h{reactive}", 205: "MV.A.h{reactive}", 239: "V.A.h", 240: "kV.A.h", 241: "MV.A.h",
    242: "V.A.h{reactive}", 243: "kV.A.h{reactive}", 244: "MV.A.h{reactive}",
    23: "J/kg{dry_air}", 149: "kJ/kg{dry_air}", 150: "MJ/kg{dry_air}", 24: "[Btu_IT]/[lb_av]{dry_air}",
    117: "[Btu_IT]/[lb_av]", 127: "J/K", 151: "kJ/K", 152: "MJ/K", 128: "J/(kg.K)", 183: "J.s",
    137: "kW.h/m2", 138: "kW.h/[sft_i]", 139: "MJ/m2", 140: "MJ/[sft_i]", 247: "J/h", 250: "W.h/m3",
    251: "J/m3", 25: "/h", 26: "/min", 27: "Hz", 129: "kHz", 130: "MHz", 131: "/h",
    28: "g/kg", 29: "%", 30: "mm", 31: "m", 32: "[in_i]", 33: "[ft_i]", 118: "cm", 193: "km", 194: "um",
    34: "W/[sft_i]", 35: "W/m2", 36: "lm", 37: "lx", 38: "lm/[sft_i]", 179: "cd", 180: "cd/m2",
    39: "kg", 40: "[lb_av]", 41: "t", 195: "g", 196: "mg", 42: "kg/s", 43: "kg/min", 44: "kg/h",
    45: "[lb_av]/min", 46: "[lb_av]/h", 119: "[lb_av]/s", 154: "g/s", 155: "g/min", 156: "t/h",
    47: "W", 48: "kW", 49: "MW", 132: "mW", 50: "[Btu_IT]/h", 157: "k[Btu_IT]/h", 51: "[HP]",
    141: "W/(m2.K)", 189: "W/(m.K)",
    53: "Pa", 54: "kPa", 133: "hPa", 55: "bar", 134: "mbar", 56: "[psi]", 57: "cm[H2O]", 58: "[in_i'H2O]",
    206: "mm[H2O]", 59: "mm[Hg]", 60: "cm[Hg]", 61: "[in_i'Hg]", 253: "Pa.s",
    62: "Cel", 63: "K", 64: "[degF]", 65: "Cel.d", 66: "[degF].d", 91: "Cel/h", 92: "Cel/min",
    93: "[degF]/h", 94: "[degF]/min", 181: "K/h", 182: "K/min", 120: "[degF]", 121: "K",
    67: "a", 68: "mo", 69: "wk", 70: "d", 71: "h", 72: "min", 73: "s", 158: "cs", 159: "ms",
    74: "m/s", 75: "km/h", 76: "[ft_i]/s", 77: "[ft_i]/min", 78: "[mi_i]/h", 161: "mm/s", 162: "mm/min",
    163: "m/min", 164: "m/h", 166: "m/s2",
    79: "[cft_i]", 80: "m3", 81: "[gal_br]", 82: "L", 83: "[gal_us]", 197: "mL",
    84: "[cft_i]/min", 142: "[cft_i]/s", 191: "[cft_i]/h", 248: "[cft_i]/d", 85: "m3/s", 165: "m3/min",
    135: "m3/h", 249: "m3/d", 86: "[gal_br]/min", 87: "L/s", 88: "L/min", 136: "L/h", 89: "[gal_us]/min",
    192: "[gal_us]/h", 198: "mL/s",
    90: "deg", 103: "rad", 184: "rad/s", 104: "/min{revolutions}",
    96: "[ppm]", 97: "[ppb]", PERCENT: "%", 99: "%/s", 100: "/min", 101: "/s", 102: "[psi]/[degF]",
    143: "%/[ft_i]", 144: "%/m", 207: "[ppth]", 208: "g/g", 209: "kg/kg", 210: "g/kg", 211: "mg/g",
    212: "mg/kg", 213: "g/mL", 214: "g/L", 215: "mg/L", 216: "ug/L", 217: "g/m3", 218: "mg/m3",
    219: "ug/m3", 220: "ng/m3", 221: "g/cm3", 186: "kg/m3", 235: "g/m2",
    153: "N", 160: "N.m", 185: "m2/N", 187: "N.s", 188: "N/m",
    199: "dB", 200: "dB{mV}", 201: "dB{V}", 232: "dB{A}",
    222: "Bq", 223: "kBq", 224: "MBq", 225: "Gy", 226: "mGy", 227: "uGy", 228: "Sv", 229: "mSv",
    230: "uSv", 231: "uSv/h", 233: "{NTU}", 234: "[pH]", 236: "min/K", 237: "Ohm.m2/m",
}  # fmt: skip


def ucum_of(number: int) -> str:
    """Give the UCUM code; empty for none, for a vendor's own, and for what UCUM cannot say."""
    return UCUM.get(number, "")


def is_default(number: int) -> bool:
    """Tell whether the unit may be what the object was delivered with, and no knowledge."""
    return number == PERCENT
