"""Processes of the costs engine in one test process: each with its own pool, memory and holder, on one clock."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.authz import Authz
from steward.kit.clock import Clock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.db import Database
from steward.kit.idempotency import Idempotency
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import Telemetry
from steward.services.costs.api import (
    Actual,
    BudgetInput,
    CallId,
    CallInfo,
    CallUsage,
    Enforcement,
    Outcome,
    Period,
    Price,
    Reservation,
    Subject,
    SubjectKind,
    TokenPrices,
    Unit,
    WorstCase,
)
from steward.services.costs.budgets import Budgets
from steward.services.costs.engine import Calls, Corrections, Engine
from tests.support.database import database_at

PRICE = Price(provider="p", model="m", prices=TokenPrices(input=1_000_000, output=3_000_000), source="tenant")
"""A nano for an input token, three for an output token: sums are easy to follow."""
INFO = CallInfo(request_id="r", alias="a", connection="c")
USER = Subject(SubjectKind.USER, "u1")


class Known:
    """A price book with these prices, by model."""

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        self._prices = {"m": PRICE} if prices is None else prices

    async def price_of(
        self,
        tenant: TenantId,  # noqa: ARG002 the port's shape
        provider: str,  # noqa: ARG002 the port's shape
        model: str,
        at: datetime,  # noqa: ARG002 the port's shape
        *,
        batch: bool = False,  # noqa: ARG002 the port's shape
        tier: str = "",  # noqa: ARG002 the port's shape
    ) -> Price | None:
        return self._prices.get(model)


class Process:
    """One process: an engine and the use cases on it."""

    def __init__(self, database: Database, clock: Clock, *, prices: Known | None = None, meter: bool = False) -> None:
        self.db = database.service("costs")
        self.ids = Ids(clock)
        self.clock = clock
        telemetry = Telemetry.for_tests(clock)
        authz = Authz(self.db)
        self.engine = Engine(self.db, clock, self.ids, telemetry)
        self.corrections = Corrections(self.db, authz, clock, self.engine.notices)
        self.calls = Calls(self.db, authz, clock, prices or Known(), self.engine, self.corrections, meter_unknown=meter)
        self.budgets = Budgets(self.db, authz, clock, self.ids, Idempotency(b"secret", self.ids))

    def ctx(self, tenant: TenantId) -> Ctx:
        return Ctx(
            tenant=tenant,
            actor=Actor(ActorType.SERVICE, "models"),
            scopes=frozenset({"service:costs", "cost:read", "cost:configure"}),
            request_id="r",
            deadline=self.clock.now() + timedelta(seconds=30),
        )

    async def reserve(
        self,
        tenant: TenantId,
        tokens: tuple[int, int] = (100, 100),
        *subjects: Subject,
        least: int = 1,
        call_id: UUID | None = None,
        model: str = "m",
        batch: bool = False,
    ) -> Reservation:
        worst = WorstCase(
            provider="p",
            model=model,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            least_output_tokens=least,
            batch=batch,
        )
        call = CallId(call_id or self.ids.new())
        return await self.calls.reserve(
            self.ctx(tenant), call_id=call, subjects=subjects or (USER,), worst_case=worst, info=INFO
        )

    async def settle(self, tenant: TenantId, call_id: UUID, used: tuple[int, int] = (80, 20), **more: object) -> int:
        return await self.calls.settle(self.ctx(tenant), call_id=CallId(call_id), actual=ended(used, **more))


def ended(used: tuple[int, int], **more: object) -> Actual:
    """How a call ended that used so many input and output tokens."""
    usage = CallUsage(input_tokens=used[0], output_tokens=used[1])
    return msgspec.structs.replace(Actual(outcome=Outcome.SUCCEEDED, usage=usage, latency_ms=7), **more)


def budget(
    limit: int,
    subject: Subject = Subject(SubjectKind.TENANT),  # noqa: B008 it is frozen
    *,
    name: str = "all",
    unit: Unit = Unit.USD,
    period: Period = Period.MONTH,
    soft: bool = False,
    zone: str = "UTC",
    alert_at: Sequence[int] = (50, 80, 100),
) -> BudgetInput:
    return BudgetInput(
        name=name,
        subject=subject,
        limit=limit,
        unit=unit,
        period=period,
        enforcement=Enforcement.SOFT if soft else Enforcement.HARD,
        time_zone=zone,
        alert_at=alert_at,
    )


@asynccontextmanager
async def processes(dsn: str, clock: Clock, count: int, **more: object) -> AsyncGenerator[list[Process]]:
    """So many processes, each with two connections."""
    if count == 0:
        yield []
        return
    async with database_at(dsn, clock=clock, pool_size=2) as database:
        process = Process(database, clock, **more)
        await process.engine.beat()
        async with processes(dsn, clock, count - 1, **more) as others:
            yield [process, *others]
        await process.engine.stop()


class Books:
    """Looks past row-level security at what the engine wrote."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._connection: asyncpg.Connection | None = None

    async def rows(self, sql: str, *args: object) -> list[asyncpg.Record]:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._owner)
        return await self._connection.fetch(sql, *args)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def uses(self, tenant: TenantId) -> list[tuple[str, int, int, int]]:
        """Name, spent, reserved and calls in flight of every budget and period."""
        found = await self.rows(
            "SELECT b.name, u.spent, u.reserved, u.open_calls FROM costs.budget_use u JOIN costs.budget b USING"
            " (tenant_id, budget_id) WHERE tenant_id = $1 ORDER BY b.name, u.period_start",
            tenant,
        )
        return [tuple(row) for row in found]

    async def faults(self, tenant: TenantId) -> list[str]:
        """What does not hold: in each budget and period, of what is used and held, limit, ledger and open calls."""
        found = await self.rows(_FAULTS, tenant)
        sums = await self.rows(_SUMS, tenant)
        return [str(dict(row)) for row in [*found, *sums]]


