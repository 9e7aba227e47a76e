"""The classifiers that this process has at hand: those of tenants with intents of their own, and the shipped one."""

import asyncio
from collections import OrderedDict
from typing import Final, NamedTuple

from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.kit.outbox import StoredEvent
from steward.services.support.api import TrainingState
from steward.services.support.understanding.model import Model, ModelUnreadable
from steward.services.support.understanding.repository import IntentsRepository, StoredModel
from steward.services.support.understanding.shipped import Shipped

MOST_TENANTS: Final = 10_000
MOST_BYTES: Final = 200_000_000
_FORGET: Final = frozenset(("support.IntentsTrained", "tenants.TenantDeleted"))


class Serving(NamedTuple):
    """A tenant's classifier; version 0 and no model is the shipped one."""

    version: int
    model: Model | None


class Models:
    """Loads classifiers when they are asked for, and lets go of those not asked for in the longest time."""

    def __init__(self, db: ServiceDb, rows: IntentsRepository, shipped: Shipped) -> None:
        self._db = db
        self._rows = rows
        self._shipped = shipped
        self._known: OrderedDict[TenantId, Serving] = OrderedDict()
        self._bytes = 0
        self._loading: dict[TenantId, asyncio.Task[Serving]] = {}

    async def of(self, ctx: Ctx) -> Model:
        """The classifier of the caller's tenant."""
        tenant = ctx.require_tenant()
        known = self._known.get(tenant)
        if known is None:
            known = await self._loaded(tenant)
        else:
            self._known.move_to_end(tenant)
        return known.model or await self._shipped.model()

    def heed(self, event: StoredEvent) -> None:
        """Forget a tenant's classifier when an event says that there is another one."""
        if event.type in _FORGET:
            self.forget(event.tenant)

    async def on_event(self, event: StoredEvent) -> None:
        """As `heed`, for the bus."""
        self.heed(event)

    def forget(self, tenant: TenantId) -> None:
        """Load it anew when it is asked for; what is being loaded now may be the old one."""
        self._loading.pop(tenant, None)
        known = self._known.pop(tenant, None)
        if known is not None and known.model is not None:
            self._bytes -= known.model.size

    async def _loaded(self, tenant: TenantId) -> Serving:
        """Load it once, however many ask."""
        task = self._loading.get(tenant)
        if task is None:
            task = asyncio.create_task(self._load(tenant), name="support-load-intents")
            self._loading[tenant] = task
        try:
            found = await asyncio.shield(task)
        finally:
            current = self._loading.get(tenant) is task
            if current and task.done():
                del self._loading[tenant]
        if current:
            self._keep(tenant, found)
        return found

    async def _load(self, tenant: TenantId) -> Serving:
        ctx = SystemCtx(reason="load intents", service="support", tenant=tenant)
        async with self._db.tx(ctx) as tx:
            stored = await self._rows.model(tx, tenant)
        if stored is None:
            return Serving(0, None)
        try:
            return Serving(stored.version, await asyncio.to_thread(Model.decode, stored.model))
        except ModelUnreadable:
            # Another version of Steward wrote it: the shipped intents serve until it is trained anew.
            await self._queue(ctx, tenant, stored)
            return Serving(0, None)

    async def _queue(self, ctx: SystemCtx, tenant: TenantId, stored: StoredModel) -> None:
        async with self._db.tx(ctx) as tx:
            await self._rows.mark(tx, tenant, stored.version, TrainingState.QUEUED)

    def _keep(self, tenant: TenantId, serving: Serving) -> None:
        if tenant in self._known:
            return
        self._known[tenant] = serving
        self._bytes += serving.model.size if serving.model else 0
        while self._bytes > MOST_BYTES or len(self._known) > MOST_TENANTS:
            oldest = next(iter(self._known))
            if oldest == tenant:
                return
            self.forget(oldest)
