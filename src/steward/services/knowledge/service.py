"""The knowledge service: its use cases together answer for `KnowledgeApi`."""

from steward.services.knowledge.documents import Documents
from steward.services.knowledge.faqs import Faqs
from steward.services.knowledge.imports import Imports
from steward.services.knowledge.search import Search
from steward.services.knowledge.statistics import Statistics
from steward.services.knowledge.use_case import KnowledgeParts


class KnowledgeService:
    """Implements `KnowledgeApi`: each operation is answered by the use case that it belongs to."""

    def __init__(self, parts: KnowledgeParts) -> None:
        documents = Documents(parts)
        self.put_documents = documents.put_documents
        self.put_document = documents.put_document
        self.get_document = documents.get_document
        self.list_documents = documents.list_documents
        self.list_document_versions = documents.list_document_versions
        self.delete_document = documents.delete_document

        faqs = Faqs(parts)
        self.create_faq = faqs.create_faq
        self.get_faq = faqs.get_faq
        self.list_faqs = faqs.list_faqs
        self.update_faq = faqs.update_faq
        self.delete_faq = faqs.delete_faq
        self.import_faqs = Imports(parts).import_faqs

        search = Search(parts)
        self.search = search.search
        self.note_answered = search.note_answered

        statistics = Statistics(parts)
        self.list_popular = statistics.list_popular
        self.list_unanswered = statistics.list_unanswered
        self.give_feedback = statistics.give_feedback
        self.list_feedback = statistics.list_feedback
