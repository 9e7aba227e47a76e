"""What the costs service tells the others."""

from datetime import datetime
from uuid import UUID

from steward.kit.outbox import DomainEvent
from steward.services.costs.api import Unit
from steward.services.costs.prices.events import PriceChanged

__all__ = [
    "BudgetCreated",
    "BudgetDeleted",
    "BudgetThresholdReached",
    "BudgetUpdated",
    "PriceChanged",
    "ReservationExceeded",
]


class BudgetCreated(DomainEvent, frozen=True, kw_only=True):
    budget_id: UUID
    name: str


class BudgetUpdated(DomainEvent, frozen=True, kw_only=True):
    budget_id: UUID
    changed: list[str]
    """The fields that are not what they were."""


class BudgetDeleted(DomainEvent, frozen=True, kw_only=True):
    budget_id: UUID


class BudgetThresholdReached(DomainEvent, frozen=True, kw_only=True):
    """So many percent of a budget are spent: once for each budget, period and percentage."""

    budget_id: UUID
    budget: str
    """Its name."""
    subject: str
    """As in `team:shop`."""
    percent: int
    spent: int
    limit: int
    unit: Unit
    period_start: datetime | None
    """None for a budget in total."""


class ReservationExceeded(DomainEvent, frozen=True, kw_only=True):
    """A provider counted more than the call could use: its figure stands in the ledger all the same."""

    call_id: UUID
    connection: str
    provider: str
    model: str
    reserved: int
    """Nanos."""
    cost: int
    """Nanos."""
    reserved_tokens: int
    tokens: int
