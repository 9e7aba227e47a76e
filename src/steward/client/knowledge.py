"""The client's part for knowledge: FAQs, documents, and the search over both."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from steward.client.identity import given
from steward.client.transport import Transport, segment
from steward.kit.paging import Page
from steward.services.knowledge.api import (
    Document,
    DocumentInput,
    DocumentSummary,
    Faq,
    FaqInput,
    FaqUpdate,
    ImportFormat,
    ImportResult,
    PopularQuestion,
    SearchFilters,
    SearchResult,
    StoredDocument,
)

_KNOWLEDGE: Final = "/api/v1/knowledge"
_DOCUMENTS: Final = f"{_KNOWLEDGE}/documents"
_FAQS: Final = f"{_KNOWLEDGE}/faqs"


class _Stored(msgspec.Struct):
    documents: Sequence[StoredDocument]


class _Questions(msgspec.Struct):
    items: Sequence[PopularQuestion]


class KnowledgeResource:
    """FAQs, documents and search."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def put_documents(self, documents: Sequence[DocumentInput]) -> Sequence[StoredDocument]:
        """Store up to 1,000 documents, all or none; the same content under the same id changes nothing."""
        found = await self._transport.call("POST", _DOCUMENTS, _Stored, {"documents": documents})
        return found.documents

    async def documents(self, *, limit: int = 50, cursor: str | None = None) -> Page[DocumentSummary]:
        return await self._transport.get(_DOCUMENTS, Page[DocumentSummary], {"limit": limit, "cursor": cursor})

    async def document(self, document_id: str) -> Document:
        return await self._transport.get(f"{_DOCUMENTS}/{segment(document_id)}", Document)

    async def delete_document(self, document_id: str) -> None:
        await self._transport.send("DELETE", f"{_DOCUMENTS}/{segment(document_id)}")

    async def create_faq(self, faq: FaqInput) -> Faq:
        return await self._transport.call("POST", _FAQS, Faq, faq, creates=True)

    async def faqs(self, *, category: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Faq]:
        return await self._transport.get(_FAQS, Page[Faq], {"category": category, "limit": limit, "cursor": cursor})

    async def faq(self, faq_id: str) -> Faq:
        return await self._transport.get(f"{_FAQS}/{segment(faq_id)}", Faq)

    async def update_faq(self, faq_id: str, change: FaqUpdate) -> Faq:
        return await self._transport.call("PATCH", f"{_FAQS}/{segment(faq_id)}", Faq, given(change))

    async def delete_faq(self, faq_id: str) -> None:
        await self._transport.send("DELETE", f"{_FAQS}/{segment(faq_id)}")

    async def import_faqs(self, content: str, *, form: ImportFormat) -> ImportResult:
        """Add or update FAQs from a file's text; the same text again changes nothing."""
        body = {"format": form, "content": content}
        return await self._transport.call("POST", f"{_FAQS}/import", ImportResult, body)

    async def search(self, query: str, *, k: int = 10, filters: SearchFilters | None = None) -> SearchResult:
        """The chunks that fit a query best, best first."""
        body: dict[str, object] = {"query": query, "k": k}
        if filters is not None:
            body["filters"] = given(filters)
        return await self._transport.call("POST", f"{_KNOWLEDGE}/search", SearchResult, body)

    async def popular(self, *, limit: int = 100) -> Sequence[PopularQuestion]:
        """What was asked most in 7 days."""
        return (await self._transport.get(f"{_KNOWLEDGE}/popular", _Questions, {"limit": limit})).items

    async def unanswered(self, *, limit: int = 100) -> Sequence[PopularQuestion]:
        """What was asked most in 7 days and found nothing that fits."""
        return (await self._transport.get(f"{_KNOWLEDGE}/unanswered", _Questions, {"limit": limit})).items

    async def give_feedback(self, query_id: UUID, *, helpful: bool, comment: str = "") -> None:
        """Say whether what a query found helped."""
        body = {"query_id": query_id, "helpful": helpful, "comment": comment}
        await self._transport.send("POST", f"{_KNOWLEDGE}/feedback", body)
