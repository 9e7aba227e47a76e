"""Quotas of users and API keys: held and given back at the tenants service, between transactions, under an intent."""

from contextlib import suppress
from uuid import UUID

import msgspec

from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import DeadlineExceeded, Unavailable
from steward.kit.intents import Flow, Intent, Intents, Step
from steward.kit.module import Apis
from steward.services.identity.keys.repository import ApiKeyRepository
from steward.services.tenants.api import Quota, TenantsApi


class GiveBack(msgspec.Struct, frozen=True, kw_only=True):
    """Whose quota to give back: a user's with that of all their keys, or one key's."""

    user_id: UUID | None = None
    key_id: UUID | None = None


class Quotas:
    """Holds and gives back what identity counts."""

    def __init__(self, db: ServiceDb, apis: Apis, intents: Intents) -> None:
        self._db = db
        self._apis = apis
        self._intents = intents
        self._giving_back = Flow(
            kind="identity.give_back", state=GiveBack, steps=[Step(name="release", do=self._release_all)]
        )
        intents.register(self._giving_back)

    async def hold(self, ctx: Ctx, quota: Quota, holder: UUID) -> None:
        """Take one of a quota. Raises `QuotaExceeded`."""
        tenants = self._apis.get(TenantsApi)
        await tenants.hold_quota(ctx.as_service("identity", "service:quota"), quota=quota, holder=holder)

    async def release(self, ctx: Ctx, quota: Quota, holder: UUID) -> None:
        """Give it back, if it was taken."""
        tenants = self._apis.get(TenantsApi)
        await tenants.release_quota(ctx.as_service("identity", "service:quota"), quota=quota, holder=holder)

    async def prepare_giving_back(self, ctx: Ctx, what: GiveBack) -> Intent[GiveBack]:
        """The intent to commit with the deletion or revocation."""
        return await self._intents.prepare(ctx, self._giving_back, what)

    async def give_back(self, ctx: Ctx, intent: Intent[GiveBack]) -> None:
        """Carry the intent out. Where tenants does not answer, it waits: what the caller asked for is done already."""
        with suppress(Unavailable, DeadlineExceeded):
            await self._intents.carry_out(ctx, intent)

    async def _release_all(self, ctx: Ctx, what: GiveBack) -> GiveBack:
        key_ids = [] if what.key_id is None else [what.key_id]
        if what.user_id is not None:
            await self.release(ctx, Quota.USERS, what.user_id)
            async with self._db.tx(ctx) as tx:
                key_ids.extend(await ApiKeyRepository(tx).all_ids(what.user_id))
        for key_id in key_ids:
            await self.release(ctx, Quota.API_KEYS, key_id)
        return what
