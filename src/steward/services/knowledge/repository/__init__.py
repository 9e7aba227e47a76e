"""All SQL of the knowledge service, by what it is about."""

from steward.services.knowledge.repository.index import IndexRepository
from steward.services.knowledge.repository.questions import QuestionRepository, QuestionSystemRepository
from steward.services.knowledge.repository.sources import SourceRepository, SourceSystemRepository

__all__ = [
    "IndexRepository",
    "QuestionRepository",
    "QuestionSystemRepository",
    "SourceRepository",
    "SourceSystemRepository",
]
