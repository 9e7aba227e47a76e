"""Quotas: limits by plan and override, use counted exactly, holds counted once per holder."""

from collections.abc import Mapping
from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb, Tx
from steward.kit.ids import TenantId
from steward.services.tenants.access import Access
from steward.services.tenants.api import Plan, Quota, QuotaUse, Tenant, TenantState, TenantUsage
from steward.services.tenants.errors import QuotaExceeded, TenantNotFound
from steward.services.tenants.events import QuotaChanged
from steward.services.tenants.plans import PLANS
from steward.services.tenants.repository import TenantsRepository


def limit_of(plan: Plan, override: int | None, quota: Quota) -> int:
    """The limit of a quota: the override, or what the plan allows."""
    return PLANS[plan][quota] if override is None else override


class Quotas:
    """Reading, changing, taking and giving back quotas."""

    def __init__(self, db: ServiceDb, authz: Authz, access: Access, rows: TenantsRepository, clock: Clock) -> None:
        self._db = db
        self._authz = authz
        self._access = access
        self._rows = rows
        self._clock = clock

    async def update(self, ctx: Ctx, tenant_id: TenantId, quota: Quota, limit: int | None) -> QuotaUse:
        there = await self._access.of(ctx, tenant_id, "platform:tenants")
        async with self._db.tx(there) as tx:
            tenant = await self._rows.lock(tx, tenant_id)
            if tenant is None or tenant.state is TenantState.DELETED:
                raise TenantNotFound(tenant_id)
            before = await self._use(tx, tenant, quota)
            await self._rows.set_override(tx, tenant_id, quota, limit)
            after = await self._use(tx, tenant, quota)
            tx.audit(Audit(action="tenant.quota_changed", resource=f"tenant/{tenant_id}", before=before, after=after))
            tx.emit(QuotaChanged(quota=quota, limit=after.limit))
        return after

    async def usage(self, ctx: Ctx, tenant_id: TenantId) -> TenantUsage:
        there = await self._access.of(ctx, tenant_id, "tenant:read")
        async with self._db.read(there) as tx:
            tenant = await self._rows.get(tx, tenant_id)
            if tenant is None:
                raise TenantNotFound(tenant_id)
            overrides = await self._rows.overrides(tx, tenant_id)
            uses = await self._rows.uses(tx, tenant_id)
        quotas = [_quota_use(tenant.plan, quota, overrides, uses) for quota in Quota]
        return TenantUsage(tenant_id=tenant_id, plan=tenant.plan, quotas=quotas)

    async def hold(self, ctx: Ctx, quota: Quota, holder: UUID, amount: int) -> None:
        await self._authz.require(ctx, "service:quota")
        tenant_id = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            found = await self._rows.plan_and_override(tx, tenant_id, quota)
            if found is None:
                raise TenantNotFound(tenant_id)
            if not await self._rows.insert_hold(tx, tenant_id, quota, holder, amount, self._clock.now()):
                return
            limit = limit_of(*found, quota)
            if not await self._rows.add_use(tx, tenant_id, quota, amount, limit):
                used = (await self._rows.uses(tx, tenant_id)).get(quota, 0)
                raise QuotaExceeded(quota, limit, used, amount)

    async def release(self, ctx: Ctx, quota: Quota, holder: UUID) -> None:
        await self._authz.require(ctx, "service:quota")
        tenant_id = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            amount = await self._rows.delete_hold(tx, tenant_id, quota, holder)
            if amount:
                await self._rows.subtract_use(tx, tenant_id, quota, amount)

    async def _use(self, tx: Tx, tenant: Tenant, quota: Quota) -> QuotaUse:
        overrides = await self._rows.overrides(tx, tenant.id)
        return _quota_use(tenant.plan, quota, overrides, await self._rows.uses(tx, tenant.id))


def _quota_use(plan: Plan, quota: Quota, overrides: Mapping[Quota, int], uses: Mapping[Quota, int]) -> QuotaUse:
    return QuotaUse(
        quota=quota,
        limit=limit_of(plan, overrides.get(quota), quota),
        used=uses.get(quota, 0),
        overridden=quota in overrides,
    )
