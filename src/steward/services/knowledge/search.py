"""Searching as a use case: permitted, and recorded with what it found."""

from uuid import UUID

from steward.kit.context import Ctx
from steward.services.knowledge.api import SearchFilters, SearchResult, SourceKind
from steward.services.knowledge.confidence import ANSWERED
from steward.services.knowledge.features import key_of
from steward.services.knowledge.records import RecordedQuery
from steward.services.knowledge.searching import Searching
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

_NO_FILTERS = SearchFilters()


class Search(UseCase):
    """Searches and their record."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._searching = Searching(parts.db, parts.caches)

    async def search(
        self, ctx: Ctx, *, query: str, k: int = 10, filters: SearchFilters | None = None, recorded: bool = True
    ) -> SearchResult:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/search")
        hits = await self._searching.search(ctx, query, k, filters or _NO_FILTERS)
        best = hits[0] if hits and hits[0].confidence >= ANSWERED else None
        faq_id = best.document_id if best is not None and best.kind is SourceKind.FAQ else None
        if not recorded:
            return SearchResult(query_id=self._parts.ids.new(), hits=hits)
        return SearchResult(query_id=self._record(ctx, query, faq_id, answered=best is not None), hits=hits)

    async def note_answered(self, ctx: Ctx, *, question: str, faq_id: str) -> UUID:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/search")
        return self._record(ctx, question, faq_id, answered=True)

    def _record(self, ctx: Ctx, question: str, faq_id: str | None, *, answered: bool) -> UUID:
        query_id = self._parts.ids.new()
        self._parts.recorder.add(
            RecordedQuery(
                tenant=ctx.require_tenant(),
                id=query_id,
                question=question,
                key=key_of(question),
                faq_id=faq_id,
                answered=answered,
                asked_at=self._parts.clock.now(),
            )
        )
        return query_id
