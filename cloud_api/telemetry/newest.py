"""The newest sample of each point of an upload: for the table ``latest`` and for the live feed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cloud_api.telemetry.columns import Integers
from cloud_api.telemetry.gather import Gathered, last_good_of_points, last_of_points
from cloud_sync.wire.quality import Quality
from cloud_sync.wire.samples import Kind, Value

LivePoint = tuple[str, int, Value | None, str, str]
"""Point id, time in ms since 1970, value, quality and reason, as the live feed has them."""

QUALITY_NAMES = {quality.value: quality.name.lower() for quality in Quality}


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """One entry a point in every list. ``good_*`` is the newest good sample of this upload."""

    point_ids: list[int]
    times: list[int]
    """µs since 1970."""
    values: list[float | None]
    texts: list[str | None]
    qualities: list[int]
    reasons: list[str]
    good_times: list[int | None]
    good_values: list[float | None]
    good_texts: list[str | None]
    kinds: list[int]

    def columns(self) -> tuple[list[Any], ...]:
        """Give the columns of the table ``latest``, in its order."""
        return (
            self.point_ids,
            self.times,
            self.values,
            self.texts,
            self.qualities,
            self.reasons,
            self.good_times,
            self.good_values,
            self.good_texts,
        )

    def live(self) -> list[LivePoint]:
        """Give the points for the live feed."""
        return [
            (str(point), us // 1000, _shown(kind, value, text), QUALITY_NAMES[quality], reason)
            for point, us, kind, value, text, quality, reason in zip(
                self.point_ids,
                self.times,
                self.kinds,
                self.values,
                self.texts,
                self.qualities,
                self.reasons,
                strict=True,
            )
        ]


def newest_of(gathered: Gathered) -> Newest:
    """Find the newest and the newest good sample of each point."""
    last, good = last_of_points(gathered), last_good_of_points(gathered)
    return Newest(
        point_ids=gathered.ids,
        times=gathered.times[last].tolist(),
        values=_numbers(gathered, last),
        texts=_texts(gathered, last),
        qualities=gathered.qualities[last].tolist(),
        reasons=[gathered.verdicts[code][1] for code in gathered.verdict[last].tolist()],
        good_times=[
            None if index < 0 else time
            for index, time in zip(good.tolist(), gathered.times[good].tolist(), strict=True)
        ],
        good_values=_numbers(gathered, good),
        good_texts=_texts(gathered, good),
        kinds=gathered.kinds[last].tolist(),
    )


def _numbers(gathered: Gathered, indices: Integers) -> list[float | None]:
    values = gathered.values[indices]
    listed: list[float | None] = values.tolist()
    for i in np.flatnonzero(~np.isfinite(values) | (indices < 0)).tolist():
        listed[i] = None
    return listed


def _texts(gathered: Gathered, indices: Integers) -> list[str | None]:
    if gathered.texts is None:
        return [None] * indices.size
    texts = gathered.texts[indices].tolist()
    return [text if i >= 0 else None for text, i in zip(texts, indices.tolist(), strict=True)]


def _shown(kind: int, value: float | None, text: str | None) -> Value | None:
    match kind:
        case Kind.TEXT:
            return text
        case Kind.BOOLEAN:
            return None if value is None else bool(value)
        case Kind.INTEGER:
            return None if value is None else int(value)
        case _:
            return value
