"""The HTTP routes of the tenants service."""

from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, SkipValidation

from steward.kit.ids import TenantId
from steward.kit.paging import Page
from steward.kit.web import Caller, PageCursor, PageLimit, changes_tenant
from steward.services.tenants.api import (
    Amount,
    Email,
    Name,
    Plan,
    Quota,
    QuotaUse,
    Reason,
    Slug,
    Tenant,
    TenantCreated,
    TenantsApi,
    TenantUpdate,
    TenantUsage,
)

TenantsPort = NamedDependency[SkipValidation[TenantsApi]]

TAGS: Final = ("Tenants",)


class TenantCreateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new tenant and the address of its first user, who becomes its owner."""

    name: Name
    slug: Slug
    plan: Plan = Plan.FREE
    owner_email: Email


class TenantUpdateBody(TenantUpdate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; an absent field stays."""


class SuspendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class QuotaBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Amount | None
    """The limit from now on; null goes back to the plan's."""


@post("/api/v1/tenants", tags=TAGS)
async def create_tenant(ctx: Caller, tenants: TenantsPort, data: JSONBody[TenantCreateBody]) -> TenantCreated:
    """Create a tenant

    Makes its keys and quotas and invites its owner; the invitation is shown this once. Needs `platform:tenants`.
    """
    return await tenants.create_tenant(
        ctx, name=data.name, slug=data.slug, plan=data.plan, owner_email=data.owner_email
    )


@get("/api/v1/tenants", tags=TAGS)
async def list_tenants(
    ctx: Caller, tenants: TenantsPort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[Tenant]:
    """List all tenants, oldest first

    Needs `platform:tenants`.
    """
    return await tenants.list_tenants(ctx, limit=limit, cursor=cursor)


@get("/api/v1/tenants/{tenant_id:str}", tags=TAGS)
async def get_tenant(ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId]) -> Tenant:
    """Get a tenant

    One's own with `tenant:read`, any with `platform:tenants`.
    """
    return await tenants.get_tenant(ctx, tenant_id=tenant_id)


@patch("/api/v1/tenants/{tenant_id:str}", tags=TAGS, opt=changes_tenant("plan", "locale", "allowed_origins"))
async def update_tenant(
    ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId], data: JSONBody[TenantUpdateBody]
) -> Tenant:
    """Change a tenant's name, locale, allowed origins or plan

    Needs `tenant:update`, for the plan `platform:tenants`.
    """
    return await tenants.update_tenant(ctx, tenant_id=tenant_id, change=data)


@post("/api/v1/tenants/{tenant_id:str}/suspend", tags=TAGS, status_code=200, opt=changes_tenant())
async def suspend_tenant(
    ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId], data: JSONBody[SuspendBody]
) -> Tenant:
    """Suspend a tenant: refuse all of its calls until it is resumed

    Needs `platform:tenants`.
    """
    return await tenants.suspend_tenant(ctx, tenant_id=tenant_id, reason=data.reason)


@post("/api/v1/tenants/{tenant_id:str}/resume", tags=TAGS, status_code=200, opt=changes_tenant())
async def resume_tenant(ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId]) -> Tenant:
    """Resume a suspended tenant

    Needs `platform:tenants`.
    """
    return await tenants.resume_tenant(ctx, tenant_id=tenant_id)


@delete("/api/v1/tenants/{tenant_id:str}", tags=TAGS, opt=changes_tenant())
async def delete_tenant(ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId]) -> None:
    """Delete a tenant for good

    Its keys are destroyed, so that nothing sealed with them can ever be read again. Needs `platform:tenants`.
    """
    await tenants.delete_tenant(ctx, tenant_id=tenant_id)


@put("/api/v1/tenants/{tenant_id:str}/quotas/{quota:str}", tags=TAGS, opt=changes_tenant())
async def update_quota(
    ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId], quota: FromPath[Quota], data: JSONBody[QuotaBody]
) -> QuotaUse:
    """Override a quota, or go back to the plan's

    Needs `platform:tenants`.
    """
    return await tenants.update_quota(ctx, tenant_id=tenant_id, quota=quota, limit=data.limit)


@get("/api/v1/tenants/{tenant_id:str}/usage", tags=TAGS)
async def get_usage(ctx: Caller, tenants: TenantsPort, tenant_id: FromPath[TenantId]) -> TenantUsage:
    """Get the limits and the use of every quota

    Needs `tenant:read` on one's own tenant or `platform:tenants`.
    """
    return await tenants.get_usage(ctx, tenant_id=tenant_id)


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    create_tenant,
    list_tenants,
    get_tenant,
    update_tenant,
    suspend_tenant,
    resume_tenant,
    delete_tenant,
    update_quota,
    get_usage,
)
