"""The contract of the knowledge service: FAQs and documents of a tenant, and the search over both.

Every method may raise `Forbidden` (the caller lacks the permission named). Texts may be English, traditional or
simplified Chinese, mixed at will: search folds both scripts into one form, segments Chinese and stems English.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page

DocumentId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^(?!\.{1,2}(?:/|$))[^\x00-\x1f\x7f/]+(?:/(?!\.{1,2}(?:/|$))[^\x00-\x1f\x7f/]+)*$",
        description="An id of the tenant's choice. What stands between slashes is not empty, `.` or `..`.",
    ),
]
Title = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Text = Annotated[str, Meta(min_length=1, max_length=1_000_000, pattern=r"^[^\x00]+$")]
Question = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
Answer = Annotated[str, Meta(min_length=1, max_length=20_000, pattern=r"^[^\x00]+$")]
Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Words = Annotated[Sequence[Word], Meta(max_length=50)]
Category = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
LocaleTag = Annotated[str, Meta(pattern=r"^(en|zh-Hant|zh-Hans)$")]
Comment = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Hits = Annotated[int, Meta(ge=1, le=100, description="How many hits to return at most.")]


class DocumentInput(msgspec.Struct, frozen=True, kw_only=True):
    """A document to store: a new one, or the next version of the one with this id."""

    id: DocumentId | None = None
    """None makes one up; the same id again replaces, and the same content again changes nothing."""
    title: Title = ""
    text: Text
    tags: Words = ()
    locale: LocaleTag | None = None
    """The language; None has it detected."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str
    text: str
    tags: Sequence[str]
    locale: str
    version: int
    """Counts the contents this document has had."""
    chunks: int
    """Pieces that search finds it by."""
    created_at: datetime
    updated_at: datetime


class DocumentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of a document."""

    id: str
    title: str
    tags: Sequence[str]
    locale: str
    version: int
    chunks: int
    updated_at: datetime


class StoredDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document of a call."""

    id: str
    version: int
    chunks: int
    changed: bool
    """False where the same content was there already."""


class DocumentVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A content that a document or FAQ has or had."""

    version: int
    title: str
    text: str
    tags: Sequence[str]
    changed_at: datetime


class FaqInput(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its answer."""

    id: DocumentId | None = None
    question: Question
    answer: Answer
    category: Category = ""
    keywords: Words = ()
    locale: LocaleTag | None = None
    """The language; None has it detected."""


class FaqUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; an absent field stays."""

    question: Question | None = None
    answer: Answer | None = None
    category: Category | None = None
    keywords: Words | None = None
    version: int | None = None
    """The version this change was made from; another one in the database is a `KnowledgeChanged` conflict."""


class Faq(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    question: str
    answer: str
    category: str
    keywords: Sequence[str]
    locale: str
    version: int
    view_count: int
    """How often it was given as an answer."""
    created_at: datetime
    updated_at: datetime


class ImportFormat(StrEnum):
    CSV = "csv"
    """FAQs: a heading row with `question` and `answer`, and where wanted `id`, `category`, `keywords` (parted by `;`),
    `locale`; other columns are ignored."""
    MARKDOWN = "markdown"
    """FAQs: each heading a question, what follows it the answer; a heading over headings is their category."""


class ImportProblem(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    """Counted from 1."""
    problem: str
    """What is wrong, with the value, and what to do."""


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    created: int
    updated: int
    unchanged: int
    problems: Sequence[ImportProblem]
    """Lines that were not taken; the others were."""


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Narrows a search; an absent field does not."""

    tags: Words | None = None
    """A hit has all of them."""
    kind: "SourceKind | None" = None
    category: Category | None = None
    locale: LocaleTag | None = None
    document_ids: Annotated[Sequence[DocumentId], Meta(max_length=1000)] | None = None


class SourceKind(StrEnum):
    FAQ = "faq"
    DOCUMENT = "document"


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that a search found."""

    document_id: str
    chunk_id: str
    """`<document_id>#<number>`, counted from 0."""
    kind: SourceKind
    title: str
    """Of the document; of a FAQ, its question."""
    text: str
    """Of the chunk; of a FAQ, its answer."""
    locale: str
    score: float
    """Greater is better; comparable within one search only."""
    confidence: float
    """0 to 1: how much of the query this covers; comparable between searches."""
    exact: bool = False
    """The query is this FAQ's question (or a keyword line of it), but for script, case, width and punctuation."""


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    query_id: UUID
    """Names the query in feedback."""
    hits: Sequence[Hit]


class PopularQuestion(msgspec.Struct, frozen=True, kw_only=True):
    question: str
    """As most asked it."""
    asked: int
    """Times within the window."""
    faq_id: str | None
    """What answered it, if anything did."""
    last_asked_at: datetime


class FeedbackCount(msgspec.Struct, frozen=True, kw_only=True):
    faq_id: str
    helpful: int
    unhelpful: int


