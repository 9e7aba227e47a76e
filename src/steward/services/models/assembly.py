"""Puts the rooms of the models service together."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from steward.kit.bus import Subscription
from steward.kit.cache_redis import RedisSettings, SharedTier, shared_tier
from steward.kit.db import forbid_open_tx
from steward.kit.http import SystemResolver
from steward.kit.ids import Ids
from steward.kit.module import Built, Parts
from steward.kit.outbox import StoredEvent
from steward.kit.settings import load
from steward.kit.telemetry import CacheObserver
from steward.services.costs.api import CostsApi
from steward.services.models.api import ModelsApi
from steward.services.models.batches.build import BatchesRoom, Neighbours, build_batches
from steward.services.models.calls import ProviderCalls
from steward.services.models.counting.bounds import bound
from steward.services.models.embedding import Embedder
from steward.services.models.erasing import Erasing
from steward.services.models.lines import LineCalls
from steward.services.models.registry.access import Access
from steward.services.models.registry.aliases import AliasesUseCase
from steward.services.models.registry.connections import ConnectionsUseCase
from steward.services.models.registry.directory import TenantDirectory
from steward.services.models.service import ModelsService, Rooms
from steward.services.models.settings import REDIS_PREFIX, SETTINGS_PREFIX, ModelsSettings
from steward.services.models.sharing.exact import ExactCache
from steward.services.models.sharing.semantic import SemanticCache
from steward.services.models.sharing.shared_calls import SharedCalls
from steward.services.models.tokens import Tokens
from steward.services.models.upstream.provider_upstream import ProviderUpstream

_CACHE: Final = "models"
_DELETED: Final = "tenants.TenantDeleted"


class _Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What makes calls, and what it holds."""

    upstream: ProviderUpstream
    calls: ProviderCalls
    shared: SharedCalls
    exact: ExactCache
    semantic: SemanticCache
    tier: SharedTier | None

    def heed(self, event: StoredEvent) -> None:
        """Forget the answers of a tenant that is deleted."""
        if event.type == _DELETED:
            self.exact.drop_tenant(event.tenant)
            self.semantic.drop_tenant(event.tenant)

    async def stop(self) -> None:
        await self.shared.drain()
        await self.calls.drain()
        await self.upstream.close()
        if self.tier is not None:
            await self.tier.close()


def assemble(parts: Parts) -> Built:
    """The service of these parts."""
    settings = load(ModelsSettings, parts.environment, SETTINGS_PREFIX)
    directory = TenantDirectory(parts.db, parts.envelope, parts.clock, parts.telemetry, settings)
    pipeline = _pipeline(parts, settings, directory)
    lines = LineCalls(lambda: parts.apis.get(ModelsApi), parts.clock, parts.ids)
    resolver = SystemResolver(threads=1)
    neighbours = Neighbours(run_line=lines.run, directory=directory, endpoint_of=directory.endpoint, resolver=resolver)
    batches = build_batches(parts, neighbours, settings)
    tokens = Tokens(settings.tiktoken_dir)
    access = Access(parts.authz)
    service = ModelsService(
        parts.authz,
        Rooms(
            directory=directory,
            calls=pipeline.shared,
            embeddings=pipeline.calls,
            tokens=tokens,
            connections=ConnectionsUseCase(parts.db, access, parts.envelope, parts.clock, parts.ids, settings),
            aliases=AliasesUseCase(parts.db, access, parts.clock, parts.ids, settings),
            files=batches.files,
            batches=batches.batches,
        ),
    )

    def listen(event: StoredEvent) -> None:
        directory.heed(event)
        pipeline.heed(event)

    return Built(
        api=service,
        subscriptions=_subscriptions(parts, directory, pipeline),
        jobs=batches.jobs,
        listener=listen,
        start=tokens.load,
        stop=_stop(batches, pipeline),
    )


def _pipeline(parts: Parts, settings: ModelsSettings, directory: TenantDirectory) -> _Pipeline:
    upstream = ProviderUpstream(SystemResolver(), settings.allowed_hosts, forbid_open_tx)
    calls = ProviderCalls(
        upstream=upstream,
        costs=lambda: parts.apis.get(CostsApi),
        bound=bound,
        clock=parts.clock,
        ids=parts.ids,
        random=lambda: _chance(parts.ids),
        telemetry=parts.telemetry,
    )
    tier = shared_tier(load(RedisSettings, parts.environment, REDIS_PREFIX), parts.clock, prefix=_CACHE)
    exact = ExactCache(parts.clock, parts.envelope, tier, CacheObserver(parts.telemetry, _CACHE))
    embedder = Embedder(directory, calls)
    semantic = SemanticCache(parts.clock, embedder.vector, similarity=settings.semantic_similarity)
    shared = SharedCalls(calls, exact, semantic, parts.apis, parts.clock, parts.ids)
    return _Pipeline(upstream=upstream, calls=calls, shared=shared, exact=exact, semantic=semantic, tier=tier)


def _subscriptions(parts: Parts, directory: TenantDirectory, pipeline: _Pipeline) -> Sequence[Subscription]:
    async def forget(event: StoredEvent) -> None:
        pipeline.heed(event)

    return (
        directory.subscription(parts.sources),
        Subscription(name="models-answers", sources=("tenants",), handler=forget, broadcast=True),
        Subscription(name="models-erasing", sources=("tenants",), handler=Erasing(parts.db).on_event),
    )


def _stop(batches: BatchesRoom, pipeline: _Pipeline) -> Callable[[], Awaitable[None]]:
    async def stop() -> None:
        await batches.stop()
        await pipeline.stop()

    return stop


def _chance(ids: Ids) -> float:
    return int.from_bytes(ids.token(4)) / 2**32
