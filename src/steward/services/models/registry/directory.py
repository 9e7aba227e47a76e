"""The directory in memory: what each tenant's names stand for, read once and forgotten by event."""

from collections.abc import Sequence
from typing import Final

import msgspec

from steward.kit.bus import Subscription
from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.crypto import Envelope
from steward.kit.db import ServiceDb
from steward.kit.ids import PLATFORM, TenantId
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import CacheObserver, Telemetry
from steward.services.models.api import CallOptions, ModelInfo
from steward.services.models.ports import Endpoint, Resolved
from steward.services.models.registry.endpoints import opened
from steward.services.models.registry.environment import environment_registry
from steward.services.models.registry.names import Names, Registry
from steward.services.models.registry.records import AliasRow
from steward.services.models.registry.repository import RegistryRepository
from steward.services.models.settings import ModelsSettings

_NAME: Final = "models-directory"
_MAX_TENANTS: Final = 10_000
_ENTRY_BYTES: Final = 4096
_ALL: Final = ""
_CHANGES: Final = frozenset(
    ("models.ConnectionChanged", "models.AliasChanged", "models.AllowedModelsChanged", "tenants.TenantDeleted")
)


class _Tenant:
    """What a tenant has registered, and its names over what the installation had at that moment."""

    __slots__ = ("names", "own")

    def __init__(self, own: Registry, names: Names) -> None:
        self.own = own
        self.names = names


class TenantDirectory:
    """Implements `Directory`, from memory: at most one read of a tenant, and one of the installation, on a miss."""

    def __init__(
        self, db: ServiceDb, envelope: Envelope, clock: Clock, telemetry: Telemetry, settings: ModelsSettings
    ) -> None:
        self._db = db
        self._envelope = envelope
        self._settings = settings
        self._environment = environment_registry(settings)
        observer = CacheObserver(telemetry, _NAME)
        cache = Cache(clock, max_entries=_MAX_TENANTS, max_bytes=_MAX_TENANTS * _ENTRY_BYTES, observer=observer)
        seconds = settings.directory_seconds
        self._tenants: View[_Tenant] = View(cache, "tenant", ttl_s=seconds, size=_ENTRY_BYTES)
        # By itself, so that no number of tenants drives the installation's out.
        self._bases: View[Registry] = View(Cache(clock, max_entries=1, max_bytes=1 << 20), "base", ttl_s=seconds)

    async def resolve(self, ctx: Ctx, model: str, options: CallOptions) -> Resolved:
        """See `Directory`."""
        return (await self.names(ctx)).resolve(model, options)

    async def listed(self, ctx: Ctx) -> Sequence[ModelInfo]:
        """Every name that the tenant may ask for."""
        return (await self.names(ctx)).listed()

    async def endpoint(self, ctx: Ctx, name: str) -> Endpoint | None:
        """A connection of the tenant or of the installation by its name."""
        return (await self.names(ctx)).endpoint(name)

    async def names(self, ctx: Ctx) -> Names:
        """The names of the caller's tenant."""
        tenant = ctx.require_tenant()
        base = self._bases.get(None, _ALL)
        if base is None:
            base = await self._bases.get_or_load(None, _ALL, self._load_base)
        known = self._tenants.get(tenant, _ALL)
        if known is None:
            known = await self._tenants.get_or_load(tenant, _ALL, lambda: self._load(ctx, tenant, base))
        if known.names.base is not base:
            known.names = Names(known.own, base, self._settings.max_output_tokens)
        return known.names

    def heed(self, event: StoredEvent) -> None:
        """Forget what an event makes untrue."""
        if event.type not in _CHANGES:
            return
        if event.tenant == PLATFORM:
            self._bases.drop(None, _ALL)
        else:
            self._tenants.drop(event.tenant, _ALL)

    async def on_event(self, event: StoredEvent) -> None:
        """As `heed`, for the bus."""
        self.heed(event)

    def subscription(self, sources: Sequence[str]) -> Subscription:
        """Every process hears of every change; `sources` are the services of the platform."""
        return Subscription(
            name=_NAME,
            sources=tuple(name for name in ("models", "tenants") if name in sources),
            handler=self.on_event,
            broadcast=True,
        )

    async def _load(self, ctx: Ctx, tenant: TenantId, base: Registry) -> _Tenant:
        own = await self._read(ctx, tenant)
        return _Tenant(own, Names(own, base, self._settings.max_output_tokens))

    async def _load_base(self) -> Registry:
        ctx = SystemCtx(reason="connections and aliases of the installation", service="models", tenant=PLATFORM)
        stored = await self._read(ctx, PLATFORM)
        return msgspec.structs.replace(
            stored,
            endpoints={**self._environment.endpoints, **stored.endpoints},
            aliases={**self._environment.aliases, **stored.aliases},
        )

    async def _read(self, ctx: Ctx | SystemCtx, tenant: TenantId) -> Registry:
        async with self._db.read(ctx) as tx:
            found = await RegistryRepository(tx).everything()
        endpoints = [await opened(self._envelope, row, tenant) for row in found.connections]
        aliases: dict[str, AliasRow] = {row.name: row for row in found.aliases}
        return Registry(
            endpoints={endpoint.name: endpoint for endpoint in endpoints}, aliases=aliases, allowed=found.allowed
        )
