"""Who may see and change what is registered."""

from typing import Final

from steward.kit.authz import Authz
from steward.kit.context import Ctx
from steward.kit.ids import PLATFORM

READ: Final = "model:read"
CONFIGURE: Final = "model:configure"
OPERATE: Final = "platform:tenants"


class Access:
    """Requires the permission, and moves the context to whom the change is for."""

    def __init__(self, authz: Authz) -> None:
        self._authz = authz

    async def to_read(self, ctx: Ctx, resource: str) -> None:
        await self._authz.require(ctx, READ, resource)

    async def to_change(self, ctx: Ctx, resource: str, *, installation: bool) -> Ctx:
        """The caller on its own tenant's rows, or with `installation` on those for all tenants."""
        if installation or ctx.tenant == PLATFORM:
            await self._authz.require(ctx, OPERATE, resource)
            return ctx.for_tenant(PLATFORM)
        await self._authz.require(ctx, CONFIGURE, resource)
        return ctx
