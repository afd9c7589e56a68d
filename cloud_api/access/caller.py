"""Who a request comes from, once its credential is checked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person may do; each may also do what the ones before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: "Role") -> bool:
        """Tell whether this role may do what ``needed`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Caller:
    """A person who is signed in."""

    person: UUID
    tenant: UUID
    role: Role
    email: str
    name: str
    tenant_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayCaller:
    """A gateway that shows a valid access token and is not suspended."""

    tenant: UUID
    gateway: UUID
