"""What models cost now, from memory: the tenant's overrides, the installation's, then the price list."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from steward.kit.bus import Subscription
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import PLATFORM, TenantId
from steward.kit.module import Job
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import Price
from steward.services.costs.prices.loading import ListUnreadable, extracted, installed, shipped
from steward.services.costs.prices.price_list import Found, PriceList, price_at
from steward.services.costs.prices.repository import (
    EVER_SINCE,
    OverrideRow,
    PricesRepository,
    PricesSystemRepository,
)

_NAME: Final = "costs-prices"
_CHANGED: Final = "costs.PriceChanged"
_DELETED: Final = "tenants.TenantDeleted"
_RELOAD_SECONDS: Final = 300.0
"""How soon a process knows of a change whose event it missed, and of another version of genai-prices."""
_MAX_KNOWN: Final = 10_000
"""Names of models whose price is remembered; each that is asked for counts, known or not."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

Overrides = Mapping[tuple[str, str], Sequence[Price]]
"""By provider and model in lower case; newest first."""


class _Known(NamedTuple):
    since: datetime
    found: Found


class PriceBook:
    """What one process knows of prices, which is all of it.

    Overrides are all in memory (about 1 KB each, at most 1,000 a tenant).
    """

    def __init__(self, db: ServiceDb, telemetry: Telemetry) -> None:
        self._db = db
        self._log = telemetry.log
        self._list: PriceList | None = None
        self._refused = ""
        self._overrides: dict[TenantId, Overrides] = {}
        self._known: dict[tuple[str, str, bool, str], _Known] = {}
        self._names: dict[str, str] = {}
        self._turn = asyncio.Lock()

    async def price_of(
        self, tenant: TenantId, provider: str, model: str, at: datetime, *, batch: bool = False, tier: str = ""
    ) -> Price | None:
        """What a model costs a tenant at an instant; None where nobody knows. From memory, about 2 µs.

        With `batch` it is the price of the provider's batch endpoint. `tier` is what a request says of its service
        tier or speed (`priority`, `flex`, `fast`), where the provider has prices of its own for it.
        """
        if self._list is None:
            await self.ready()
        return self.price_now(tenant, provider, model, at, batch=batch, tier=tier)

    def price_now(
        self, tenant: TenantId, provider: str, model: str, at: datetime, *, batch: bool = False, tier: str = ""
    ) -> Price | None:
        """As `price_of`, once `load` has ended."""
        override = self._override_of(tenant, provider, model, at)
        return override or self._listed_price(provider, model, at, batch, tier)

    def shown(self, tenant: TenantId, provider: str | None, model: str | None, at: datetime) -> Iterator[Price]:
        """Prices that hold at an instant, overrides first: of a provider, and of models whose name contains `model`.

        With both, the price that counts for exactly this name goes first, whatever the list calls the model. It takes
        up to 40 ms for all: not on the event loop.
        """
        own = None if provider is None else {provider.lower(), self._canonical(provider)}
        part = (model or "").lower()
        seen: set[tuple[str, str]] = set()
        for price in self._shown_first(tenant, provider, model, at):
            name = (price.provider.lower(), price.model.lower())
            if name not in seen:
                seen.add(name)
                yield price
        for id_, entry in self._list.all() if self._list else ():
            if (own is None or id_ in own) and part in entry.id.lower() and (id_, entry.id.lower()) not in seen:
                listed = price_at(id_, entry, at).price
                if listed is not None:
                    yield listed

    async def ready(self) -> None:
        """Wait until there are prices, for the first to ask before the start has ended."""
        if self._list is None:
            await self.load()

    async def load(self) -> None:
        """Read the list, where it is not there or the package is another version, and all overrides."""
        async with self._turn:
            await self._load_list()
            async with self._db.system_read(SystemCtx(reason="prices that tenants set", service="costs")) as tx:
                rows = await PricesSystemRepository().everything(tx)
            tenants = {row.tenant_id for row in rows}
            self._overrides = {tenant: _indexed([row for row in rows if row.tenant_id == tenant]) for tenant in tenants}

    async def refresh(self, tenant: TenantId) -> None:
        """Read a tenant's overrides anew; for `PLATFORM`, the installation's."""
        ctx = SystemCtx(reason="prices that a tenant set", service="costs", tenant=tenant)
        # One at a time: what is read later is newer.
        async with self._turn:
            async with self._db.read(ctx) as tx:
                rows = await PricesRepository().all(tx, tenant)
            self._overrides[tenant] = _indexed(rows)
            if not rows:
                del self._overrides[tenant]

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus."""
        if event.type == _CHANGED:
            await self.refresh(event.tenant)
        elif event.type == _DELETED:
            self._overrides.pop(event.tenant, None)
            ctx = SystemCtx(reason="prices of a deleted tenant", service="costs", tenant=event.tenant)
            async with self._db.tx(ctx) as tx:
                await PricesRepository().erase(tx, event.tenant)

    def subscription(self, sources: Sequence[str]) -> Subscription:
        """Every process hears of every change; `sources` are the services of the platform."""
        wanted = tuple(name for name in ("costs", "tenants") if name in sources)
        return Subscription(name=_NAME, sources=wanted, handler=self.on_event, broadcast=True)

    def job(self) -> Job:
        """Every process reads everything anew now and then."""
        return Job(name=_NAME, every_seconds=_RELOAD_SECONDS, run=self.load, everywhere=True)

    async def _load_list(self) -> None:
        current = self._list or await asyncio.to_thread(shipped)
        there = await asyncio.to_thread(installed)
        if there and there not in {current.version, self._refused}:
            try:
                current = await extracted()
            except ListUnreadable as error:
                self._refused = there
                self._log.warning("prices stay those of genai-prices " + current.version, exc_info=error)
        if current is not self._list:
            self._list = current
            self._known.clear()
            self._names.clear()

    def _override_of(self, tenant: TenantId, provider: str, model: str, at: datetime) -> Price | None:
        for owner in (tenant, PLATFORM):
            overrides = self._overrides.get(owner)
            if not overrides:
                continue
            lower = model.lower()
            for name in (provider.lower(), self._canonical(provider)):
                found = _newest(overrides.get((name, lower), ()), at)
                if found is not None:
                    return found
        return None

    def _shown_first(self, tenant: TenantId, provider: str | None, model: str | None, at: datetime) -> Iterator[Price]:
        if provider and model:
            meant = self._override_of(tenant, provider, model, at)
            meant = meant or self._look_up(provider, model, at, batch=False, tier="").price
            if meant is not None:
                yield meant
        own = None if provider is None else {provider.lower(), self._canonical(provider)}
        for owner in (tenant, PLATFORM):
            for name, prices in sorted(self._overrides.get(owner, {}).items()):
                price = _newest(prices, at)
                if price is not None and (own is None or name[0] in own) and (model or "").lower() in name[1]:
                    yield price

    def _listed_price(self, provider: str, model: str, at: datetime, batch: bool, tier: str) -> Price | None:  # noqa: FBT001 - part of a key
        key = (provider, model, batch, tier)
        known = self._known.get(key)
        if known is None or not known.since <= at < known.found.until:
            known = _Known(at, self._look_up(provider, model, at, batch=batch, tier=tier))
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[key] = known
        return known.found.price

    def _look_up(self, provider: str, model: str, at: datetime, *, batch: bool, tier: str) -> Found:
        entry = self._list.entry_of(provider, model) if self._list else None
        if entry is None:
            return Found(None, _NEVER)
        return price_at(self._canonical(provider), entry, at, batch=batch, tier=tier)

    def _canonical(self, provider: str) -> str:
        name = self._names.get(provider)
        if name is None:
            name = (self._list and self._list.provider_of(provider)) or provider.lower()
            if len(self._names) >= _MAX_KNOWN:
                self._names.clear()
            self._names[provider] = name
        return name


def _newest(prices: Sequence[Price], at: datetime) -> Price | None:
    """Of those that hold already."""
    if not prices:
        return None
    today = at.astimezone(UTC).date()
    return next((one for one in prices if one.effective_from is None or one.effective_from <= today), None)


def _indexed(rows: Sequence[OverrideRow]) -> Overrides:
    found: dict[tuple[str, str], list[Price]] = {}
    for row in sorted(rows, key=lambda row: row.effective_from, reverse=True):
        found.setdefault((row.provider.lower(), row.model.lower()), []).append(price_of_row(row))
    return found


def price_of_row(row: OverrideRow) -> Price:
    """An override as a price."""
    return Price(
        provider=row.provider,
        model=row.model,
        prices=row.price.prices,
        tiers=row.price.tiers,
        batch_percent=row.price.batch_percent,
        per_call=row.price.per_call,
        effective_from=None if row.effective_from == EVER_SINCE else row.effective_from,
        source="installation" if row.tenant_id == PLATFORM else "tenant",
    )
