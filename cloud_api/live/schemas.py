"""What the live feed says, apart from gateways, devices and alerts, which look as elsewhere."""

from datetime import datetime

from cloud_api.commands.schemas import Command
from cloud_api.registry.schemas import View


class Reference(View):
    """Something by id."""

    id: str


class CommandEvent(Command):
    """A command that took a step, with its gateway."""

    gateway: Reference


class Hello(View):
    """The first thing a feed says: the cloud's time, and the cursor from which it goes on."""

    now: datetime
    cursor: int
