"""FAQs: added, listed, changed, deleted."""

from collections.abc import Mapping

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.db import Tx
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.knowledge.api import Faq, FaqInput, FaqUpdate, SourceKind
from steward.services.knowledge.documents import stored_audit
from steward.services.knowledge.errors import FaqExists, FaqNotFound, KnowledgeChanged
from steward.services.knowledge.indexing import faq_source
from steward.services.knowledge.records import Held, StoredSource
from steward.services.knowledge.repository import SourceRepository
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

_CREATE = "create_faq"


class Faqs(UseCase):
    """A tenant's FAQs."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = SourceRepository()

    async def create_faq(self, ctx: Ctx, *, faq: FaqInput) -> Faq:
        await self._parts.authz.require(ctx, "knowledge:write", "knowledge/faqs")
        tenant = ctx.require_tenant()
        source = faq_source(faq.id or str(self._parts.ids.new()), faq)
        prepared = await self._parts.shelf.prepare(tenant, [source])

        def absent(held: Mapping[str, Held]) -> None:
            if held:
                raise FaqExists(source.id)

        async with self._parts.db.tx(ctx) as tx:
            again = await self._parts.idempotency.replay(tx, ctx, _CREATE, faq, Faq)
            if again is not None:
                return again
            tx.audit(stored_audit("faq", await self._parts.shelf.store(tx, tenant, prepared, absent)))
            created = _shown(await self._get(ctx, source.id, tx))
            await self._parts.idempotency.remember(tx, ctx, _CREATE, created)
        self._parts.shelf.changed(ctx)
        return created

    async def get_faq(self, ctx: Ctx, *, faq_id: str) -> Faq:
        await self._parts.authz.require(ctx, "knowledge:read", f"faq/{faq_id}")
        async with self._parts.db.tx(ctx) as tx:
            return _shown(await self._get(ctx, faq_id, tx))

    async def list_faqs(
        self, ctx: Ctx, *, category: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Faq]:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/faqs")
        after = decode_cursor(cursor, str)
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.list_after(tx, ctx.require_tenant(), SourceKind.FAQ, after, limit + 1, category)
        items = [_shown(each) for each in found[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(found) > limit else None)

    async def update_faq(self, ctx: Ctx, *, faq_id: str, change: FaqUpdate) -> Faq:
        await self._parts.authz.require(ctx, "knowledge:write", f"faq/{faq_id}")
        tenant = ctx.require_tenant()
        async with self._parts.db.tx(ctx) as tx:
            before = await self._get(ctx, faq_id, tx)
        if change.version not in {None, before.version}:
            raise KnowledgeChanged(faq_id, change.version or 0, before.version)
        prepared = await self._parts.shelf.prepare(tenant, [faq_source(faq_id, _changed(before, change))])

        def same(held: Mapping[str, Held]) -> None:
            there = held.get(faq_id)
            if there is None:
                raise FaqNotFound(faq_id)
            if there.version != before.version:
                raise KnowledgeChanged(faq_id, before.version, there.version)

        async with self._parts.db.tx(ctx) as tx:
            stored = await self._parts.shelf.store(tx, tenant, prepared, same)
            if stored[0].changed:
                tx.audit(stored_audit("faq", stored))
            after = _shown(await self._get(ctx, faq_id, tx))
        self._parts.shelf.changed(ctx)
        return after

    async def delete_faq(self, ctx: Ctx, *, faq_id: str) -> None:
        await self._parts.authz.require(ctx, "knowledge:write", f"faq/{faq_id}")
        async with self._parts.db.tx(ctx) as tx:
            if not await self._parts.shelf.delete(tx, ctx.require_tenant(), faq_id, SourceKind.FAQ):
                raise FaqNotFound(faq_id)
            tx.audit(Audit(action="faq.deleted", resource=f"faq/{faq_id}"))
        self._parts.shelf.changed(ctx)

    async def _get(self, ctx: Ctx, faq_id: str, tx: Tx) -> StoredSource:
        found = await self._rows.get(tx, ctx.require_tenant(), faq_id, SourceKind.FAQ)
        if found is None:
            raise FaqNotFound(faq_id)
        return found


def _changed(before: StoredSource, change: FaqUpdate) -> FaqInput:
    """The whole FAQ with the change in it; its language stays, unless the question is another."""
    source = before.source
    return FaqInput(
        question=source.title if change.question is None else change.question,
        answer=source.body if change.answer is None else change.answer,
        category=source.category if change.category is None else change.category,
        keywords=source.tags if change.keywords is None else change.keywords,
        locale=source.locale if change.question is None else None,
    )


def _shown(found: StoredSource) -> Faq:
    source = found.source
    return Faq(
        id=source.id,
        question=source.title,
        answer=source.body,
        category=source.category,
        keywords=source.tags,
        locale=source.locale,
        version=found.version,
        view_count=found.views,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
