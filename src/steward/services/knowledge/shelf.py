"""Putting sources into the database and their chunks into the index, in one transaction."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.knowledge.api import SourceKind, StoredDocument
from steward.services.knowledge.caches import Caches
from steward.services.knowledge.events import KnowledgeUpdated
from steward.services.knowledge.features import salt_of
from steward.services.knowledge.indexing import prepare
from steward.services.knowledge.records import Held, Prepared, Source
from steward.services.knowledge.repository import IndexRepository, SourceRepository

Check = Callable[[Mapping[str, Held]], None]
"""Told what is there under the ids, under a lock; what it raises ends the change."""

_SLICE_CHARS: Final = 4_000
"""What is analysed in one go: some milliseconds, after which others have their turn."""


class Shelf:
    """Stores and removes FAQs and documents. A tenant's changes are made one after the other."""

    def __init__(self, clock: Clock, caches: Caches) -> None:
        self._clock = clock
        self._caches = caches
        self._sources = SourceRepository()
        self._index = IndexRepository()

    async def prepare(self, tenant: TenantId, sources: Sequence[Source]) -> Sequence[Prepared]:
        """Analyse sources in a thread, which has the interpreter's lock for some milliseconds at a time."""
        prepared: list[Prepared] = []
        start, chars = 0, 0
        for end, source in enumerate(sources, 1):
            chars += len(source.body)
            if chars >= _SLICE_CHARS or end == len(sources):
                prepared += await asyncio.to_thread(prepare, salt_of(tenant), sources[start:end])
                start, chars = end, 0
        return prepared

    async def store(
        self, tx: Tx, tenant: TenantId, prepared: Sequence[Prepared], check: Check | None = None
    ) -> Sequence[StoredDocument]:
        """Store what differs from what is there. Call `changed` after the commit."""
        corpus = await self._index.begin_change(tx, tenant)
        held = await self._sources.held(tx, tenant, [each.source.id for each in prepared])
        if check is not None:
            check(held)
        news = [each for each in prepared if _differs(each, held)]
        if news:
            replaced = [each.source.id for each in news if each.source.id in held]
            if replaced:
                await self._index.remove(tx, tenant, replaced)
            await self._index.add(tx, tenant, news, corpus.next_number)
            await self._sources.put(
                tx, tenant, news, [_version(each.source.id, held) + 1 for each in news], self._clock.now()
            )
            tx.emit(KnowledgeUpdated(revision=corpus.revision))
        changed = {each.source.id for each in news}
        return [
            StoredDocument(
                id=each.source.id,
                version=_version(each.source.id, held) + (each.source.id in changed),
                chunks=len(each.chunks),
                changed=each.source.id in changed,
            )
            for each in prepared
        ]

    async def index_anew(self, tx: Tx, tenant: TenantId, prepared: Sequence[Prepared]) -> None:
        """Put chunks of another form in place of the present ones, for sources that have not been changed meanwhile.

        What the owner wrote stays, with its version. Call `changed` after the commit.
        """
        corpus = await self._index.begin_change(tx, tenant)
        held = await self._sources.held(tx, tenant, [each.source.id for each in prepared])
        same = [each for each in prepared if each.source.id in held and not _differs(each, held)]
        if same:
            await self._index.remove(tx, tenant, [each.source.id for each in same])
            await self._index.add(tx, tenant, same, corpus.next_number)
            await self._sources.indexed_anew(tx, tenant, same)
            tx.emit(KnowledgeUpdated(revision=corpus.revision))

    async def delete(self, tx: Tx, tenant: TenantId, source_id: str, kind: SourceKind) -> bool:
        """Delete a source; False when there is none. Call `changed` after the commit."""
        corpus = await self._index.begin_change(tx, tenant)
        if not await self._sources.delete(tx, tenant, source_id, kind):
            return False
        await self._index.remove(tx, tenant, [source_id])
        tx.emit(KnowledgeUpdated(revision=corpus.revision))
        return True

    def changed(self, ctx: Ctx | SystemCtx) -> None:
        """Have the next search see the change."""
        self._caches.changed(ctx.require_tenant())


def _differs(prepared: Prepared, held: Mapping[str, Held]) -> bool:
    there = held.get(prepared.source.id)
    return there is None or there.digest != prepared.source.digest


def _version(source_id: str, held: Mapping[str, Held]) -> int:
    there = held.get(source_id)
    return 0 if there is None else there.version
