"""Budgets: whom they hold, for how long and in which unit."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType
from uuid import UUID

import msgspec
from msgspec import Meta

CallId = NewType("CallId", UUID)


BudgetId = NewType("BudgetId", UUID)


Nanos = Annotated[int, Meta(ge=0, le=2**62, description="Money in 10⁻⁹ USD.")]


Tokens = Annotated[int, Meta(ge=0, le=2**40)]


Amount = Annotated[
    int, Meta(ge=0, le=2**62, description="In the budget's unit: 10⁻⁹ USD, or tokens.", examples=[25_000_000_000])
]


Percent = Annotated[int, Meta(ge=1, le=100)]


BudgetName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


SubjectName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The id of the user, agent, key or run; a team's path such as `shop/search`; empty for the tenant.",
    ),
]


TimeZone = Annotated[str, Meta(min_length=1, max_length=64, description="IANA name.", examples=["Asia/Shanghai"])]


class SubjectKind(StrEnum):
    TENANT = "tenant"
    TEAM = "team"
    USER = "user"
    AGENT = "agent"
    KEY = "key"
    RUN = "run"


class Subject(msgspec.Struct, frozen=True):
    """Who or what a budget holds, and a call counts for. A team's path counts for each team above it, too."""

    kind: SubjectKind
    id: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    """From Monday (ISO 8601)."""
    MONTH = "month"
    TOTAL = "total"
    """Never begins anew."""


class Unit(StrEnum):
    USD = "usd"
    """Amounts are nanos."""
    TOKENS = "tokens"
    """Amounts are tokens, read and written ones together."""


class Enforcement(StrEnum):
    HARD = "hard"
    """New work that might pass the limit is refused."""
    SOFT = "soft"
    """Only alerts."""


class BudgetInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: BudgetName
    subject: Annotated[Subject, Meta(examples=[{"kind": "tenant"}])]
    limit: Amount
    unit: Unit = Unit.USD
    period: Period = Period.MONTH
    enforcement: Enforcement = Enforcement.HARD
    time_zone: TimeZone = "UTC"
    alert_at: Annotated[Sequence[Percent], Meta(max_length=10)] = (50, 80, 100)
    """Percent of the limit at which an event is published, once a period each."""


class BudgetUpdate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; an absent field stays. What is spent stays, too."""

    name: BudgetName | None = None
    limit: Amount | None = None
    enforcement: Enforcement | None = None
    alert_at: Annotated[Sequence[Percent], Meta(max_length=10)] | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget and its use in the period that runs now. Calls count that began after it was made."""

    id: BudgetId
    name: str
    subject: Subject
    limit: int
    unit: Unit
    period: Period
    enforcement: Enforcement
    time_zone: str
    alert_at: Sequence[int]
    spent: int
    """Settled."""
    reserved: int
    """Held by calls in flight."""
    period_start: datetime | None
    """None for a budget in total."""
    resets_at: datetime | None
    created_at: datetime
    updated_at: datetime