_FAULTS = """
SELECT b.name, b.hard, b.ceiling, u.*, l.spent AS by_ledger, o.reserved AS by_calls, o.calls
FROM costs.budget_use u JOIN costs.budget b USING (tenant_id, budget_id)
    CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN b.in_tokens THEN l.input_tokens + l.output_tokens ELSE l.cost END)
            , 0) AS spent
        FROM costs.ledger l, unnest(l.budgets, l.periods) AS c (budget_id, period_start)
        WHERE l.tenant_id = u.tenant_id AND c.budget_id = u.budget_id AND c.period_start = u.period_start) l
    CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN b.in_tokens THEN o.tokens ELSE o.nanos END), 0) AS reserved,
            count(*) AS calls
        FROM costs.open_call o, unnest(o.budgets, o.periods) AS c (budget_id, period_start)
        WHERE o.tenant_id = u.tenant_id AND c.budget_id = u.budget_id AND c.period_start = u.period_start) o
WHERE u.tenant_id = $1 AND (l.spent <> u.spent OR o.reserved <> u.reserved OR o.calls <> u.open_calls)"""

_SUMS = """
SELECT * FROM (
    SELECT (SELECT row(count(*) FILTER (WHERE revision = 0), coalesce(sum(cost), 0), coalesce(sum(output_tokens), 0)
                )::text FROM costs.ledger WHERE tenant_id = $1) AS ledger,
        (SELECT row(coalesce(sum(calls), 0), coalesce(sum(cost), 0), coalesce(sum(output_tokens), 0))::text
         FROM costs.rollup_hour WHERE tenant_id = $1) AS hours,
        (SELECT row(coalesce(sum(calls), 0), coalesce(sum(cost), 0), coalesce(sum(output_tokens), 0))::text
         FROM costs.rollup_day WHERE tenant_id = $1) AS days) s
WHERE ledger <> hours OR ledger <> days"""
