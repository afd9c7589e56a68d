"""Settings of the outbox: the section ``gateway.outbox`` of ``gateway.yaml``."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud_sync.wire.version import MAX_BATCH_SAMPLES

MIN_SEGMENTS = 8


class OutboxSettings(BaseModel):
    """How often to commit, and how much to keep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit_interval_s: float = Field(default=0.5, gt=0, le=1.0)
    """Longest time from the first sample of a batch to its commit."""
    batch_samples: int = Field(default=1_000, ge=1, le=MAX_BATCH_SAMPLES)
    """A batch with so many samples is committed at once."""
    segment_bytes: int = Field(default=8 << 20, ge=64 << 10, le=256 << 20)
    """Size at which a new segment file is begun. Damage and eviction cost one segment."""
    max_bytes: int = Field(default=1 << 30, ge=1 << 20)
    """Most that the outbox may take on disk; then the oldest samples give way."""
    reserve_bytes: int = Field(default=4 << 20, ge=128 << 10, le=256 << 20)
    """Space kept back on the disk, for opening the outbox and for events when the disk is full."""
    max_pending_samples: int = Field(default=100_000, ge=1_000, le=1_000_000)
    """Samples kept in memory while the disk takes none."""

    @model_validator(mode="after")
    def _holds_a_few_segments(self) -> Self:
        if self.max_bytes < MIN_SEGMENTS * self.segment_bytes:
            msg = (
                f"max_bytes {self.max_bytes} must hold at least {MIN_SEGMENTS} segments of "
                f"segment_bytes {self.segment_bytes}"
            )
            raise ValueError(msg)
        return self
