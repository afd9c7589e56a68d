"""Commands as the API takes and shows them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from cloud_api.commands.states import State
from cloud_api.registry.schemas import View


class CommandRequest(BaseModel):
    """What a gateway is told to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["refresh"]


class Command(View):
    """A command and how far it has come."""

    id: str
    name: str
    state: State
    reason: str
    issued_by: str
    issued_at: datetime
    not_after: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    ended_at: datetime | None


class Commands(View):
    """The newest commands of a gateway, newest first."""

    commands: list[Command]
