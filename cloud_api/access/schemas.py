"""What people and gateways send to sign in, and what they get."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud_api.access.caller import Caller, Role
from cloud_api.access.opaque import MAX_TOKEN_CHARS
from cloud_api.access.passwords import MAX_PASSWORD_CHARS
from cloud_sync.wire.identity import ASSERTION_TYPE


class SignIn(BaseModel):
    """A one-time token, or e-mail and password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: str | None = Field(default=None, min_length=1, max_length=MAX_TOKEN_CHARS, repr=False)
    email: str | None = Field(default=None, max_length=254)
    password: str | None = Field(
        default=None, min_length=1, max_length=MAX_PASSWORD_CHARS, repr=False
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_password = self.email is not None and self.password is not None
        if (self.token is not None) == by_password:
            msg = "send either 'token', or 'email' and 'password'"
            raise ValueError(msg)
        return self


class TokenRequest(BaseModel):
    """The form of RFC 7523, 2.2."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    grant_type: str = Field(pattern=r"^client_credentials$")
    client_assertion_type: str = Field(pattern=f"^{ASSERTION_TYPE}$")
    client_assertion: str = Field(min_length=1, max_length=4096, repr=False)


class PersonView(BaseModel):
    """A person."""

    id: UUID
    email: str
    name: str


class TenantView(BaseModel):
    """A tenant."""

    id: UUID
    name: str


class SessionView(BaseModel):
    """Who is signed in, where, and until when."""

    person: PersonView
    tenant: TenantView
    role: Role
    expires_at: datetime

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """Show a caller."""
        return cls(
            person=PersonView(id=caller.person, email=caller.email, name=caller.name),
            tenant=TenantView(id=caller.tenant, name=caller.tenant_name),
            role=caller.role,
            expires_at=caller.expires_at,
        )
