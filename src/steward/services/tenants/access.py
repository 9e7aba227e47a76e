"""Who may touch which tenant."""

from steward.kit.authz import Authz, allows
from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.services.tenants.errors import TenantNotFound


class Access:
    """Moves a context to the tenant it asks for, if it may see it."""

    def __init__(self, authz: Authz) -> None:
        self._authz = authz

    async def of(self, ctx: Ctx, tenant_id: TenantId, permission: str) -> Ctx:
        """One's own tenant with the permission, any tenant with `platform:tenants`; what one may not see is not found.

        Raises `TenantNotFound`, `PermissionDenied` and `LoginNeeded`.
        """
        if allows(ctx, "platform:tenants"):
            return ctx.for_tenant(tenant_id)
        if ctx.tenant is None or ctx.tenant == tenant_id:
            await self._authz.require(ctx, permission, f"tenant/{tenant_id}")
            return ctx
        await self._authz.refused(ctx, "platform:tenants", f"tenant/{tenant_id}")
        raise TenantNotFound(tenant_id)
