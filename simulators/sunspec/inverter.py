"""A three-phase inverter with two strings of modules; its day lasts twenty minutes.

Its models: common (1), inverter (103), nameplate (120), settings (121), controls (123) and MPPT
(160). Like many it moves the scale factor of its power with the power itself, says that its heat
sink has no sensor, and obeys a limit that is written to the controls.
"""

import math
import random

from simulators.modbus.image import Image
from simulators.modbus.signals import Lag, Wander, clamp, day
from simulators.sunspec.book import Book, address_of

BASE = 40_000
RATED_W = 10_000.0
SPEED = 72.0
"""Days pass that many times as fast."""
MORNING_S = 9 * 3_600.0
"""Its time when it starts."""
NOON = 12.5
SLEEPING, STARTING, MPPT, THROTTLED = 2, 3, 4, 5
START_W = 40.0
FINE_W = 3_000.0
"""Below that power it is told in tenths of a watt."""
OVER_TEMP = 1 << 7
HOT_CEL = 68.0
EFFICIENCY = 0.97
WRITABLE = {"WMaxLimPct": -1, "WMaxLim_Ena": 0, "Conn": 0}
"""Fields of the controls that are obeyed, and their scale factors."""


class Inverter:
    """Its tables from ``BASE`` on."""

    def __init__(self, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.clouds = Wander(rng, 0.16, 45.0)
        self.volts = [Wander(rng, 1.1, 20.0) for _ in range(3)]
        self.hertz = Wander(rng, 0.012, 6.0)
        self.cabinet = Lag(28.0, 180.0)
        self.shares = (0.55, 0.45)
        self.string_wh = [4_210_300.0, 3_377_800.0]
        self.energy_wh = 7_588_100.0
        self.sun_w = 0.0
        self.limit_pct = 100.0
        self.limited = False
        self.connected = True
        self.starts: dict[int, int] = {}

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass."""
        _ = of_day
        for wander in (self.clouds, self.hertz, *self.volts):
            wander.advance(dt)
        height = 0.35 + 0.75 * day(MORNING_S + t * SPEED, NOON)
        self.sun_w = RATED_W * 1.12 * clamp(height * (0.9 + self.clouds.value), 0.0, 1.0)
        self.cabinet.advance(24.0 + 42.0 * self.watts / RATED_W, dt)
        hours = dt / 3600
        self.energy_wh += self.watts * hours
        for i, share in enumerate(self.shares):
            self.string_wh[i] += self.watts * share * hours / EFFICIENCY

    @property
    def watts(self) -> float:
        """Power to the grid."""
        most = RATED_W * (self.limit_pct / 100 if self.limited else 1.0)
        return clamp(self.sun_w, 0.0, most) if self.connected and self.sun_w >= START_W else 0.0

    @property
    def state(self) -> int:
        """Its operating state."""
        if not self.connected or self.sun_w < START_W:
            return SLEEPING
        if self.sun_w < 2 * START_W:
            return STARTING
        return THROTTLED if self.watts < self.sun_w else MPPT

    def image(self) -> Image:
        """Give the tables as they are now."""
        image = Image()
        book = Book(image.holding, BASE)
        book.add(1, {
            "Mn": "Tidegate", "Md": "Simulated inverter", "Opt": "3~", "Vr": "1.4.0",
            "SN": "INV-0010", "DA": 1,
        })  # fmt: skip
        book.add(103, self._measured())
        book.add(120, {
            "DERTyp": 4, "WRtg": RATED_W, "WRtg_SF": 1, "VARtg": RATED_W, "VARtg_SF": 1,
            "ARtg": 15.2, "ARtg_SF": -1,
        })  # fmt: skip
        book.add(121, {"WMax": RATED_W, "WMax_SF": 1, "VRef": 230.0, "VRef_SF": -1})
        book.add(123, {
            "Conn": float(self.connected), "WMaxLimPct": self.limit_pct, "WMaxLimPct_SF": -1,
            "WMaxLim_Ena": float(self.limited),
        })  # fmt: skip
        book.add(160, {
            "DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 1, "Evt": 0, "N": 2,
        }, [self._string(i) for i in range(2)])  # fmt: skip
        book.close()
        self.starts = book.starts
        return image

    def _measured(self) -> dict[str, float]:
        volts = [230.5 + wander.value for wander in self.volts]
        watts = self.watts
        amps = [watts / 3 / v for v in volts]
        hot = self.cabinet.value > HOT_CEL
        return {
            "A": sum(amps), "AphA": amps[0], "AphB": amps[1], "AphC": amps[2], "A_SF": -2,
            "PPVphAB": volts[0] * math.sqrt(3), "PPVphBC": volts[1] * math.sqrt(3),
            "PPVphCA": volts[2] * math.sqrt(3), "PhVphA": volts[0], "PhVphB": volts[1],
            "PhVphC": volts[2], "V_SF": -1, "W": watts, "W_SF": -1 if watts < FINE_W else 0,
            "Hz": 50.0 + self.hertz.value, "Hz_SF": -2, "VA": watts * 1.004, "VA_SF": 0,
            "VAr": watts * 0.09, "VAr_SF": 0, "PF": 99.6, "PF_SF": -1, "WH": self.energy_wh,
            "WH_SF": 2, "DCW": watts / EFFICIENCY, "DCW_SF": 0, "TmpCab": self.cabinet.value, "Tmp_SF": -1, "St": float(self.state),
            "Evt1": float(OVER_TEMP if hot else 0), "Evt2": 0,
        }  # fmt: skip

    def _string(self, i: int) -> dict[str, float | str]:
        watts = self.watts * self.shares[i] / EFFICIENCY
        volts = 560.0 + 45.0 * i - 30.0 * watts / RATED_W
        return {
            "ID": i + 1, "IDStr": f"String {i + 1}", "DCA": watts / volts, "DCV": volts,
            "DCW": watts, "DCWH": self.string_wh[i], "DCSt": float(self.state), "DCEvt": 0,
        }  # fmt: skip

    def write(self, address: int, words: list[int]) -> None:
        """Obey the controls, and take nothing else."""
        start = self.starts.get(123)
        places = {} if start is None else {start + address_of(123, f): f for f in WRITABLE}
        for place, word in enumerate(words, start=address):
            field = places.get(place)
            if field == "WMaxLimPct":
                self.limit_pct = clamp(word * 10.0 ** WRITABLE[field], 0.0, 100.0)
            elif field == "WMaxLim_Ena":
                self.limited = bool(word)
            elif field == "Conn":
                self.connected = bool(word)
