"""The rules of the tenants service."""

from uuid import UUID

import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.errors import AppError
from steward.kit.ids import TenantId
from steward.kit.outbox import DomainEvent
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.tenants.access import Access
from steward.services.tenants.api import (
    Amount,
    EdgePolicy,
    Email,
    Name,
    Plan,
    Quota,
    QuotaUse,
    Slug,
    Tenant,
    TenantCreated,
    TenantState,
    TenantUpdate,
    TenantUsage,
)
from steward.services.tenants.errors import OwnTenant, TenantChanged, TenantNotFound, WrongTenantState
from steward.services.tenants.events import TenantResumed, TenantSuspended, TenantUpdated
from steward.services.tenants.provisioning import Provisioning
from steward.services.tenants.quotas import Quotas, limit_of
from steward.services.tenants.repository import TenantsRepository, TenantsSystemRepository


class TenantsService:
    """Implements `TenantsApi`."""

    def __init__(
        self, db: ServiceDb, authz: Authz, access: Access, quotas: Quotas, provisioning: Provisioning, clock: Clock
    ) -> None:
        self._db = db
        self._authz = authz
        self._access = access
        self._quotas = quotas
        self._provisioning = provisioning
        self._clock = clock
        self._rows = TenantsRepository()
        self._all_rows = TenantsSystemRepository()

    async def create_tenant(self, ctx: Ctx, *, name: Name, slug: Slug, plan: Plan, owner_email: Email) -> TenantCreated:
        return await self._provisioning.create(ctx, name=name, slug=slug, plan=plan, owner_email=owner_email)

    async def get_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        there = await self._access.of(ctx, tenant_id, "tenant:read")
        async with self._db.read(there) as tx:
            tenant = await self._rows.get(tx, tenant_id)
        if tenant is None:
            raise TenantNotFound(tenant_id)
        return tenant

    async def list_tenants(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Tenant]:
        await self._authz.require(ctx, "platform:tenants", "tenant")
        after = decode_cursor(cursor, UUID)
        async with self._db.system_read(SystemCtx(reason="list of tenants", service="tenants")) as tx:
            found = await self._all_rows.list_after(tx, after, limit + 1)
        more = len(found) > limit
        return Page(found[:limit], encode_cursor(found[limit - 1].id) if more else None)

    async def update_tenant(self, ctx: Ctx, *, tenant_id: TenantId, change: TenantUpdate) -> Tenant:
        there = await self._access.of(ctx, tenant_id, "tenant:update")
        if change.plan is not None:
            await self._authz.require(ctx, "platform:tenants", f"tenant/{tenant_id}")
        async with self._db.tx(there) as tx:
            changed = await self._rows.change(tx, tenant_id, change, self._clock.now())
            if changed is None:
                raise await self._why_unchanged(tx, tenant_id, change)
            before, after = changed
            tx.audit(Audit(action="tenant.updated", resource=f"tenant/{tenant_id}", before=before, after=after))
            tx.emit(_updated(before, after))
        return after

    async def suspend_tenant(self, ctx: Ctx, *, tenant_id: TenantId, reason: str) -> Tenant:
        await self._access.of(ctx, tenant_id, "platform:tenants")
        if ctx.tenant == tenant_id:
            raise OwnTenant
        event = TenantSuspended(reason=reason)
        return await self._move(ctx, tenant_id, TenantState.SUSPENDED, "tenant.suspended", event, reason)

    async def resume_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        await self._access.of(ctx, tenant_id, "platform:tenants")
        return await self._move(ctx, tenant_id, TenantState.ACTIVE, "tenant.resumed", TenantResumed())

    async def delete_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> None:
        await self._access.of(ctx, tenant_id, "platform:tenants")
        await self._provisioning.delete(ctx, tenant_id)

    async def update_quota(self, ctx: Ctx, *, tenant_id: TenantId, quota: Quota, limit: int | None) -> QuotaUse:
        return await self._quotas.update(ctx, tenant_id, quota, limit)

    async def get_usage(self, ctx: Ctx, *, tenant_id: TenantId) -> TenantUsage:
        return await self._quotas.usage(ctx, tenant_id)

    async def get_edge_policy(self, ctx: Ctx, *, tenant_id: TenantId) -> EdgePolicy:
        await self._authz.require(ctx, "service:edge")
        async with self._db.read(ctx.for_tenant(tenant_id)) as tx:
            tenant = await self._rows.get(tx, tenant_id)
            if tenant is None:
                raise TenantNotFound(tenant_id)
            overrides = await self._rows.overrides(tx, tenant_id)
        per_minute = Quota.REQUESTS_PER_MINUTE
        return EdgePolicy(
            state=tenant.state,
            locale=tenant.locale,
            requests_per_minute=limit_of(tenant.plan, overrides.get(per_minute), per_minute),
            allowed_origins=tenant.allowed_origins,
        )

    async def find_tenant(self, ctx: Ctx, *, slug: Slug) -> TenantId:
        await self._authz.require(ctx, "service:edge", "tenant")
        async with self._db.system_read(SystemCtx(reason="tenant by slug", service="tenants")) as tx:
            found = await self._all_rows.find(tx, slug)
        if found is None:
            raise TenantNotFound(slug)
        return found

    async def hold_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID, amount: Amount = 1) -> None:
        await self._quotas.hold(ctx, quota, holder, amount)

    async def release_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID) -> None:
        await self._quotas.release(ctx, quota, holder)

    async def _move(
        self, ctx: Ctx, tenant_id: TenantId, target: TenantState, action: str, event: DomainEvent, reason: str = ""
    ) -> Tenant:
        """Between active and suspended, in turn."""
        source = TenantState.ACTIVE if target is TenantState.SUSPENDED else TenantState.SUSPENDED
        async with self._db.tx(ctx.for_tenant(tenant_id)) as tx:
            before = await self._lock(tx, tenant_id)
            if before.state is not source:
                raise WrongTenantState(before.state, target.value)
            after = msgspec.structs.replace(before, state=target)
            return await self._save(tx, action, before, after, event, reason)

    async def _lock(self, tx: Tx, tenant_id: TenantId) -> Tenant:
        tenant = await self._rows.lock(tx, tenant_id)
        if tenant is None or tenant.state is TenantState.DELETED:
            raise TenantNotFound(tenant_id)
        return tenant

    async def _why_unchanged(self, tx: Tx, tenant_id: TenantId, change: TenantUpdate) -> AppError:
        there = await self._lock(tx, tenant_id)
        return TenantChanged(change.version or 0, there.version)

    async def _save(
        self, tx: Tx, action: str, before: Tenant, after: Tenant, event: DomainEvent, reason: str = ""
    ) -> Tenant:
        saved = msgspec.structs.replace(after, version=before.version + 1, updated_at=self._clock.now())
        await self._rows.update(tx, saved)
        tx.audit(Audit(action=action, resource=f"tenant/{saved.id}", before=before, after=saved, reason=reason))
        tx.emit(event)
        return saved


def _updated(before: Tenant, after: Tenant) -> TenantUpdated:
    fields = ("name", "plan", "locale", "allowed_origins")
    return TenantUpdated(
        name=after.name,
        plan=after.plan,
        locale=after.locale,
        allowed_origins=list(after.allowed_origins),
        version=before.version + 1,
        changed=[field for field in fields if getattr(before, field) != getattr(after, field)],
    )
