"""The connection of each tenant's shop as calls use it: read and unsealed once, remembered, forgotten by event."""

from typing import Annotated

import msgspec
from msgspec import Meta

from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import CacheObserver, Telemetry
from steward.services.support.shop.repository import ShopRepository

PURPOSE = "support.shop.credential"
SHOP_CHANGED = "support.ShopChanged"

_NAME = "support-shop"
_MAX_ENTRIES = 10_000
_ENTRY_BYTES = 1024
_KEY = "connection"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shop is and what opens it."""

    base_url: str
    credential: Annotated[str, Meta(extra={"sensitive": True})]

    def __repr__(self) -> str:
        return f"Connection({self.base_url})"


class _Known(msgspec.Struct, frozen=True):
    """What a look found; that there is no shop is worth remembering too."""

    connection: Connection | None


class Connections:
    """Finds the connection of a tenant's shop."""

    def __init__(self, db: ServiceDb, envelope: Envelope, clock: Clock, telemetry: Telemetry, seconds: float) -> None:
        self._db = db
        self._envelope = envelope
        cache = Cache(
            clock,
            max_entries=_MAX_ENTRIES,
            max_bytes=_MAX_ENTRIES * _ENTRY_BYTES,
            observer=CacheObserver(telemetry, _NAME),
        )
        self._known: View[_Known] = View(cache, _NAME, ttl_s=seconds, size=_ENTRY_BYTES)

    async def get(self, ctx: Ctx) -> Connection | None:
        """The connection of the caller's tenant; None where no shop is connected."""

        async def load() -> _Known:
            return _Known(await self._load(ctx))

        return (await self._known.get_or_load(ctx.require_tenant(), _KEY, load)).connection

    def forget(self, tenant: TenantId) -> None:
        """Look again at the next call."""
        self._known.drop(tenant, _KEY)

    async def on_event(self, event: StoredEvent) -> None:
        """The handler for the bus: every process hears of every change."""
        if event.type == SHOP_CHANGED:
            self.forget(event.tenant)

    async def _load(self, ctx: Ctx) -> Connection | None:
        async with self._db.tx(ctx) as tx:
            row = await ShopRepository(tx).get()
        if row is None:
            return None
        credential = await self._envelope.open(ctx.require_tenant(), row.credential, purpose=PURPOSE)
        return Connection(base_url=row.base_url, credential=credential.decode())
