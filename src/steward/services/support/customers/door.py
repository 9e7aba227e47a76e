"""The door of the desk: who a customer is, and how often they may write."""

from typing import Final

from steward.kit.authz import Authz, allows
from steward.kit.context import Ctx
from steward.kit.ratelimit import RateLimiter
from steward.services.support.customers.keys import CustomerKeys
from steward.services.support.customers.owner import NOBODY, Owner, OwnerKind
from steward.services.support.errors import CustomerLimited

ACT_AS_CUSTOMER: Final = "support:act-as-customer"
MINUTE_S: Final = 60.0


class Door:
    """Tells whose session it is."""

    def __init__(self, authz: Authz, keys: CustomerKeys, limiter: RateLimiter, per_minute: int) -> None:
        self._authz = authz
        self._keys = keys
        self._limiter = limiter
        self._per_minute = per_minute

    async def owner(self, ctx: Ctx, user_id: str | None, customer_token: str | None) -> Owner:
        """Who the caller says the customer is, as far as they may. Raises `CustomerTokenInvalid`."""
        if user_id is not None and allows(ctx, ACT_AS_CUSTOMER):
            return Owner(OwnerKind.CUSTOMER, user_id)
        if customer_token is not None:
            return Owner(OwnerKind.CUSTOMER, await self._keys.customer_of(ctx, customer_token))
        return Owner(OwnerKind.VISITOR, user_id) if user_id is not None else NOBODY

    async def reader(self, ctx: Ctx, user_id: str | None, customer_token: str | None) -> Owner:
        """Whose own things are to be read or cleared. Raises `CustomerTokenInvalid`."""
        await self._authz.require(ctx, "conversation:write", "session")
        return await self.owner(ctx, user_id, customer_token)

    async def writer(self, ctx: Ctx, user_id: str | None, customer_token: str | None) -> Owner:
        """The owner of a message that is to be written. Raises `CustomerLimited` too, when there were too many."""
        await self._authz.require(ctx, "conversation:write", "session")
        owner = await self.owner(ctx, user_id, customer_token)
        decision = self._limiter.take(_limited(ctx, owner), limit=self._per_minute, window_s=MINUTE_S)
        if not decision.allowed:
            raise CustomerLimited(decision.limit, max(1, -int(-decision.retry_after_s // 1)))
        return owner


def _limited(ctx: Ctx, owner: Owner) -> str:
    """Whose messages are counted: what a visitor says of themself counts for little, so their address does too."""
    if owner.kind is OwnerKind.CUSTOMER:
        return f"{ctx.require_tenant().int}:c:{owner.id}"
    return f"{ctx.require_tenant().int}:v:{ctx.address}:{owner.id}"
