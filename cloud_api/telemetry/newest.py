"""The newest sample of each point of an upload: for the table ``latest`` and for the live feed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud_api.telemetry.columns import Floats, Integers, Verdict
from cloud_api.telemetry.gather import Gathered, last_good_of_points, last_of_points
from cloud_sync.wire.samples import Kind, Value

LivePoint = tuple[str, int, Value | None, str, str]
"""Point id, time in ms since 1970, value, quality and reason, as the live feed has them."""

NO_TIME = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """One entry a point in every array, in ascending order of the points."""

    point_ids: Integers
    times: Integers
    """µs since 1970."""
    values: Floats
    """NaN for none."""
    verdict: Integers
    good_times: Integers
    """Of the newest good sample of this upload; ``NO_TIME`` for none."""
    good_values: Floats
    kinds: NDArray[np.uint8]
    verdicts: list[Verdict]
    texts: list[str | None] | None
    good_texts: list[str | None] | None
    """None where no point is text."""

    @property
    def qualities(self) -> list[int]:
        """Quality of each verdict."""
        return [quality.value for quality, _ in self.verdicts]

    @property
    def reasons(self) -> list[str]:
        """Reason of each verdict."""
        return [reason for _, reason in self.verdicts]

    def live(self) -> list[LivePoint]:
        """Give the points for the live feed."""
        points = zip(
            self.point_ids.tolist(),
            (self.times // 1000).tolist(),
            self.kinds.tolist(),
            self.values.tolist(),
            self.texts or [None] * self.point_ids.size,
            (self.verdicts[code] for code in self.verdict.tolist()),
            strict=True,
        )
        return [
            (str(point), ms, _shown(kind, value, text), quality.name.lower(), reason)
            for point, ms, kind, value, text, (quality, reason) in points
        ]


_NO_INTEGERS, _NO_FLOATS = np.empty(0, np.int64), np.empty(0)
NOTHING = Newest(
    point_ids=_NO_INTEGERS,
    times=_NO_INTEGERS,
    values=_NO_FLOATS,
    verdict=_NO_INTEGERS,
    good_times=_NO_INTEGERS,
    good_values=_NO_FLOATS,
    kinds=np.empty(0, np.uint8),
    verdicts=[],
    texts=None,
    good_texts=None,
)
"""Of an upload without samples."""


def newest_of(gathered: Gathered) -> Newest:
    """Find the newest and the newest good sample of each point.

    In one order for all uploads, so that two of them never wait for each other in a circle.
    """
    ids = np.array(gathered.ids)
    order = np.argsort(ids)
    last, good = last_of_points(gathered)[order], last_good_of_points(gathered)[order]
    return Newest(
        point_ids=ids[order],
        times=gathered.times[last],
        values=gathered.values[last],
        verdict=gathered.verdict[last],
        good_times=np.where(good < 0, NO_TIME, gathered.times[good]),
        good_values=np.where(good < 0, np.nan, gathered.values[good]),
        kinds=gathered.kinds[last],
        verdicts=gathered.verdicts,
        texts=_texts(gathered, last),
        good_texts=_texts(gathered, good),
    )


def _texts(gathered: Gathered, indices: Integers) -> list[str | None] | None:
    if gathered.texts is None:
        return None
    texts = gathered.texts[indices].tolist()
    return [text if i >= 0 else None for text, i in zip(texts, indices.tolist(), strict=True)]


def _shown(kind: int, value: float, text: str | None) -> Value | None:
    """Give a value as JSON can carry it."""
    if kind == Kind.TEXT:
        return text
    if not math.isfinite(value):
        return None
    match kind:
        case Kind.BOOLEAN:
            return bool(value)
        case Kind.INTEGER:
            return int(value)
        case _:
            return value
