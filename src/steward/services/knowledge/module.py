"""Registers the knowledge service."""

import asyncio
from pathlib import Path

from steward.kit import text
from steward.kit.bus import Subscription
from steward.kit.cache import Cache
from steward.kit.module import Built, Job, Module, Parts
from steward.kit.settings import load
from steward.kit.telemetry import CacheObserver
from steward.services.knowledge import concepts
from steward.services.knowledge.api import KnowledgeApi
from steward.services.knowledge.caches import Caches
from steward.services.knowledge.http import ROUTES
from steward.services.knowledge.recorder import Recorder
from steward.services.knowledge.reindexing import Reindexing
from steward.services.knowledge.rpc import KNOWLEDGE, KnowledgeClient
from steward.services.knowledge.service import KnowledgeService
from steward.services.knowledge.settings import PREFIX, KnowledgeSettings
from steward.services.knowledge.shelf import Shelf
from steward.services.knowledge.statistics import Housekeeping
from steward.services.knowledge.use_case import KnowledgeParts


def build(parts: Parts) -> Built:
    settings = load(KnowledgeSettings, parts.environment, PREFIX)
    cache = Cache(
        parts.clock,
        max_entries=settings.cache_entries,
        max_bytes=settings.cache_bytes,
        observer=CacheObserver(parts.telemetry, "knowledge"),
    )
    caches = Caches(cache)
    recorder = Recorder(parts.db, parts.clock, parts.telemetry)
    knowledge_parts = KnowledgeParts(
        db=parts.db,
        clock=parts.clock,
        ids=parts.ids,
        authz=parts.authz,
        idempotency=parts.idempotency,
        caches=caches,
        recorder=recorder,
        shelf=Shelf(parts.clock, caches),
    )
    housekeeping = Housekeeping(knowledge_parts)
    service: KnowledgeApi = KnowledgeService(knowledge_parts)

    async def start() -> None:
        await asyncio.to_thread(text.load)
        await asyncio.to_thread(concepts.load)

    return Built(
        api=service,
        jobs=(
            Job(name="knowledge-popular", every_seconds=3600, run=housekeeping.count_popular),
            Job(name="knowledge-reindex", every_seconds=3600, run=Reindexing(knowledge_parts).run),
        ),
        subscriptions=(
            Subscription(name="knowledge-caches", sources=("knowledge",), handler=caches.on_event, broadcast=True),
            Subscription(name="knowledge-tenants", sources=("tenants",), handler=housekeeping.on_tenants),
        ),
        start=start,
        stop=recorder.stop,
    )


MODULE = Module(
    name="knowledge",
    contract=KnowledgeApi,
    build=build,
    rpc=KNOWLEDGE,
    client=KnowledgeClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