class KnowledgeApi(Protocol):
    """FAQs, documents and search."""

    async def put_documents(
        self, ctx: Ctx, *, documents: Annotated[Sequence[DocumentInput], Meta(min_length=1, max_length=1000)]
    ) -> Sequence[StoredDocument]:
        """Store up to 1,000 documents with 10 million characters, all or none; needs `knowledge:write`.

        Searchable when this returns, in other processes within 0.25 s. The same content under the same id changes
        nothing. An id twice in a call is an `InvalidInput`, that of a FAQ `DocumentIsFaq`; more is `TooLarge`.
        """
        ...

    async def put_document(self, ctx: Ctx, *, document_id: DocumentId, document: DocumentInput) -> StoredDocument:
        """Store one document under this id; needs `knowledge:write`. Otherwise as `put_documents`."""
        ...

    async def get_document(self, ctx: Ctx, *, document_id: DocumentId) -> Document:
        """One document; needs `knowledge:read`. Raises `DocumentNotFound`."""
        ...

    async def list_documents(
        self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[DocumentSummary]:
        """All documents by id; needs `knowledge:read`."""
        ...

    async def list_document_versions(self, ctx: Ctx, *, document_id: DocumentId) -> Sequence[DocumentVersion]:
        """The contents of a document or FAQ, newest first; needs `knowledge:read`.

        At most 100, and of the older ones only as many as have 1,000,000 characters together with the newest.
        """
        ...

    async def delete_document(self, ctx: Ctx, *, document_id: DocumentId) -> None:
        """Delete a document and its versions; needs `knowledge:write`. Raises `DocumentNotFound`."""
        ...

    async def create_faq(self, ctx: Ctx, *, faq: FaqInput) -> Faq:
        """Add a FAQ; needs `knowledge:write`. Raises `FaqExists` for an id in use."""
        ...

    async def get_faq(self, ctx: Ctx, *, faq_id: DocumentId) -> Faq:
        """One FAQ; needs `knowledge:read`. Raises `FaqNotFound`."""
        ...

    async def list_faqs(
        self, ctx: Ctx, *, category: Category | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Faq]:
        """All FAQs by id; needs `knowledge:read`."""
        ...

    async def update_faq(self, ctx: Ctx, *, faq_id: DocumentId, change: FaqUpdate) -> Faq:
        """Change a FAQ; needs `knowledge:write`. Raises `FaqNotFound`, `KnowledgeChanged`."""
        ...

    async def delete_faq(self, ctx: Ctx, *, faq_id: DocumentId) -> None:
        """Delete a FAQ and its versions; needs `knowledge:write`. Raises `FaqNotFound`."""
        ...

    async def import_faqs(
        self,
        ctx: Ctx,
        *,
        format: ImportFormat,  # noqa: A002 the word for it
        content: Annotated[str, Meta(max_length=10_000_000)],
    ) -> ImportResult:
        """Add or update FAQs from a file's text; needs `knowledge:write`.

        A FAQ without an id is known by its question and language. Lines that cannot be taken are told in the answer;
        raises `ImportUnreadable` where none can be read.
        """
        ...

    async def search(
        self, ctx: Ctx, *, query: Question, k: Hits = 10, filters: SearchFilters | None = None, recorded: bool = True
    ) -> SearchResult:
        """The chunks that fit a query best, best first; needs `knowledge:read`.

        The query is recorded, unless nobody asked it: then it is in no statistics and takes no feedback.
        Of each document its best chunk, unless `filters.document_ids` names documents: then every chunk that fits.
        """
        ...

    async def note_answered(self, ctx: Ctx, *, question: Question, faq_id: DocumentId) -> UUID:
        """Record a question that the caller answered by this FAQ without a search, such as from a cache of its own.

        Returns the id of the query, for feedback; needs `knowledge:read`.
        """
        ...

    async def list_popular(
        self, ctx: Ctx, *, limit: Annotated[int, Meta(ge=1, le=100)] = 100
    ) -> Sequence[PopularQuestion]:
        """What was asked most in 7 days, as counted within the last hour; needs `knowledge:read`."""
        ...

    async def list_unanswered(
        self, ctx: Ctx, *, limit: Annotated[int, Meta(ge=1, le=100)] = 100
    ) -> Sequence[PopularQuestion]:
        """What was asked most in 7 days and found nothing that fits; needs `knowledge:read`."""
        ...

    async def give_feedback(self, ctx: Ctx, *, query_id: UUID, helpful: bool, comment: Comment = "") -> None:
        """Say whether what a query found helped; the last word counts; needs `knowledge:read`.

        Raises `QueryNotFound`, also for 50 ms after a search in another process.
        """
        ...

    async def list_feedback(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[FeedbackCount]:
        """Feedback by FAQ; needs `knowledge:read`."""
        ...
