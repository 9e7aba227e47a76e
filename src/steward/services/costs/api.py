"""The contract of the costs service: prices, budgets, the ledger of every model call, reports.

Money is in nanos: integers of 10⁻⁹ USD. A call's cost is reckoned from its tokens by the price that held when it was
reserved, exactly, and rounded up to a whole nano once. Every method may raise `Forbidden`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.services.costs.tariff import (
    Price,
    PriceInput,
    PriceTier,
    TokenPrices,
)
from steward.services.costs.terms import (
    Amount,
    Budget,
    BudgetId,
    BudgetInput,
    BudgetName,
    BudgetUpdate,
    CallId,
    Enforcement,
    Nanos,
    Percent,
    Period,
    Subject,
    SubjectKind,
    SubjectName,
    TimeZone,
    Tokens,
    Unit,
)

__all__ = [
    "Actual",
    "Amount",
    "Budget",
    "BudgetId",
    "BudgetInput",
    "BudgetName",
    "BudgetUpdate",
    "CacheHit",
    "CallId",
    "CallInfo",
    "CallUsage",
    "Correction",
    "CostsApi",
    "Enforcement",
    "GroupBy",
    "LedgerEntry",
    "LedgerFilter",
    "Nanos",
    "Outcome",
    "Percent",
    "Period",
    "Price",
    "PriceInput",
    "PriceTier",
    "Report",
    "ReportQuery",
    "ReportRow",
    "Reservation",
    "Subject",
    "SubjectKind",
    "SubjectName",
    "TagName",
    "TagValue",
    "TimeZone",
    "TokenPrices",
    "Tokens",
    "Unit",
    "WorstCase",
]


TagName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$")]
TagValue = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class WorstCase(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a call can use."""

    provider: str
    """Whose prices count, as the price list names it."""
    model: str
    input_tokens: Tokens
    """Bound from above."""
    output_tokens: Tokens
    """Wanted, for all choices together."""
    least_output_tokens: Tokens = 1
    """With fewer the call is not worth making: it is refused rather than granted less."""
    batch: bool = False
    tier: Annotated[str, Meta(max_length=40)] = ""
    """The service tier or speed that is asked for, where a provider has prices of its own for it (`priority`)."""


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of a call besides its subjects."""

    request_id: str
    alias: str
    """The name that was asked for."""
    connection: str
    """The tenant's or the installation's connection to the provider."""
    operation: str = "chat"
    """`chat`, `embeddings` or `batch`."""
    tags: Annotated[Mapping[TagName, TagValue], Meta(max_length=20)] = {}


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to make a call."""

    call_id: CallId
    nanos: int
    """Held back."""
    output_tokens: int
    """Ask for no more than these; what was wanted, or less where a budget has no more."""


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The provider refused or failed."""
    CANCELLED = "cancelled"
    """The caller left."""
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    """The process that made the call died: charged at its reservation until the provider's figure is known."""


class CallUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens by class, as in `models.api.Usage`: cached ones are among the input, reasoning is among the output."""

    input_tokens: Tokens = 0
    cache_read_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    cache_write_1h_tokens: Tokens = 0
    output_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0
    audio_input_tokens: Tokens = 0
    audio_output_tokens: Tokens = 0


class Actual(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended."""

    outcome: Outcome
    usage: CallUsage = msgspec.field(default_factory=CallUsage)
    exact: bool = True
    """Whether the usage is the provider's own count; else it is a bound from above, to be corrected."""
    latency_ms: Annotated[int, Meta(ge=0)] = 0
    first_token_ms: Annotated[int, Meta(ge=0)] | None = None
    provider_id: Annotated[str, Meta(max_length=200)] = ""
    """The provider's id of the answer, for corrections."""


