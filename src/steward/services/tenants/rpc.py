"""The tenants service over gRPC: its description and its client."""

from uuid import UUID

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
from steward.services.tenants.api import (
    Amount,
    EdgePolicy,
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
from steward_proto.v1 import tenants_pb2

TENANTS = RpcService(
    "tenants",
    tenants_pb2.DESCRIPTOR.services_by_name["TenantService"],
    TenantsApi,
    {
        "CreateTenant": TenantsApi.create_tenant,
        "GetTenant": TenantsApi.get_tenant,
        "ListTenants": TenantsApi.list_tenants,
        "UpdateTenant": TenantsApi.update_tenant,
        "SuspendTenant": TenantsApi.suspend_tenant,
        "ResumeTenant": TenantsApi.resume_tenant,
        "DeleteTenant": TenantsApi.delete_tenant,
        "UpdateTenantQuota": TenantsApi.update_quota,
        "GetTenantUsage": TenantsApi.get_usage,
        "GetEdgePolicy": TenantsApi.get_edge_policy,
        "FindTenant": TenantsApi.find_tenant,
        "HoldQuota": TenantsApi.hold_quota,
        "ReleaseQuota": TenantsApi.release_quota,
    },
)


class TenantsClient(TenantsApi):
    """The tenants service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def create_tenant(self, ctx: Ctx, *, name: Name, slug: Slug, plan: Plan, owner_email: Email) -> TenantCreated:
        return await self._rpc.call(ctx, "CreateTenant", name=name, slug=slug, plan=plan, owner_email=owner_email)

    async def get_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        return await self._rpc.call(ctx, "GetTenant", tenant_id=tenant_id)

    async def list_tenants(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Tenant]:
        return await self._rpc.call(ctx, "ListTenants", limit=limit, cursor=cursor)

    async def update_tenant(self, ctx: Ctx, *, tenant_id: TenantId, change: TenantUpdate) -> Tenant:
        return await self._rpc.call(ctx, "UpdateTenant", tenant_id=tenant_id, change=change)

    async def suspend_tenant(self, ctx: Ctx, *, tenant_id: TenantId, reason: Reason) -> Tenant:
        return await self._rpc.call(ctx, "SuspendTenant", tenant_id=tenant_id, reason=reason)

    async def resume_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> Tenant:
        return await self._rpc.call(ctx, "ResumeTenant", tenant_id=tenant_id)

    async def delete_tenant(self, ctx: Ctx, *, tenant_id: TenantId) -> None:
        await self._rpc.call(ctx, "DeleteTenant", tenant_id=tenant_id)

    async def update_quota(self, ctx: Ctx, *, tenant_id: TenantId, quota: Quota, limit: Amount | None) -> QuotaUse:
        return await self._rpc.call(ctx, "UpdateTenantQuota", tenant_id=tenant_id, quota=quota, limit=limit)

    async def get_usage(self, ctx: Ctx, *, tenant_id: TenantId) -> TenantUsage:
        return await self._rpc.call(ctx, "GetTenantUsage", tenant_id=tenant_id)

    async def get_edge_policy(self, ctx: Ctx, *, tenant_id: TenantId) -> EdgePolicy:
        return await self._rpc.call(ctx, "GetEdgePolicy", tenant_id=tenant_id)

    async def find_tenant(self, ctx: Ctx, *, slug: Slug) -> TenantId:
        return await self._rpc.call(ctx, "FindTenant", slug=slug)

    async def hold_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID, amount: Amount = 1) -> None:
        await self._rpc.call(ctx, "HoldQuota", quota=quota, holder=holder, amount=amount)

    async def release_quota(self, ctx: Ctx, *, quota: Quota, holder: UUID) -> None:
        await self._rpc.call(ctx, "ReleaseQuota", quota=quota, holder=holder)
