"""Connecting a tenant's shop: naming it, showing it, forgetting it."""

import re

from yarl import URL

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.kit.http.addresses import AddressPolicy
from steward.services.support.api import ShopConnection
from steward.services.support.errors import ShopNotConnected
from steward.services.support.events import ShopChanged
from steward.services.support.shop.connections import PURPOSE, Connections
from steward.services.support.shop.repository import ShopRepository, ShopRow

PERMISSION = "support:configure"
RESOURCE = "shop"

_CREDENTIAL = re.compile(r"[\x21-\x7e]{1,2000}")


class ShopUseCase:
    """`put_shop`, `get_shop` and `delete_shop` of `SupportApi`."""

    def __init__(
        self,
        db: ServiceDb,
        authz: Authz,
        envelope: Envelope,
        clock: Clock,
        connections: Connections,
        policy: AddressPolicy,
    ) -> None:
        self._db = db
        self._authz = authz
        self._envelope = envelope
        self._clock = clock
        self._connections = connections
        self._policy = policy

    async def put_shop(self, ctx: Ctx, *, base_url: str, credential: str) -> ShopConnection:
        """See `SupportApi`. Raises `AddressRefused` for an address that may not be called, `InvalidInput`."""
        await self._authz.require(ctx, PERMISSION, RESOURCE)
        tenant = ctx.require_tenant()
        url = self._checked(base_url)
        if not _CREDENTIAL.fullmatch(credential):
            raise InvalidInput(
                "the credential has characters that no header can carry: give the bare token, without `Bearer` and "
                "spaces",
                field="credential",
            )
        sealed = await self._envelope.seal(tenant, credential.encode(), purpose=PURPOSE)
        row = ShopRow(base_url=url, credential=sealed, updated_at=self._clock.now())
        async with self._db.tx(ctx) as tx:
            rows = ShopRepository(tx)
            before = await rows.get(lock=True)
            await rows.put(row)
            tx.audit(Audit(action="shop.connected", resource=RESOURCE, before=_shown(before), after=_shown(row)))
            tx.emit(ShopChanged())
        self._connections.forget(tenant)
        return ShopConnection(base_url=row.base_url, updated_at=row.updated_at)

    async def get_shop(self, ctx: Ctx) -> ShopConnection:
        """See `SupportApi`."""
        await self._authz.require(ctx, PERMISSION, RESOURCE)
        async with self._db.tx(ctx) as tx:
            row = await ShopRepository(tx).get()
        if row is None:
            raise ShopNotConnected
        return ShopConnection(base_url=row.base_url, updated_at=row.updated_at)

    async def delete_shop(self, ctx: Ctx) -> None:
        """See `SupportApi`."""
        await self._authz.require(ctx, PERMISSION, RESOURCE)
        async with self._db.tx(ctx) as tx:
            rows = ShopRepository(tx)
            before = await rows.get(lock=True)
            if before is None:
                raise ShopNotConnected
            await rows.delete()
            tx.audit(Audit(action="shop.disconnected", resource=RESOURCE, before=_shown(before)))
            tx.emit(ShopChanged())
        self._connections.forget(ctx.require_tenant())

    def _checked(self, base_url: str) -> str:
        """The address without a slash at its end. Raises `AddressRefused`, `InvalidInput`."""
        try:
            url = URL(base_url)
        except ValueError as error:
            raise InvalidInput(
                f"{base_url!r} is no URL: give the shop's, such as https://shop.example", field="base_url"
            ) from error
        self._policy.check(url)
        if url.raw_query_string or url.raw_fragment:
            raise InvalidInput(f"{base_url!r} has a query or fragment: give the address only", field="base_url")
        return str(url).rstrip("/")


def _shown(row: ShopRow | None) -> ShopConnection | None:
    """What the audit trail keeps: never the credential."""
    return None if row is None else ShopConnection(base_url=row.base_url, updated_at=row.updated_at)
