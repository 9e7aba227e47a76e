"""How the operations of the tenants service are called."""

from collections.abc import Sequence

from steward.services.tenants.api import Plan, Quota, TenantsApi, TenantUpdate
from tests.authorization.recipes.recipe import HIDDEN, Across, Arguments, Kind, Prepare, Recipe, by, needs, of
from tests.authorization.stage import Stage

PLATFORM = needs("platform:tenants")


async def governed(stage: Stage) -> Arguments:
    return {"tenant_id": (await stage.governed()).id}


async def create_tenant(stage: Stage) -> Arguments:
    slug = f"n-{stage.unique()}"
    return {"name": "New", "slug": slug, "plan": Plan.FREE, "owner_email": f"owner@{slug}.example"}


def update_tenant(change: TenantUpdate) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await governed(stage), "change": change}

    return prepare


async def suspend_tenant(stage: Stage) -> Arguments:
    return {**await governed(stage), "reason": "probe"}


async def resume_tenant(stage: Stage) -> Arguments:
    tenant = await stage.governed()
    if tenant.id != stage.tenant.id:
        there = stage.house.installation
        await there.api(TenantsApi).suspend_tenant(there.operator(), tenant_id=tenant.id, reason="probe")
    return {"tenant_id": tenant.id}


async def update_quota(stage: Stage) -> Arguments:
    return {**await governed(stage), "quota": Quota.AGENTS, "limit": 7}


async def find_tenant(stage: Stage) -> Arguments:
    return {"slug": stage.tenant.slug}


async def hold_quota(stage: Stage) -> Arguments:
    return {"quota": Quota.AGENTS, "holder": stage.house.installation.foundation.ids.new(), "amount": 1}


async def release_quota(stage: Stage) -> Arguments:
    return {"quota": Quota.AGENTS, "holder": stage.house.installation.foundation.ids.new()}


TENANTS: Sequence[Recipe] = (
    by("platform:tenants", "create_tenant", create_tenant, across=Across.REFUSED),
    by("", "get_tenant", governed, needs=(needs("tenant:read"), PLATFORM), **HIDDEN),
    by("platform:tenants", "list_tenants", across=Across.REFUSED),
    by(
        "",
        "update_tenant",
        update_tenant(TenantUpdate(name="Renamed")),
        needs=(needs("tenant:update"), PLATFORM),
        **HIDDEN,
    ),
    by("platform:tenants", "update_tenant", update_tenant(TenantUpdate(plan=Plan.PRO)), "plan", **HIDDEN),
    by("platform:tenants", "suspend_tenant", suspend_tenant, **HIDDEN),
    by("platform:tenants", "resume_tenant", resume_tenant, **HIDDEN),
    by("platform:tenants", "delete_tenant", governed, **HIDDEN),
    by("platform:tenants", "update_quota", update_quota, **HIDDEN),
    by("", "get_usage", governed, needs=(needs("tenant:read"), PLATFORM), **HIDDEN),
    of("get_edge_policy", Kind.SERVICE, governed, across=Across.REFUSED),
    of("find_tenant", Kind.SERVICE, find_tenant, across=Across.REFUSED),
    of("hold_quota", Kind.SERVICE, hold_quota, across=Across.REFUSED),
    of("release_quota", Kind.SERVICE, release_quota, across=Across.REFUSED),
)
