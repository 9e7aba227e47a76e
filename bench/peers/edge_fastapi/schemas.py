"""What goes in and out, as pydantic checks it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

Plan = Literal["free", "pro", "enterprise"]
State = Literal["provisioning", "active", "suspended", "deleted"]
Locale = Literal["en", "zh-Hant", "zh-Hans"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Origin = Annotated[str, StringConstraints(max_length=255, pattern=r"^https?://[^/\s]+$")]


class TenantOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    plan: Plan
    state: State
    locale: str
    allowed_origins: list[str]
    created_at: datetime
    updated_at: datetime
    version: int


class TenantUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    plan: Plan | None = None
    locale: Locale | None = None
    allowed_origins: list[Origin] | None = None
    version: int | None = None


class Actor(BaseModel):
    type: str
    id: str


class TenantUpdated(BaseModel):
    name: str
    plan: Plan
    locale: str
    allowed_origins: list[str]
    version: int


class Event(BaseModel):
    id: UUID
    tenant: UUID
    type: str
    at: datetime
    request_id: str
    actor: Actor
    payload: TenantUpdated


class Audit(BaseModel):
    id: UUID
    tenant: UUID
    service: str
    at: datetime
    actor: Actor
    request_id: str
    address: str
    action: str
    resource: str
    outcome: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
