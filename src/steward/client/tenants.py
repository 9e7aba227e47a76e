"""The client's part for tenants, their plans, quotas and use."""

from uuid import UUID

from steward.client.identity import given
from steward.client.transport import Transport, segment
from steward.kit.paging import Page
from steward.services.tenants.api import Plan, Quota, QuotaUse, Tenant, TenantCreated, TenantUpdate, TenantUsage

_TENANTS = "/api/v1/tenants"


class TenantsResource:
    """Tenants."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[Tenant]:
        return await self._transport.get(_TENANTS, Page[Tenant], {"limit": limit, "cursor": cursor})

    async def create(self, *, name: str, slug: str, plan: Plan, owner_email: str) -> TenantCreated:
        body = {"name": name, "slug": slug, "plan": plan, "owner_email": owner_email}
        return await self._transport.call("POST", _TENANTS, TenantCreated, body, creates=True)

    async def get(self, tenant_id: UUID) -> Tenant:
        return await self._transport.get(_path(tenant_id), Tenant)

    async def update(self, tenant_id: UUID, change: TenantUpdate) -> Tenant:
        return await self._transport.call("PATCH", _path(tenant_id), Tenant, given(change))

    async def suspend(self, tenant_id: UUID, *, reason: str) -> Tenant:
        return await self._transport.call("POST", f"{_path(tenant_id)}/suspend", Tenant, {"reason": reason})

    async def resume(self, tenant_id: UUID) -> Tenant:
        return await self._transport.call("POST", f"{_path(tenant_id)}/resume", Tenant)

    async def delete(self, tenant_id: UUID) -> None:
        await self._transport.send("DELETE", _path(tenant_id))

    async def set_quota(self, tenant_id: UUID, quota: Quota, limit: int | None) -> QuotaUse:
        """Override a quota of the plan, or with None go back to the plan's."""
        path = f"{_path(tenant_id)}/quotas/{segment(quota)}"
        return await self._transport.call("PUT", path, QuotaUse, {"limit": limit})

    async def usage(self, tenant_id: UUID) -> TenantUsage:
        return await self._transport.get(f"{_path(tenant_id)}/usage", TenantUsage)


def _path(tenant_id: UUID) -> str:
    return f"{_TENANTS}/{segment(tenant_id)}"
