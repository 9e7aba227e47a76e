"""The knowledge service over gRPC: its description and its client."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
from steward.services.knowledge.api import (
    Category,
    Comment,
    Document,
    DocumentId,
    DocumentInput,
    DocumentSummary,
    DocumentVersion,
    Faq,
    FaqInput,
    FaqUpdate,
    FeedbackCount,
    Hits,
    ImportFormat,
    ImportResult,
    KnowledgeApi,
    PopularQuestion,
    Question,
    SearchFilters,
    SearchResult,
    StoredDocument,
)
from steward_proto.v1 import knowledge_pb2

KNOWLEDGE = RpcService(
    "knowledge",
    knowledge_pb2.DESCRIPTOR.services_by_name["KnowledgeService"],
    KnowledgeApi,
    {
        "PutDocuments": KnowledgeApi.put_documents,
        "PutDocument": KnowledgeApi.put_document,
        "GetDocument": KnowledgeApi.get_document,
        "ListDocuments": KnowledgeApi.list_documents,
        "ListDocumentVersions": KnowledgeApi.list_document_versions,
        "DeleteDocument": KnowledgeApi.delete_document,
        "CreateFaq": KnowledgeApi.create_faq,
        "GetFaq": KnowledgeApi.get_faq,
        "ListFaqs": KnowledgeApi.list_faqs,
        "UpdateFaq": KnowledgeApi.update_faq,
        "DeleteFaq": KnowledgeApi.delete_faq,
        "ImportFaqs": KnowledgeApi.import_faqs,
        "Search": KnowledgeApi.search,
        "NoteAnswered": KnowledgeApi.note_answered,
        "ListPopular": KnowledgeApi.list_popular,
        "ListUnanswered": KnowledgeApi.list_unanswered,
        "GiveFeedback": KnowledgeApi.give_feedback,
        "ListFeedback": KnowledgeApi.list_feedback,
    },
)


class KnowledgeClient(KnowledgeApi):
    """The knowledge service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def put_documents(
        self, ctx: Ctx, *, documents: Annotated[Sequence[DocumentInput], Meta(min_length=1, max_length=1000)]
    ) -> Sequence[StoredDocument]:
        return await self._rpc.call(ctx, "PutDocuments", documents=documents)

    async def put_document(self, ctx: Ctx, *, document_id: DocumentId, document: DocumentInput) -> StoredDocument:
        return await self._rpc.call(ctx, "PutDocument", document_id=document_id, document=document)

    async def get_document(self, ctx: Ctx, *, document_id: DocumentId) -> Document:
        return await self._rpc.call(ctx, "GetDocument", document_id=document_id)

    async def list_documents(
        self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[DocumentSummary]:
        return await self._rpc.call(ctx, "ListDocuments", limit=limit, cursor=cursor)

    async def list_document_versions(self, ctx: Ctx, *, document_id: DocumentId) -> Sequence[DocumentVersion]:
        return await self._rpc.call(ctx, "ListDocumentVersions", document_id=document_id)

    async def delete_document(self, ctx: Ctx, *, document_id: DocumentId) -> None:
        await self._rpc.call(ctx, "DeleteDocument", document_id=document_id)

    async def create_faq(self, ctx: Ctx, *, faq: FaqInput) -> Faq:
        return await self._rpc.call(ctx, "CreateFaq", faq=faq)

    async def get_faq(self, ctx: Ctx, *, faq_id: DocumentId) -> Faq:
        return await self._rpc.call(ctx, "GetFaq", faq_id=faq_id)

    async def list_faqs(
        self, ctx: Ctx, *, category: Category | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Faq]:
        return await self._rpc.call(ctx, "ListFaqs", category=category, limit=limit, cursor=cursor)

    async def update_faq(self, ctx: Ctx, *, faq_id: DocumentId, change: FaqUpdate) -> Faq:
        return await self._rpc.call(ctx, "UpdateFaq", faq_id=faq_id, change=change)

    async def delete_faq(self, ctx: Ctx, *, faq_id: DocumentId) -> None:
        await self._rpc.call(ctx, "DeleteFaq", faq_id=faq_id)

    async def import_faqs(
        self,
        ctx: Ctx,
        *,
        format: ImportFormat,  # noqa: A002 the contract's word
        content: Annotated[str, Meta(max_length=10_000_000)],
    ) -> ImportResult:
        return await self._rpc.call(ctx, "ImportFaqs", format=format, content=content)

    async def search(
        self, ctx: Ctx, *, query: Question, k: Hits = 10, filters: SearchFilters | None = None, recorded: bool = True
    ) -> SearchResult:
        return await self._rpc.call(ctx, "Search", query=query, k=k, filters=filters, recorded=recorded)

    async def note_answered(self, ctx: Ctx, *, question: Question, faq_id: DocumentId) -> UUID:
        return await self._rpc.call(ctx, "NoteAnswered", question=question, faq_id=faq_id)

    async def list_popular(
        self, ctx: Ctx, *, limit: Annotated[int, Meta(ge=1, le=100)] = 100
    ) -> Sequence[PopularQuestion]:
        return await self._rpc.call(ctx, "ListPopular", limit=limit)

    async def list_unanswered(
        self, ctx: Ctx, *, limit: Annotated[int, Meta(ge=1, le=100)] = 100
    ) -> Sequence[PopularQuestion]:
        return await self._rpc.call(ctx, "ListUnanswered", limit=limit)

    async def give_feedback(self, ctx: Ctx, *, query_id: UUID, helpful: bool, comment: Comment = "") -> None:
        await self._rpc.call(ctx, "GiveFeedback", query_id=query_id, helpful=helpful, comment=comment)

    async def list_feedback(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[FeedbackCount]:
        return await self._rpc.call(ctx, "ListFeedback", limit=limit, cursor=cursor)
