"""What the knowledge service tells the others."""

from collections.abc import Sequence

from steward.kit.outbox import DomainEvent


class KnowledgeUpdated(DomainEvent, frozen=True, kw_only=True):
    """FAQs or documents were stored, changed or deleted: answers that were kept may not hold any more."""

    revision: int
    """Counts the tenant's changes."""


class PopularQuestionsCounted(DomainEvent, frozen=True, kw_only=True):
    """What was asked most in 7 days, most asked first; told hourly, so that answers can be made ready."""

    questions: Sequence[str]
