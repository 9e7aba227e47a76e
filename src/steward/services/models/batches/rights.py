"""Whether whoever made a batch may still call models."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from steward.kit.clock import Clock
from steward.kit.context import ActorType, Ctx
from steward.kit.errors import AppError, Kind
from steward.kit.ids import TenantId
from steward.kit.paging import MAX_LIMIT
from steward.services.identity.api import ApiKey, IdentityApi, UserId
from steward.services.models.batches.keeping import CALL, Keeping
from steward.services.models.batches.records import BatchRow
from steward.services.models.batches.repository import BatchesRepository

EVERY: Final = timedelta(minutes=1)
"""How often is asked."""
_ASKING: Final = timedelta(seconds=30)


class Rights(Protocol):
    """Knows what somebody may do now."""

    async def fault(self, ctx: Ctx) -> str:
        """Why the context's caller may not call models any more; empty where nothing has changed."""
        ...


class IdentityRights:
    """Asks the identity service: for the user, and for the key that was used."""

    def __init__(self, identity: Callable[[], IdentityApi], clock: Clock) -> None:
        self._identity = identity
        self._clock = clock

    async def fault(self, ctx: Ctx) -> str:
        """See `Rights`."""
        if ctx.key_id is not None:
            key = await self._key(ctx, ctx.key_id)
            if key is None or key.revoked_at is not None:
                return "the API key that made the batch is revoked"
            if key.expires_at is not None and key.expires_at <= self._clock.now():
                return "the API key that made the batch has expired"
        if ctx.actor.type is not ActorType.USER:
            return ""
        asking = ctx.as_service("models", "role:read")
        try:
            found = await self._identity().explain_permission(
                asking, user_id=UserId(UUID(ctx.actor.id)), permission=CALL
            )
        except AppError as error:
            if error.kind is not Kind.NOT_FOUND:
                raise
            return "the user who made the batch is deleted"
        return "" if found.allowed else f"the user who made the batch no longer has {CALL}"

    async def _key(self, ctx: Ctx, key_id: UUID) -> ApiKey | None:
        asking, cursor = ctx.as_service("models", "key:read"), None
        while True:
            page = await self._identity().list_api_keys(asking, limit=MAX_LIMIT, cursor=cursor)
            for key in page.items:
                if key.id == key_id:
                    return key
            cursor = page.next_cursor
            if cursor is None:
                return None


class Watch:
    """Cancels a batch whose maker lost the right to it."""

    def __init__(self, keeping: Keeping, tenant: TenantId, rights: Rights) -> None:
        self._keeping = keeping
        self._tenant = tenant
        self._rights = rights
        self._next: datetime | None = None
        self.faults: list[str] = []

    async def look(self, batch: BatchRow) -> None:
        """Ask, if it was not asked within the minute."""
        now = self._keeping.clock.now()
        if self.faults or (self._next is not None and now < self._next):
            return
        self._next = now + EVERY
        ctx = batch.origin.ctx(self._tenant, now + _ASKING)
        fault = await self._rights.fault(ctx)
        if fault:
            self.faults.append(f"{fault}: its other requests are not made")
            async with self._keeping.db.tx(ctx) as tx:
                await BatchesRepository(tx).cancel(batch.id)
