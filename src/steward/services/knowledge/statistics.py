"""What is asked: popular and unanswered questions, feedback; and the hourly work on them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from steward.kit.context import Ctx, SystemCtx
from steward.kit.outbox import StoredEvent
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.knowledge.api import FeedbackCount, PopularQuestion
from steward.services.knowledge.errors import QueryNotFound
from steward.services.knowledge.events import PopularQuestionsCounted
from steward.services.knowledge.repository import IndexRepository, QuestionRepository, QuestionSystemRepository
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

WINDOW: Final = timedelta(days=7)
KEPT: Final = timedelta(days=30)
MOST: Final = 100


class Statistics(UseCase):
    """Counts of what a tenant's customers ask, and what they think of the answers."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = QuestionRepository()

    async def list_popular(self, ctx: Ctx, *, limit: int = MOST) -> Sequence[PopularQuestion]:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/popular")
        async with self._parts.db.tx(ctx) as tx:
            counted = await self._rows.popular(tx, ctx.require_tenant(), limit)
        # A tenant of whom nothing was counted yet has asked little: that is counted now.
        return counted or await self._count(ctx, limit, unanswered=False)

    async def list_unanswered(self, ctx: Ctx, *, limit: int = MOST) -> Sequence[PopularQuestion]:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/unanswered")
        return await self._count(ctx, limit, unanswered=True)

    async def give_feedback(self, ctx: Ctx, *, query_id: UUID, helpful: bool, comment: str = "") -> None:
        await self._parts.authz.require(ctx, "knowledge:read", f"query/{query_id}")
        await self._parts.recorder.flush()
        tenant = ctx.require_tenant()
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.faq_of(tx, tenant, query_id)
            if found is None:
                raise QueryNotFound(query_id)
            now = self._parts.clock.now()
            await self._rows.put_feedback(tx, tenant, query_id, found[0], comment, now, helpful=helpful)

    async def list_feedback(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[FeedbackCount]:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/feedback")
        after = decode_cursor(cursor, str)
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.feedback_after(tx, ctx.require_tenant(), after, limit + 1)
        return Page(found[:limit], encode_cursor(found[limit - 1].faq_id) if len(found) > limit else None)

    async def _count(self, ctx: Ctx, limit: int, *, unanswered: bool) -> Sequence[PopularQuestion]:
        await self._parts.recorder.flush()
        since = self._parts.clock.now() - WINDOW
        async with self._parts.db.tx(ctx) as tx:
            return await self._rows.count(tx, ctx.require_tenant(), since, limit, unanswered=unanswered)


class Housekeeping(UseCase):
    """Work that no request asks for."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = QuestionSystemRepository()
        self._index = IndexRepository()

    async def count_popular(self) -> None:
        """Count what was asked most, tell it, and forget old queries; hourly."""
        await self._parts.recorder.flush()
        now = self._parts.clock.now()
        async with self._parts.db.system_tx(SystemCtx(reason="popular questions", service="knowledge")) as tx:
            for tenant, questions in (await self._rows.count_popular(tx, now - WINDOW, MOST)).items():
                tx.emit(PopularQuestionsCounted(questions=questions), tenant=tenant)
        async with self._parts.db.system_tx(SystemCtx(reason="old queries", service="knowledge")) as tx:
            await self._rows.forget(tx, now - KEPT)

    async def on_tenants(self, event: StoredEvent) -> None:
        """The handler for the bus: a tenant that is gone leaves nothing behind."""
        if event.type == "tenants.TenantDeleted":
            ctx = SystemCtx(reason="the tenant was deleted", service="knowledge", tenant=event.tenant)
            async with self._parts.db.tx(ctx) as tx:
                await self._index.erase(tx, event.tenant)
            self._parts.caches.changed(event.tenant)
