"""A three-phase meter at the feeder: common (1) and meter (203), at the second of the bases."""

import random

from simulators.modbus.image import Image
from simulators.modbus.signals import Wander, day
from simulators.sunspec.book import Book
from simulators.sunspec.inverter import MORNING_S, NOON, SPEED

BASE = 50_000
HOUSE_W = 2_600.0
PHASES = ("A", "B", "C")
SHARES = (0.5, 0.2, 0.3)


class Meter:
    """Its tables from ``BASE`` on."""

    def __init__(self, seed: int = 2) -> None:
        rng = random.Random(seed)
        self.load = Wander(rng, 600.0, 30.0)
        self.volts = [Wander(rng, 1.1, 20.0) for _ in range(3)]
        self.hertz = Wander(rng, 0.012, 6.0)
        self.watts = HOUSE_W
        self.imported_wh = 18_204_400.0
        self.exported_wh = 6_910_200.0

    def advance(self, t: float, dt: float, of_day: float) -> None:
        """Let ``dt`` seconds pass; positive power flows in."""
        _ = of_day
        for wander in (self.load, self.hertz, *self.volts):
            wander.advance(dt)
        sun = 7_000.0 * max(0.0, 0.3 + 0.7 * day(MORNING_S + t * SPEED, NOON))
        self.watts = HOUSE_W + self.load.value - sun
        self.imported_wh += max(self.watts, 0.0) * dt / 3600
        self.exported_wh += max(-self.watts, 0.0) * dt / 3600

    def image(self) -> Image:
        """Give the tables as they are now."""
        image = Image()
        book = Book(image.holding, BASE)
        book.add(1, {
            "Mn": "Tidegate", "Md": "Simulated meter", "Vr": "2.1", "SN": "MTR-0020", "DA": 2,
        })  # fmt: skip
        book.add(203, self._measured())
        book.close()
        return image

    def _measured(self) -> dict[str, float]:
        volts = [230.5 + wander.value for wander in self.volts]
        watts = [self.watts * share for share in SHARES]
        amps = [w / v for w, v in zip(watts, volts, strict=True)]
        return {
            "A": sum(amps), "A_SF": -2, "PhV": sum(volts) / 3, "V_SF": -1, "W_SF": 0, "VA_SF": 0,
            "Hz": 50.0 + self.hertz.value, "Hz_SF": -2, "W": self.watts, "PF_SF": -1,
            "TotWhImp": self.imported_wh, "TotWhExp": self.exported_wh, "TotWh_SF": 1, "Evt": 0,
            **{f"Aph{p}": a for p, a in zip(PHASES, amps, strict=True)},
            **{f"PhVph{p}": v for p, v in zip(PHASES, volts, strict=True)},
            **{f"Wph{p}": w for p, w in zip(PHASES, watts, strict=True)},
        }  # fmt: skip

    def write(self, address: int, words: list[int]) -> None:
        """Take nothing: the meter is sealed."""
