"""Importing FAQs from a file."""

import asyncio
from collections.abc import Sequence
from typing import Final

from steward.kit.context import Ctx
from steward.services.knowledge.api import ImportFormat, ImportProblem, ImportResult, SourceKind, StoredDocument
from steward.services.knowledge.documents import stored_audit
from steward.services.knowledge.importing import Line, read_faqs
from steward.services.knowledge.indexing import faq_source
from steward.services.knowledge.records import Source
from steward.services.knowledge.repository import SourceRepository
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

_BATCH: Final = 500
"""FAQs that are stored in one transaction."""


class Imports(UseCase):
    """FAQs from CSV and Markdown."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = SourceRepository()

    async def import_faqs(self, ctx: Ctx, *, format: ImportFormat, content: str) -> ImportResult:  # noqa: A002 the contract's word
        await self._parts.authz.require(ctx, "knowledge:write", "knowledge/faqs")
        read = await asyncio.to_thread(read_faqs, format, content)
        problems = list(read.problems)
        stored: list[StoredDocument] = []
        seen: dict[str, int] = {}
        for start in range(0, len(read.lines), _BATCH):
            lines = read.lines[start : start + _BATCH]
            sources = await self._identified(ctx, lines, seen, problems)
            stored += await self._store(ctx, sources)
        return ImportResult(
            created=sum(each.changed and each.version == 1 for each in stored),
            updated=sum(each.changed and each.version > 1 for each in stored),
            unchanged=sum(not each.changed for each in stored),
            problems=sorted(problems, key=lambda problem: problem.line),
        )

    async def _identified(
        self, ctx: Ctx, lines: Sequence[Line], seen: dict[str, int], problems: list[ImportProblem]
    ) -> Sequence[Source]:
        """The FAQs with their ids: their own, that of the FAQ with the same question, or a new one."""
        tenant = ctx.require_tenant()
        drafts = [(line, faq_source(line.faq.id or "", line.faq)) for line in lines]
        async with self._parts.db.tx(ctx) as tx:
            known = await self._rows.ids_by_key(tx, tenant, [draft.key for line, draft in drafts if not line.faq.id])
            named = await self._rows.held(tx, tenant, [line.faq.id for line in lines if line.faq.id])
        sources: list[Source] = []
        for line, draft in drafts:
            source_id = line.faq.id or known.get((draft.key, draft.locale)) or str(self._parts.ids.new())
            # Without an id the same question again is the same FAQ again.
            place = line.faq.id or f"{draft.locale}\0{draft.key}"
            there = named.get(source_id)
            if place in seen:
                problem = f"the FAQ of line {seen[place]} is there again: keep one of the two"
            elif there is not None and there.kind is SourceKind.DOCUMENT:
                problem = f"the id {source_id!r} is that of a document: choose another id"
            else:
                seen[place] = line.number
                sources.append(faq_source(source_id, line.faq))
                continue
            problems.append(ImportProblem(line=line.number, problem=problem))
        return sources

    async def _store(self, ctx: Ctx, sources: Sequence[Source]) -> Sequence[StoredDocument]:
        if not sources:
            return ()
        tenant = ctx.require_tenant()
        prepared = await self._parts.shelf.prepare(tenant, sources)
        async with self._parts.db.tx(ctx) as tx:
            stored = await self._parts.shelf.store(tx, tenant, prepared)
            changed = [each for each in stored if each.changed]
            if changed:
                tx.audit(stored_audit("faq", changed))
        self._parts.shelf.changed(ctx)
        return stored
