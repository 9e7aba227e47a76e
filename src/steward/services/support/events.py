"""What the support service tells the others, and its own other processes."""

from uuid import UUID

from steward.kit.outbox import DomainEvent
from steward.services.support.api import HandOffReason, TicketPriority


class TicketOpened(DomainEvent, frozen=True, kw_only=True):
    ticket_id: UUID
    number: int
    session_id: UUID
    priority: TicketPriority
    reason: HandOffReason


class SessionCleared(DomainEvent, frozen=True, kw_only=True):
    session_id: UUID


class CustomerKeysChanged(DomainEvent, frozen=True, kw_only=True):
    pass


class IntentsReplaced(DomainEvent, frozen=True, kw_only=True):
    """A tenant put intents; they may not be trained yet."""

    version: int


class IntentsTrained(DomainEvent, frozen=True, kw_only=True):
    """A version of a tenant's intents classifies from now on."""

    version: int


class PlaybookChanged(DomainEvent, frozen=True, kw_only=True):
    """A tenant's own playbook was put or deleted."""

    name: str
    version: int
    """0 when the shipped one is in force again."""


class ShopChanged(DomainEvent, frozen=True, kw_only=True):
    """The shop was connected, changed or forgotten."""
