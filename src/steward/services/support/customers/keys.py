"""The public keys by which a tenant's customer tokens are checked."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.kit.ids import TenantId
from steward.services.support.api import CustomerKey
from steward.services.support.customers.repository import CustomerKeysRepository
from steward.services.support.customers.tokens import (
    CustomerClaims,
    KeyRejected,
    TokenRejected,
    VerifyingKey,
    verified,
    verifying_key,
)
from steward.services.support.errors import CustomerKeyInvalid, CustomerTokenInvalid
from steward.services.support.events import CustomerKeysChanged

KEPT_SECONDS: Final = 60.0
MAX_ENTRIES: Final = 20_000
MAX_BYTES: Final = 32 * 1024 * 1024

Keys = Mapping[str, VerifyingKey]


class CustomerKeys:
    """Checks customer tokens, and replaces the keys that they are checked by."""

    def __init__(self, db: ServiceDb, authz: Authz, rows: CustomerKeysRepository, clock: Clock) -> None:
        self._db = db
        self._authz = authz
        self._rows = rows
        self._clock = clock
        cache = Cache(clock, max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES)
        self._keys: View[Keys] = View(cache, "keys", ttl_s=KEPT_SECONDS, size=4096)
        self._tokens: View[CustomerClaims] = View(cache, "token", ttl_s=KEPT_SECONDS)

    async def put_customer_keys(self, ctx: Ctx, *, keys: Sequence[CustomerKey]) -> Sequence[CustomerKey]:
        await self._authz.require(ctx, "support:configure", "customer-keys")
        if len({key.kid for key in keys}) != len(keys):
            raise InvalidInput("a `kid` is there twice: each key needs one of its own", field="keys")
        for key in keys:
            try:
                verifying_key(key.jwk)
            except KeyRejected as error:
                raise CustomerKeyInvalid(key.kid, str(error)) from error
        async with self._db.tx(ctx) as tx:
            await self._rows.replace(tx, ctx.require_tenant(), keys)
            tx.audit(
                Audit(action="customer_keys.replaced", resource="customer-keys", reason=", ".join(k.kid for k in keys))
            )
            tx.emit(CustomerKeysChanged())
        self.forget(ctx.require_tenant())
        return keys

    async def customer_of(self, ctx: Ctx, token: str) -> str:
        """The customer whom a token vouches for. Raises `CustomerTokenInvalid`."""
        tenant = ctx.require_tenant()
        # Kept under a hash, so that no token stays in memory.
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
        claims = self._tokens.get(tenant, digest)
        if claims is None:
            keys = await self._keys.get_or_load(tenant, "", lambda: self._load(ctx))
            try:
                claims = verified(token, keys, tenant=tenant, now=self._clock.now())
            except TokenRejected as error:
                raise CustomerTokenInvalid(str(error)) from error
            if self._keys.get(tenant, "") is keys:
                # Else they were replaced meanwhile.
                self._tokens.put(tenant, digest, claims)
        if claims.exp <= self._clock.now().timestamp():
            raise CustomerTokenInvalid("it has expired")
        return claims.sub

    def forget(self, tenant: TenantId) -> None:
        """The tenant's keys have changed."""
        self._keys.drop_all(tenant)
        self._tokens.drop_all(tenant)

    async def _load(self, ctx: Ctx) -> Keys:
        async with self._db.read(ctx) as tx:
            stored = await self._rows.list_all(tx, ctx.require_tenant())
        return {key.kid: verifying_key(key.jwk) for key in stored}
