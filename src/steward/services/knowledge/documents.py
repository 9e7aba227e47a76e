"""Documents: stored, listed, shown with their versions, deleted."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.errors import InvalidInput, TooLarge
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.knowledge.api import (
    Document,
    DocumentInput,
    DocumentSummary,
    DocumentVersion,
    SourceKind,
    StoredDocument,
)
from steward.services.knowledge.errors import DocumentIsFaq, DocumentNotFound
from steward.services.knowledge.indexing import document_sources
from steward.services.knowledge.records import Held, Source, StoredSource
from steward.services.knowledge.repository import SourceRepository
from steward.services.knowledge.use_case import KnowledgeParts, UseCase

MOST_CHARS: Final = 10_000_000
"""Titles and texts of a call together."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit trail says of stored documents or FAQs: which, not what is in them."""

    ids: Sequence[str]
    versions: Sequence[int]


class Documents(UseCase):
    """A tenant's documents."""

    def __init__(self, parts: KnowledgeParts) -> None:
        super().__init__(parts)
        self._rows = SourceRepository()

    async def put_documents(self, ctx: Ctx, *, documents: Sequence[DocumentInput]) -> Sequence[StoredDocument]:
        await self._parts.authz.require(ctx, "knowledge:write", "knowledge/documents")
        _check_sizes(documents)
        named = [(document.id or str(self._parts.ids.new()), document) for document in documents]
        return await self._put(ctx, await asyncio.to_thread(document_sources, named))

    async def put_document(self, ctx: Ctx, *, document_id: str, document: DocumentInput) -> StoredDocument:
        await self._parts.authz.require(ctx, "knowledge:write", f"document/{document_id}")
        if document.id not in {None, document_id}:
            raise InvalidInput(
                f"id is {document.id!r}, but the document that is put is {document_id!r}: leave id out", field="id"
            )
        return (await self._put(ctx, await asyncio.to_thread(document_sources, [(document_id, document)])))[0]

    async def get_document(self, ctx: Ctx, *, document_id: str) -> Document:
        await self._parts.authz.require(ctx, "knowledge:read", f"document/{document_id}")
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.get(tx, ctx.require_tenant(), document_id, SourceKind.DOCUMENT)
        if found is None:
            raise DocumentNotFound(document_id)
        return _document(found)

    async def list_documents(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[DocumentSummary]:
        await self._parts.authz.require(ctx, "knowledge:read", "knowledge/documents")
        after = decode_cursor(cursor, str)
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.list_after(tx, ctx.require_tenant(), SourceKind.DOCUMENT, after, limit + 1)
        items = [_summary(each) for each in found[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(found) > limit else None)

    async def list_document_versions(self, ctx: Ctx, *, document_id: str) -> Sequence[DocumentVersion]:
        await self._parts.authz.require(ctx, "knowledge:read", f"document/{document_id}")
        async with self._parts.db.tx(ctx) as tx:
            found = await self._rows.versions(tx, ctx.require_tenant(), document_id)
        if not found:
            raise DocumentNotFound(document_id)
        return found

    async def delete_document(self, ctx: Ctx, *, document_id: str) -> None:
        await self._parts.authz.require(ctx, "knowledge:write", f"document/{document_id}")
        async with self._parts.db.tx(ctx) as tx:
            if not await self._parts.shelf.delete(tx, ctx.require_tenant(), document_id, SourceKind.DOCUMENT):
                raise DocumentNotFound(document_id)
            tx.audit(Audit(action="document.deleted", resource=f"document/{document_id}"))
        self._parts.shelf.changed(ctx)

    async def _put(self, ctx: Ctx, sources: Sequence[Source]) -> Sequence[StoredDocument]:
        tenant = ctx.require_tenant()
        async with self._parts.db.tx(ctx) as tx:
            held = await self._rows.held(tx, tenant, [source.id for source in sources])
        _check_kinds(held)
        if all(source.id in held and held[source.id].digest == source.digest for source in sources):
            return [_unchanged(source, held[source.id]) for source in sources]
        prepared = await self._parts.shelf.prepare(tenant, sources)
        async with self._parts.db.tx(ctx) as tx:
            stored = await self._parts.shelf.store(tx, tenant, prepared, _check_kinds)
            changed = [each for each in stored if each.changed]
            if changed:
                tx.audit(stored_audit("document", changed))
        self._parts.shelf.changed(ctx)
        return stored


def stored_audit(kind: str, changed: Sequence[StoredDocument]) -> Audit:
    """The entry for what a call has stored."""
    resource = f"{kind}/{changed[0].id}" if len(changed) == 1 else f"knowledge/{kind}s"
    after = Stored(ids=[each.id for each in changed], versions=[each.version for each in changed])
    return Audit(action=f"{kind}.stored", resource=resource, after=after)


def _check_sizes(documents: Sequence[DocumentInput]) -> None:
    given = Counter(document.id for document in documents if document.id is not None)
    twice = [document_id for document_id, count in given.items() if count > 1]
    if twice:
        raise InvalidInput(f"document {min(twice)!r} is there more than once: give each id once", field="documents")
    chars = sum(len(document.title) + len(document.text) for document in documents)
    if chars > MOST_CHARS:
        raise TooLarge(
            f"the documents have {chars} characters together, {MOST_CHARS} are the most: send several calls",
            limit=MOST_CHARS,
        )


def _check_kinds(held: Mapping[str, Held]) -> None:
    for source_id, there in held.items():
        if there.kind is SourceKind.FAQ:
            raise DocumentIsFaq(source_id)


def _unchanged(source: Source, held: Held) -> StoredDocument:
    return StoredDocument(id=source.id, version=held.version, chunks=held.chunks, changed=False)


def _document(found: StoredSource) -> Document:
    return Document(
        id=found.source.id,
        title=found.source.title,
        text=found.source.body,
        tags=found.source.tags,
        locale=found.source.locale,
        version=found.version,
        chunks=found.chunks,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def _summary(found: StoredSource) -> DocumentSummary:
    return DocumentSummary(
        id=found.source.id,
        title=found.source.title,
        tags=found.source.tags,
        locale=found.source.locale,
        version=found.version,
        chunks=found.chunks,
        updated_at=found.updated_at,
    )
