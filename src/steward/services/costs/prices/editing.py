"""What people do with prices: look at them, set their own, take them back."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from steward.kit.audit import Audit
from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.errors import InvalidInput
from steward.kit.ids import PLATFORM
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import Price, PriceInput
from steward.services.costs.errors import PriceNotFound, TooManyPrices
from steward.services.costs.prices.book import PriceBook, price_of_row
from steward.services.costs.prices.events import PriceChanged
from steward.services.costs.prices.repository import EVER_SINCE, OverrideRow, PricesRepository

MOST_SHOWN: Final = 1000
MOST_OVERRIDES: Final = 1000
_READ: Final = "cost:read"
_CONFIGURE: Final = "cost:configure"
_OPERATE: Final = "platform:tenants"
_MOST_PROVIDER: Final = 60
_MOST_MODEL: Final = 200


class Prices(PriceBook):
    """A price book that people write in: `list_prices`, `put_price` and `delete_price` of `CostsApi`."""

    def __init__(self, db: ServiceDb, authz: Authz, clock: Clock, telemetry: Telemetry) -> None:
        super().__init__(db, telemetry)
        self._db = db
        self._authz = authz
        self._clock = clock
        self._rows = PricesRepository()

    async def list_prices(self, ctx: Ctx, *, provider: str | None = None, model: str | None = None) -> Sequence[Price]:
        """See `CostsApi`; `model` is a part of its name."""
        await self._authz.require(ctx, _READ, "price")
        tenant, now = ctx.require_tenant(), self._clock.now()
        await self.ready()
        return await asyncio.to_thread(lambda: list(islice(self.shown(tenant, provider, model, now), MOST_SHOWN)))

    async def put_price(
        self, ctx: Ctx, *, provider: str, model: str, price: PriceInput, installation: bool = False
    ) -> Price:
        """See `CostsApi`. A price without a date takes the place of all that were set for the model before.

        Names are kept in lower case, for the list knows no other. Raises `InvalidInput` for names and tiers that cannot
        be, and `TooManyPrices`.
        """
        provider, model = provider.lower(), model.lower()
        ctx = await self._to_change(ctx, provider, model, installation=installation)
        _check(provider, model, price)
        tenant = ctx.require_tenant()
        row = OverrideRow(
            tenant_id=tenant,
            provider=provider,
            model=model,
            effective_from=price.effective_from or EVER_SINCE,
            price=price,
        )
        async with self._db.tx(ctx) as tx:
            await self._rows.lock(tx, tenant)
            before = await self._rows.of_model(tx, tenant, provider, model)
            if price.effective_from is None:
                await self._rows.delete(tx, tenant, provider, model)
            await self._rows.put(tx, row, self._clock.now())
            if await self._rows.count(tx, tenant) > MOST_OVERRIDES:
                raise TooManyPrices(MOST_OVERRIDES)
            tx.audit(Audit(action="price.set", resource=_resource(provider, model), before=_trail(before), after=price))
            tx.emit(PriceChanged(provider=provider, model=model))
        await self.refresh(tenant)
        return price_of_row(row)

    async def delete_price(self, ctx: Ctx, *, provider: str, model: str, installation: bool = False) -> None:
        """See `CostsApi`."""
        provider, model = provider.lower(), model.lower()
        ctx = await self._to_change(ctx, provider, model, installation=installation)
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            await self._rows.lock(tx, tenant)
            before = await self._rows.of_model(tx, tenant, provider, model)
            if not before:
                raise PriceNotFound(provider, model)
            await self._rows.delete(tx, tenant, provider, model)
            tx.audit(Audit(action="price.deleted", resource=_resource(provider, model), before=_trail(before)))
            tx.emit(PriceChanged(provider=provider, model=model))
        await self.refresh(tenant)

    async def _to_change(self, ctx: Ctx, provider: str, model: str, *, installation: bool) -> Ctx:
        """The caller on its own tenant's prices, or with `installation` on those of all tenants."""
        resource = _resource(provider, model)[:300]
        if installation or ctx.tenant == PLATFORM:
            await self._authz.require(ctx, _OPERATE, resource)
            return ctx.for_tenant(PLATFORM)
        await self._authz.require(ctx, _CONFIGURE, resource)
        return ctx


class _Trail(msgspec.Struct, frozen=True):
    """For the trail."""

    prices: Sequence[PriceInput]


def _trail(rows: Sequence[OverrideRow]) -> _Trail | None:
    return _Trail([row.price for row in rows]) if rows else None


def _resource(provider: str, model: str) -> str:
    return f"price/{provider}/{model}"


def _check(provider: str, model: str, price: PriceInput) -> None:
    for field, value, most in (("provider", provider, _MOST_PROVIDER), ("model", model, _MOST_MODEL)):
        if not 0 < len(value) <= most or not value.isprintable() or value != value.strip():
            raise InvalidInput(
                f"{field} {value[:80]!r} is no name: write 1 to {most} printable characters", field=field
            )
    bounds = [tier.above_input_tokens for tier in price.tiers]
    if bounds != sorted(set(bounds)) or 0 in bounds:
        raise InvalidInput(
            f"tiers begin above {bounds} input tokens: name each bound once, from the lowest on, and none of 0",
            field="tiers",
        )
