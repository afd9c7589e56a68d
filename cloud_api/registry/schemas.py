"""References, and claims for new gateways."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class View(BaseModel):
    """Something that is shown."""

    model_config = ConfigDict(frozen=True)


class Named(View):
    """A reference to something by number and name."""

    id: str
    name: str


class ClaimRequest(BaseModel):
    """How long a claim shall be good."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    valid_hours: int = Field(default=24, ge=1, le=24 * 30)


class ClaimReply(View):
    """A claim for one gateway. Its text is shown this once."""

    claim: str = Field(repr=False)
    url: str
    """Goes into ``gateway.cloud.url``."""
    expires_at: datetime
    site: Named