class CacheHit(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was answered from a cache, or by another call in flight: it costs nothing and is in the ledger."""

    call_id: CallId
    subjects: Sequence[Subject]
    info: CallInfo
    provider: str
    model: str
    cache: str
    """`exact`, `semantic` or `shared`."""
    usage: CallUsage
    """What it would have used."""
    latency_ms: Annotated[int, Meta(ge=0)] = 0


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One call, or a correction of one: corrections hold differences, which may be below zero."""

    call_id: CallId
    revision: int
    """0 for the call itself."""
    at: datetime
    """Of settlement."""
    request_id: str
    subjects: Sequence[Subject]
    tags: Mapping[str, str]
    alias: str
    connection: str
    provider: str
    model: str
    operation: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    audio_input_tokens: int
    audio_output_tokens: int
    cost: int
    """Nanos."""
    priced: bool
    """False where the model's price is unknown and policy let it pass."""
    latency_ms: int
    first_token_ms: int | None
    cache: str
    outcome: Outcome
    exact: bool
    provider_id: str


class LedgerFilter(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime | None = None
    until: datetime | None = None
    subject: Subject | None = None
    model: str | None = None
    outcome: Outcome | None = None


class GroupBy(StrEnum):
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    USER = "user"
    TEAM = "team"
    AGENT = "agent"
    KEY = "key"
    RUN = "run"
    PROVIDER = "provider"
    MODEL = "model"
    ALIAS = "alias"
    OUTCOME = "outcome"
    CACHE = "cache"
    TAG = "tag"


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime
    until: datetime
    group_by: Annotated[Sequence[GroupBy], Meta(max_length=4)] = ()
    tag: TagName | None = None
    """Which tag, where `group_by` has `tag`."""
    time_zone: TimeZone = "UTC"
    """Of days and months."""
    where: LedgerFilter = msgspec.field(default_factory=LedgerFilter)


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    group: Mapping[str, str]
    """Value by the name in `group_by`; empty where the call had none."""
    calls: int
    cached_calls: int
    failed_calls: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost: int
    """Nanos."""
    latency_ms: int
    """Sum over `calls`."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    rows: Sequence[ReportRow]
    total: ReportRow


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's own figure of a call that was charged by a bound."""

    usage: CallUsage
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class CostsApi(Protocol):
    """Prices, budgets, ledger, reports."""

    async def reserve(
        self,
        ctx: Ctx,
        *,
        call_id: CallId,
        subjects: Annotated[Sequence[Subject], Meta(max_length=32)],
        worst_case: WorstCase,
        info: CallInfo,
    ) -> Reservation:
        """Hold back the most that a call can cost, in every budget of its subjects; `service:costs`.

        Durable when it returns; the tenant itself is always among the subjects. The same call id again gives the same
        reservation. Raises `BudgetExhausted` with the budget's name, limit and reset, and `PriceUnknown`.
        """
        ...

    async def settle(self, ctx: Ctx, *, call_id: CallId, actual: Actual) -> int:
        """Give back what a call did not use, and write it into the ledger; its cost in nanos; `service:costs`.

        Exactly once however often it is called; a call that was charged as unknown meanwhile is corrected. Raises
        `CallNotFound` for one that was never reserved.
        """
        ...

    async def record_hit(self, ctx: Ctx, *, hit: CacheHit) -> None:
        """Write a call into the ledger that no provider was asked for; `service:costs`."""
        ...

    async def correct(self, ctx: Ctx, *, call_id: CallId, correction: Correction) -> Sequence[LedgerEntry]:
        """Give a call's true usage; all its ledger entries; `cost:configure`. Raises `CallNotFound`, `CallSettled`.

        Only calls whose usage is not exact can be corrected.
        """
        ...

    async def create_budget(self, ctx: Ctx, *, budget: BudgetInput) -> Budget:
        """Set a budget; `cost:configure`. Raises `BudgetNameTaken`, `UnknownTimeZone`."""
        ...

    async def get_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> Budget:
        """One budget with its use; `cost:read`. Raises `BudgetNotFound`."""
        ...

    async def list_budgets(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Budget]:
        """All budgets, oldest first; `cost:read`."""
        ...

    async def update_budget(self, ctx: Ctx, *, budget_id: BudgetId, change: BudgetUpdate) -> Budget:
        """Change a budget; `cost:configure`. A lower limit holds for the next call. Raises `BudgetNotFound`."""
        ...

    async def delete_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> None:
        """End a budget; the ledger stays; `cost:configure`. Raises `BudgetNotFound`."""
        ...

    async def set_team(self, ctx: Ctx, *, member: Subject, team: SubjectName | None) -> None:
        """Say which team a user, agent or key counts for, or with None that it has none; `cost:configure`."""
        ...

    async def list_prices(self, ctx: Ctx, *, provider: str | None = None, model: str | None = None) -> Sequence[Price]:
        """Prices that hold today for this tenant, overrides before the list; `cost:read`. At most 1,000."""
        ...

    async def put_price(
        self, ctx: Ctx, *, provider: str, model: str, price: PriceInput, installation: bool = False
    ) -> Price:
        """Override a model's price for this tenant; `cost:configure`. Raises `TooManyPrices`.

        With `installation` for every tenant that sets none itself; that needs `platform:tenants`.
        """
        ...

    async def delete_price(self, ctx: Ctx, *, provider: str, model: str, installation: bool = False) -> None:
        """Take an override back; permissions as for `put_price`. Raises `PriceNotFound`."""
        ...

    async def list_calls(
        self, ctx: Ctx, *, where: LedgerFilter | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[LedgerEntry]:
        """The ledger, newest first; `cost:read`."""
        ...

    async def report(self, ctx: Ctx, *, query: ReportQuery) -> Report:
        """Sums of the ledger by group; `cost:read`. Raises `ReportTooLarge` above 10,000 rows."""
        ...

    def export_calls(self, ctx: Ctx, *, where: LedgerFilter | None = None) -> AsyncIterator[LedgerEntry]:
        """The whole ledger, oldest first; `cost:read`."""
        ...
