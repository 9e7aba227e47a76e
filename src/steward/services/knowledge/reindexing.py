"""Storing chunks anew whose form of analysis is not the present one any more, while search goes on."""

from collections.abc import Sequence
from typing import Final

from steward.kit.context import SystemCtx
from steward.kit.ids import TenantId
from steward.services.knowledge.indexing import INDEX_VERSION
from steward.services.knowledge.repository import SourceRepository, SourceSystemRepository
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

_BATCH: Final = 100
"""Sources that are stored anew in one transaction, which holds off the tenant's other changes."""


class Reindexing(UseCase):
    """Runs when a process starts, and hourly, for a process of an older release may still have stored in its form.

    Meanwhile chunks of both forms are searched: the old ones are found by what both forms have in common.
    """

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = SourceRepository()
        self._of_all = SourceSystemRepository()

    async def run(self) -> None:
        """Go on until nothing is in an older form."""
        while outdated := await self._outdated():
            for tenant, ids in outdated.items():
                await self._store_anew(tenant, ids)

    async def _outdated(self) -> dict[TenantId, list[str]]:
        async with self._parts.db.system_read(SystemCtx(reason="older forms of chunks", service="knowledge")) as tx:
            return await self._of_all.indexed_before(tx, INDEX_VERSION, _BATCH)

    async def _store_anew(self, tenant: TenantId, ids: Sequence[str]) -> None:
        ctx = SystemCtx(reason="older forms of chunks", service="knowledge", tenant=tenant)
        async with self._parts.db.read(ctx) as tx:
            sources = await self._rows.with_ids(tx, tenant, ids)
        prepared = await self._parts.shelf.prepare(tenant, sources)
        async with self._parts.db.tx(ctx) as tx:
            await self._parts.shelf.index_anew(tx, tenant, prepared)
        self._parts.shelf.changed(ctx)
