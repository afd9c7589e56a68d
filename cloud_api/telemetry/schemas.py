"""History as the API shows it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from cloud_api.telemetry.spans import SpanKind


class Span(BaseModel):
    """A stretch of a chart that needs a word."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: SpanKind
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    reason: str


class History(BaseModel):
    """The samples of a point folded into buckets; only buckets that hold a sample are listed.

    Columns of equal length. A bucket without a usable value has null min, max, mean and last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    bucket_s: float
    time: list[int]
    """Start of each bucket, ms since 1970."""
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]
    last: list[float | None]
    count: list[int]
    good: list[float]
    """Share of the samples that are good, 0 to 1."""
    spans: list[Span]
