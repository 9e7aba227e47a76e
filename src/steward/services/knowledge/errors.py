"""What the knowledge service refuses, and why."""

from uuid import UUID

from steward.kit.errors import Conflict, InvalidInput, NotFound


class DocumentNotFound(NotFound):
    code = "document_not_found"

    def __init__(self, document_id: str) -> None:
        super().__init__(f"there is no document {document_id!r}: check the id", document_id=document_id)


class FaqNotFound(NotFound):
    code = "faq_not_found"

    def __init__(self, faq_id: str) -> None:
        super().__init__(f"there is no FAQ {faq_id!r}: check the id", faq_id=faq_id)


class FaqExists(Conflict):
    code = "faq_exists"

    def __init__(self, faq_id: str) -> None:
        super().__init__(
            f"the id {faq_id!r} is taken by another FAQ or document: change that one, or choose another id",
            faq_id=faq_id,
        )


class DocumentIsFaq(Conflict):
    """FAQs and documents share their ids, for a hit names either by it."""

    code = "document_is_faq"

    def __init__(self, document_id: str) -> None:
        super().__init__(
            f"the id {document_id!r} is that of a FAQ: change the FAQ, or choose another id for the document",
            document_id=document_id,
        )


class KnowledgeChanged(Conflict):
    code = "knowledge_changed"

    def __init__(self, faq_id: str, expected: int, found: int) -> None:
        super().__init__(
            f"the FAQ {faq_id!r} was changed since version {expected} (now {found}): read it again and repeat the"
            " change",
            faq_id=faq_id,
            expected=expected,
            found=found,
        )


class QueryNotFound(NotFound):
    code = "query_not_found"

    def __init__(self, query_id: UUID) -> None:
        super().__init__(
            f"there is no query {query_id}: take `query_id` of a search of the last 30 days", query_id=str(query_id)
        )


class ImportUnreadable(InvalidInput):
    """A file of which no line can be read, such as a CSV without its heading row."""

    code = "import_unreadable"

    def __init__(self, problem: str) -> None:
        super().__init__(problem, field="content")
