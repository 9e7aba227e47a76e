"""What the use cases of files and batches share: sealing, permission, and who may see what."""

from typing import Final

from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids, TenantId
from steward.services.models.batches.records import owner_of

CALL: Final = "model:call"
_SEE_ALL: Final = "model:configure"
_PURPOSE: Final = "models.batches"


class Keeping:
    """Collaborators of the use cases, and what is done everywhere alike."""

    def __init__(
        self, *, db: ServiceDb, envelope: Envelope, authz: Authz, idempotency: Idempotency, clock: Clock, ids: Ids
    ) -> None:
        self.db = db
        self.authz = authz
        self.idempotency = idempotency
        self.clock = clock
        self.ids = ids
        self._envelope = envelope

    async def seal(self, tenant: TenantId, plain: bytes) -> bytes:
        return await self._envelope.seal(tenant, plain, purpose=_PURPOSE)

    async def open(self, tenant: TenantId, sealed: bytes) -> bytes:
        return await self._envelope.open(tenant, sealed, purpose=_PURPOSE)

    async def require(self, ctx: Ctx, resource: str) -> None:
        await self.authz.require(ctx, CALL, resource)

    def sees(self, ctx: Ctx, owner: str) -> bool:
        """Everybody sees their own; who configures models sees all of the tenant's."""
        return _SEE_ALL in ctx.scopes or owner == owner_of(ctx)

    async def hidden(self, ctx: Ctx, owner: str, resource: str) -> bool:
        """Whether somebody else's is not to be seen, which is told as `not found` and leaves an audit entry."""
        if self.sees(ctx, owner):
            return False
        await self.authz.refused(ctx, _SEE_ALL, resource)
        return True

    def only_of(self, ctx: Ctx) -> str | None:
        """Whose rows a list is held to; None for all."""
        return None if _SEE_ALL in ctx.scopes else owner_of(ctx)
