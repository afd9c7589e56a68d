"""Point keys to point ids, remembered by gateway so that most uploads need not ask."""

from collections import OrderedDict

from cloud_api.access.caller import GatewayCaller
from cloud_api.db.session import Db
from cloud_api.errors import MessageRefusedError
from cloud_api.registry import service as registry
from cloud_api.telemetry.uploads import Opened, Plan

MAX_GATEWAYS = 2_000
MAX_POINTS = 2_000_000
"""Of all gateways together; the gateway that was quiet longest is forgotten first."""


class PointKeys:
    """What was found out in transactions that were committed."""

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self._max_points = max_points
        self._known: OrderedDict[GatewayCaller, dict[str, int]] = OrderedDict()
        self._points = 0

    async def resolve(self, db: Db, caller: GatewayCaller, made: Plan) -> dict[str, int]:
        """Find the ids of all points of an upload; a batch with an impossible key is refused."""
        known = self._known.get(caller, {})
        found: dict[str, int] = {}
        for opened in [item for item in made.new if item.columns is not None]:
            try:
                found |= await _ids_of(db, caller, opened, known | found)
            except MessageRefusedError:
                made.refuse(opened)
        return found

    def remember(self, caller: GatewayCaller, ids: dict[str, int]) -> None:
        """Keep ids once the transaction that may have made them is committed."""
        if not ids:
            return
        known = self._known.setdefault(caller, {})
        self._known.move_to_end(caller)
        before = len(known)
        known |= ids
        self._points += len(known) - before
        while len(self._known) > 1 and (
            self._points > self._max_points or len(self._known) > MAX_GATEWAYS
        ):
            _, forgotten = self._known.popitem(last=False)
            self._points -= len(forgotten)


async def _ids_of(
    db: Db, caller: GatewayCaller, opened: Opened, known: dict[str, int]
) -> dict[str, int]:
    keys = opened.columns.points if opened.columns is not None else []
    missing = {key for key in keys if key not in known}
    ids = {key: known[key] for key in keys if key in known}
    if missing:
        async with db.transaction():
            ids |= await registry.point_ids(db, caller.tenant, caller.gateway, missing)
    return ids
