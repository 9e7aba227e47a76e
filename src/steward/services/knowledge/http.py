"""The HTTP routes of the knowledge service.

An id in a path is the rest of the path: it may have slashes, and whatever else a URL gives a meaning is
percent-encoded as everywhere (`a/b c#1` is `…/documents/a/b%20c%231`, or `…/documents/a%2Fb%20c%231`).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter, SkipValidation
from msgspec import Meta

from steward.kit.errors import InvalidInput
from steward.kit.paging import Page
from steward.kit.web import NAMES_ONE, Caller, Items, PageCursor, PageLimit, takes_bytes
from steward.services.knowledge.api import (
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
    LocaleTag,
    PopularQuestion,
    Question,
    SearchFilters,
    SearchResult,
    StoredDocument,
    Text,
    Title,
    Words,
)

KnowledgePort = NamedDependency[SkipValidation[KnowledgeApi]]

DOCUMENTS: Final = ("Documents",)
FAQS: Final = ("FAQs",)
SEARCH: Final = ("Search",)
LARGE: Final[Mapping[str, Any]] = takes_bytes(10_000_000)

IdPath = Annotated[str, PathParameter(max_length=201, description="The id; it may have slashes.")]
InCategory = Annotated[str | None, QueryParameter(max_length=100, description="Only those of this category.")]
Most = Annotated[int, QueryParameter(ge=1, le=100, description="How many to return.")]


class DocumentBody(DocumentInput, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document to store: a new one, or the next version of the one with this id."""


class DocumentsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One document, or several as `documents`."""

    documents: Annotated[Sequence[DocumentBody], Meta(min_length=1, max_length=1000)] | None = None
    id: DocumentId | None = None
    title: Title = ""
    text: Text | None = None
    tags: Words = ()
    locale: LocaleTag | None = None

    def all(self) -> Sequence[DocumentInput]:
        """The documents. Raises `InvalidInput` for none, and for both forms at once."""
        single = (self.id, self.title, self.text, list(self.tags), self.locale) != (None, "", None, [], None)
        if self.documents is not None and single:
            raise InvalidInput("give `documents` or the fields of one document, not both", field="documents")
        if self.documents is not None:
            return self.documents
        if self.text is None:
            raise InvalidInput("text is missing: give it, or a list `documents`", field="text")
        return [DocumentInput(id=self.id, title=self.title, text=self.text, tags=self.tags, locale=self.locale)]


class StoredDocuments(msgspec.Struct, frozen=True):
    """What became of each document, in the order of the request."""

    documents: Sequence[StoredDocument]


class FaqBody(FaqInput, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with its answer."""


