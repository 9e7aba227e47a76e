"""The contract of the tenants service: tenants, their plans, quotas and use.

Every method may raise `Forbidden` (the caller lacks the permission named), and those that take a tenant's id raise
`TenantNotFound` for one that does not exist or that the caller may not see.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.kit.paging import Cursor, Limit, Page

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="A name to show.")]
Slug = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
        max_length=63,
        description="A unique short name for addresses: lower-case letters, digits and inner hyphens.",
    ),
]
Email = Annotated[
    str,
    Meta(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$", description="An e-mail address."),
]
Origin = Annotated[
    str,
    Meta(max_length=255, pattern=r"^https?://[^/\s]+$", description="A web origin, `https://host[:port]`."),
]
Amount = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Reason = Annotated[str, Meta(min_length=1, max_length=500, description="Why, for the audit trail.")]


class Plan(StrEnum):
    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class TenantState(StrEnum):
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class Quota(StrEnum):
    """What is limited per tenant. `users` and `agents` count things, the others what their unit says."""

    USERS = "users"
    AGENTS = "agents"
    API_KEYS = "api_keys"
    CONCURRENT_RUNS = "concurrent_runs"
    TOKENS_PER_MONTH = "tokens_per_month"
    STORAGE_BYTES = "storage_bytes"
    SANDBOXES = "sandboxes"
    REQUESTS_PER_MINUTE = "requests_per_minute"


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    id: TenantId
    slug: str
    name: str
    plan: Plan
    state: TenantState
    locale: str
    allowed_origins: Sequence[str]
    """Web origins whose pages may call the API (CORS)."""
    created_at: datetime
    updated_at: datetime
    version: int
    """Counts the changes; an update may name the version it was made from."""


class TenantUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; an absent field stays."""

    name: Name | None = None
    plan: Plan | None = None
    locale: Annotated[str, Meta(pattern=r"^(en|zh-Hant|zh-Hans)$")] | None = None
    allowed_origins: Annotated[Sequence[Origin], Meta(max_length=100)] | None = None
    version: int | None = None
    """The version this change was made from; another one in the database is a `TenantChanged` conflict."""


class TenantCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A new tenant and the invitation of its first user, the owner; the token is shown this once."""

    tenant: Tenant
    owner_id: UUID
    invitation_token: str


class QuotaUse(msgspec.Struct, frozen=True, kw_only=True):
    quota: Quota
    limit: int
    """How many are allowed; the plan's figure unless overridden."""
    used: int
    overridden: bool


class TenantUsage(msgspec.Struct, frozen=True, kw_only=True):
    tenant_id: TenantId
    plan: Plan
    quotas: Sequence[QuotaUse]


class EdgePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge needs to know of a tenant at each request."""

    state: TenantState
    locale: str
    requests_per_minute: int
    """Limit of one API key, from the quota of that name."""
    allowed_origins: Sequence[str]


class TenantsApi(Protocol):
    """Tenants, plans, quotas and use."""

    async def create_tenant(self, ctx: Ctx, *, name: Name, slug: Slug, plan: Plan, owner_email: Email) -> TenantCreated:
        """Create a tenant with its keys, quotas and an invited owner; needs `platform:tenants`.

        Several services take part: the call is durable after its first step and is finished or undone after a crash.
        Raises `SlugTaken`.
        """
        ...

    async def get_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        """One tenant: one's own with `tenant:read`, any with `platform:tenants`."""
        ...

    async def list_tenants(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Tenant]:
        """All tenants, oldest first; needs `platform:tenants`."""
        ...

    async def update_tenant(self, ctx: Ctx, *, tenant_id: TenantId, change: TenantUpdate) -> Tenant:
        """Change name, locale or origins (`tenant:update`) or the plan (`platform:tenants`). Raises `TenantChanged`."""
        ...

    async def suspend_tenant(self, ctx: Ctx, *, tenant_id: TenantId, reason: Reason) -> Tenant:
        """Refuse all of a tenant's calls until it is resumed; needs `platform:tenants`. Raises `WrongTenantState`."""
        ...

    async def resume_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        """Undo a suspension; needs `platform:tenants`. Raises `WrongTenantState`."""
        ...

    async def delete_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> None:
        """Delete a tenant for good: its keys are destroyed, so that no sealed value can ever be read again.

        Needs `platform:tenants`; raises `OwnTenant` for one's own and `WrongTenantState` while it is being created.
        """
        ...

    async def update_quota(self, ctx: Ctx, *, tenant_id: TenantId, quota: Quota, limit: Amount | None) -> QuotaUse:
        """Override a quota of the plan, or with None go back to the plan's; needs `platform:tenants`."""
        ...

    async def get_usage(self, ctx: Ctx, *, tenant_id: TenantId) -> TenantUsage:
        """Limits and use of every quota; needs `tenant:read` on one's own tenant or `platform:tenants`."""
        ...

    async def get_edge_policy(self, ctx: Ctx, *, tenant_id: TenantId) -> EdgePolicy:
        """What the edge enforces; for services only (`service:edge`)."""
        ...

    async def find_tenant(self, ctx: Ctx, *, slug: Slug) -> TenantId:
        """The id behind a slug; for services only (`service:edge`)."""
        ...

    async def hold_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID, amount: Amount = 1) -> None:
        """Take `amount` of a quota for `holder`, exactly once however often it is called; `service:quota`.

        Raises `QuotaExceeded` with the quota's name, limit and use when it does not fit; exact under concurrency.
        """
        ...

    async def release_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID) -> None:
        """Give back what `holder` has of a quota, if anything; `service:quota`."""
        ...