class FaqUpdateBody(FaqUpdate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; an absent field stays."""


class ImportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: ImportFormat
    content: Annotated[str, Meta(max_length=10_000_000)]
    """The text of the file."""


class SearchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    query: Question
    k: Hits = 10
    filters: SearchFilters | None = None


class FeedbackBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    query_id: UUID
    """Of the search."""
    helpful: bool
    comment: Comment = ""


@post("/api/v1/knowledge/documents", tags=DOCUMENTS, status_code=200, opt=LARGE)
async def put_documents(ctx: Caller, knowledge: KnowledgePort, data: JSONBody[DocumentsBody]) -> StoredDocuments:
    """Store a document, or up to 1,000 as `documents`, in a body of up to 10 MB

    All are searchable when this answers, or none was stored. Give ids, and a repetition changes nothing. Needs
    `knowledge:write`.
    """
    return StoredDocuments(await knowledge.put_documents(ctx, documents=data.all()))


@put("/api/v1/knowledge/documents/{document_id:path}", tags=DOCUMENTS)
async def put_document(
    ctx: Caller, knowledge: KnowledgePort, document_id: IdPath, data: JSONBody[DocumentBody]
) -> StoredDocument:
    """Store a document under this id

    Needs `knowledge:write`.
    """
    return await knowledge.put_document(ctx, document_id=_id(document_id), document=data)


@get("/api/v1/knowledge/documents/{document_id:path}", tags=DOCUMENTS)
async def get_document(ctx: Caller, knowledge: KnowledgePort, document_id: IdPath) -> Document:
    """Get a document

    Needs `knowledge:read`.
    """
    return await knowledge.get_document(ctx, document_id=_id(document_id))


@get("/api/v1/knowledge/documents", tags=DOCUMENTS)
async def list_documents(
    ctx: Caller, knowledge: KnowledgePort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[DocumentSummary]:
    """List all documents by id

    Needs `knowledge:read`.
    """
    return await knowledge.list_documents(ctx, limit=limit, cursor=cursor)


@get("/api/v1/knowledge/versions/{document_id:path}", tags=DOCUMENTS)
async def list_document_versions(ctx: Caller, knowledge: KnowledgePort, document_id: IdPath) -> Items[DocumentVersion]:
    """List the contents that a document or FAQ has had, newest first, at most 100

    Needs `knowledge:read`.
    """
    return Items(list(await knowledge.list_document_versions(ctx, document_id=_id(document_id))))


@delete("/api/v1/knowledge/documents/{document_id:path}", tags=DOCUMENTS)
async def delete_document(ctx: Caller, knowledge: KnowledgePort, document_id: IdPath) -> None:
    """Delete a document and its versions

    Needs `knowledge:write`.
    """
    await knowledge.delete_document(ctx, document_id=_id(document_id))


@post("/api/v1/knowledge/faqs", tags=FAQS)
async def create_faq(ctx: Caller, knowledge: KnowledgePort, data: JSONBody[FaqBody]) -> Faq:
    """Add a FAQ

    Needs `knowledge:write`.
    """
    return await knowledge.create_faq(ctx, faq=data)


@get("/api/v1/knowledge/faqs", tags=FAQS)
async def list_faqs(
    ctx: Caller,
    knowledge: KnowledgePort,
    category: InCategory = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[Faq]:
    """List all FAQs by id

    Needs `knowledge:read`.
    """
    return await knowledge.list_faqs(ctx, category=category, limit=limit, cursor=cursor)


@get("/api/v1/knowledge/faqs/{faq_id:path}", tags=FAQS)
async def get_faq(ctx: Caller, knowledge: KnowledgePort, faq_id: IdPath) -> Faq:
    """Get a FAQ

    Needs `knowledge:read`.
    """
    return await knowledge.get_faq(ctx, faq_id=_id(faq_id))


@patch("/api/v1/knowledge/faqs/{faq_id:path}", tags=FAQS)
async def update_faq(ctx: Caller, knowledge: KnowledgePort, faq_id: IdPath, data: JSONBody[FaqUpdateBody]) -> Faq:
    """Change a FAQ

    Needs `knowledge:write`.
    """
    return await knowledge.update_faq(ctx, faq_id=_id(faq_id), change=data)


@delete("/api/v1/knowledge/faqs/{faq_id:path}", tags=FAQS)
async def delete_faq(ctx: Caller, knowledge: KnowledgePort, faq_id: IdPath) -> None:
    """Delete a FAQ and its versions

    Needs `knowledge:write`.
    """
    await knowledge.delete_faq(ctx, faq_id=_id(faq_id))


@post("/api/v1/knowledge/faqs/import", tags=FAQS, status_code=200, opt=LARGE)
async def import_faqs(ctx: Caller, knowledge: KnowledgePort, data: JSONBody[ImportBody]) -> ImportResult:
    """Add or update FAQs from the text of a CSV or Markdown file, in a body of up to 10 MB

    Lines that cannot be taken are told, the others are stored. Needs `knowledge:write`.
    """
    return await knowledge.import_faqs(ctx, format=data.format, content=data.content)


@post("/api/v1/knowledge/search", tags=SEARCH, status_code=200)
async def search(ctx: Caller, knowledge: KnowledgePort, data: JSONBody[SearchBody]) -> SearchResult:
    """Find the chunks of FAQs and documents that fit a query best

    Needs `knowledge:read`.
    """
    return await knowledge.search(ctx, query=data.query, k=data.k, filters=data.filters)


@get("/api/v1/knowledge/popular", tags=SEARCH)
async def list_popular(ctx: Caller, knowledge: KnowledgePort, limit: Most = 100) -> Items[PopularQuestion]:
    """List what was asked most in 7 days, counted hourly

    Needs `knowledge:read`.
    """
    return Items(list(await knowledge.list_popular(ctx, limit=limit)))


@get("/api/v1/knowledge/unanswered", tags=SEARCH)
async def list_unanswered(ctx: Caller, knowledge: KnowledgePort, limit: Most = 100) -> Items[PopularQuestion]:
    """List what was asked most in 7 days and found nothing that fits

    Needs `knowledge:read`.
    """
    return Items(list(await knowledge.list_unanswered(ctx, limit=limit)))


@post("/api/v1/knowledge/feedback", tags=SEARCH, status_code=204, opt=NAMES_ONE)
async def give_feedback(ctx: Caller, knowledge: KnowledgePort, data: JSONBody[FeedbackBody]) -> None:
    """Say whether what a query found helped; the last word counts

    Needs `knowledge:read`.
    """
    await knowledge.give_feedback(ctx, query_id=data.query_id, helpful=data.helpful, comment=data.comment)


@get("/api/v1/knowledge/feedback", tags=SEARCH)
async def list_feedback(
    ctx: Caller, knowledge: KnowledgePort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[FeedbackCount]:
    """List feedback by FAQ

    Needs `knowledge:read`.
    """
    return await knowledge.list_feedback(ctx, limit=limit, cursor=cursor)


def _id(path: str) -> str:
    """The id in the rest of a path, which begins with a slash."""
    return path.removeprefix("/")


ROUTES: Sequence[HTTPRouteHandler] = (
    put_documents,
    put_document,
    get_document,
    list_documents,
    list_document_versions,
    delete_document,
    create_faq,
    list_faqs,
    get_faq,
    update_faq,
    delete_faq,
    import_faqs,
    search,
    list_popular,
    list_unanswered,
    give_feedback,
    list_feedback,
)
