"""Settlement: once however often, by whichever process, after the sweeper too; sums, alerts and corrections."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

import msgspec
import pytest

from steward.kit.db import DatabaseUnavailable
from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import (
    CacheHit,
    CallId,
    CallUsage,
    Correction,
    Outcome,
    Period,
    Subject,
    SubjectKind,
    Unit,
)
from steward.services.costs.engine.engine import SILENT
from steward.services.costs.errors import CallNotFound, CallSettled
from steward.services.costs.repository.engine import EngineSystemRepository
from tests.services.costs.house import INFO, USER, Books, Process, budget, ended, processes
from tests.support.database import database_of, new_tenant
from tests.support.postgres import PostgresForTests


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(scope="module")
async def two(dsn: str, clock: FakeClock) -> AsyncGenerator[list[Process]]:
    async with processes(dsn, clock, 2) as both:
        yield both


@pytest.fixture(scope="module")
async def books(postgres: PostgresForTests, dsn: str) -> AsyncGenerator[Books]:
    looking = Books(postgres.dsn(database_of(dsn)))
    yield looking
    await looking.close()


async def told(books: Books, tenant: object, kind: str) -> list[dict[str, object]]:
    """The events of a kind, in order."""
    rows = await books.rows(
        "SELECT body FROM costs.outbox WHERE tenant_id = $1 AND body::json->>'type' = $2 ORDER BY id",
        tenant,
        f"costs.{kind}",
    )
    return [msgspec.json.decode(row[0])["payload"] for row in rows]


async def test_settled_once_however_often_and_by_whichever_process(two: list[Process], books: Books) -> None:
    here, there = two
    tenant = new_tenant()
    await here.budgets.create_budget(here.ctx(tenant), budget=budget(10_000))
    granted = await here.reserve(tenant)
    answers = await asyncio.gather(
        *(process.settle(tenant, granted.call_id, (80, 20)) for process in (here, there, here, there, there))
    )
    assert answers == [140] * 5
    assert await books.uses(tenant) == [("all", 140, 0, 0)]
    assert await books.faults(tenant) == []


async def test_call_that_was_never_reserved_is_not_found(two: list[Process]) -> None:
    with pytest.raises(CallNotFound):
        await two[0].settle(new_tenant(), two[0].ids.new())


async def test_call_of_a_dead_process_is_charged_in_full_and_corrected_later(
    two: list[Process], books: Books, clock: FakeClock
) -> None:
    dying, living = two
    tenant = new_tenant()
    await living.budgets.create_budget(living.ctx(tenant), budget=budget(10_000))
    await living.budgets.create_budget(living.ctx(tenant), budget=budget(10_000, name="tokens", unit=Unit.TOKENS))
    lost, kept = await dying.reserve(tenant, (100, 200)), await living.reserve(tenant)
    clock.advance(SILENT.total_seconds() - 1)
    await living.engine.beat()
    await living.engine.sweep()
    assert await books.uses(tenant) == [("all", 0, 1100, 2), ("tokens", 0, 500, 2)]
    clock.advance(2)
    assert await living.engine.sweep() >= 1, "others of the same database may have died, too"
    assert await books.uses(tenant) == [("all", 700, 400, 1), ("tokens", 300, 200, 1)]
    assert await dying.settle(tenant, lost.call_id, (90, 30)) == 180
    assert await dying.settle(tenant, lost.call_id, (90, 30)) == 180
    await living.settle(tenant, kept.call_id, (80, 20))
    assert await books.uses(tenant) == [("all", 320, 0, 0), ("tokens", 220, 0, 0)]
    rows = await books.rows(
        "SELECT revision, outcome, exact, cost, input_tokens, output_tokens, latency_ms FROM costs.ledger"
        " WHERE tenant_id = $1 AND call_id = $2 ORDER BY revision",
        tenant,
        lost.call_id,
    )
    assert [tuple(row) for row in rows] == [
        (0, "unknown", False, 700, 100, 200, 0),
        (1, "succeeded", True, -520, -10, -170, 7),
    ]
    assert await books.faults(tenant) == []


async def test_person_corrects_what_is_not_exact_and_nothing_else(two: list[Process], books: Books) -> None:
    here, there = two
    tenant = new_tenant()
    await here.budgets.create_budget(here.ctx(tenant), budget=budget(10_000))
    bound, exact = await here.reserve(tenant), await here.reserve(tenant)
    usage = Correction(usage=CallUsage(input_tokens=50, output_tokens=50), reason="the provider's bill")
    with pytest.raises(CallNotFound):
        await there.corrections.correct(there.ctx(tenant), call_id=bound.call_id, correction=usage)
    cancelled = {"exact": False, "outcome": Outcome.CANCELLED}
    assert await here.settle(tenant, bound.call_id, (100, 100), **cancelled) == 400
    assert await here.settle(tenant, bound.call_id, (100, 100), **cancelled) == 400
    await here.settle(tenant, exact.call_id, (10, 10))
    entries = await there.corrections.correct(there.ctx(tenant), call_id=bound.call_id, correction=usage)
    assert [(one.revision, one.cost, one.exact, one.outcome) for one in entries] == [
        (0, 400, False, Outcome.CANCELLED),
        (1, -200, True, Outcome.CANCELLED),
    ]
    assert Subject(SubjectKind.USER, "u1") in entries[1].subjects
    for call_id in (bound.call_id, exact.call_id):
        with pytest.raises(CallSettled):
            await there.corrections.correct(there.ctx(tenant), call_id=call_id, correction=usage)
    assert await books.uses(tenant) == [("all", 240, 0, 0)]
    assert await books.faults(tenant) == []
    trail = await books.rows("SELECT body::json->>'action' FROM costs.audit_outbox WHERE tenant_id = $1", tenant)
    assert sorted(row[0] for row in trail) == ["budget.created", "cost.corrected"]


async def test_two_corrections_at_once_are_one(two: list[Process], books: Books) -> None:
    here = two[0]
    tenant = new_tenant()
    await here.budgets.create_budget(here.ctx(tenant), budget=budget(10_000))
    granted = await here.reserve(tenant)
    await here.settle(tenant, granted.call_id, (100, 100), exact=False)
    answers = await asyncio.gather(*(process.settle(tenant, granted.call_id, (1, 1)) for process in two * 3))
    assert answers == [4] * 6
    assert await books.uses(tenant) == [("all", 4, 0, 0)]
    assert await books.faults(tenant) == []


async def test_alerts_once_for_each_budget_period_and_percentage(
    two: list[Process], books: Books, clock: FakeClock
) -> None:
    process = two[0]
    tenant = new_tenant()
    ctx = process.ctx(tenant)
    await process.budgets.create_budget(ctx, budget=budget(1_000))
    await process.budgets.create_budget(ctx, budget=budget(333, name="soft", soft=True, alert_at=(10, 99)))
    for spent in (33, 1, 465, 1, 300, 0, 200):
        granted = await process.reserve(tenant, (spent, 0))
        await process.settle(tenant, granted.call_id, (spent, 0))
        await process.engine.settled()
    seen = [
        (one["budget"], one["percent"], one["spent"]) for one in await told(books, tenant, "BudgetThresholdReached")
    ]
    assert seen == [("soft", 10, 34), ("soft", 99, 499), ("all", 50, 500), ("all", 80, 800), ("all", 100, 1000)]


async def test_alert_is_not_repeated_after_a_correction(two: list[Process], books: Books) -> None:
    process = two[0]
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(1_000))
    bound, other = await process.reserve(tenant, (500, 0)), await process.reserve(tenant, (300, 0))
    await process.settle(tenant, bound.call_id, (500, 0), exact=False)
    await process.settle(tenant, other.call_id, (300, 0))
    await process.settle(tenant, bound.call_id, (250, 0))
    again = await process.reserve(tenant, (300, 0))
    await process.settle(tenant, again.call_id, (300, 0))
    await process.engine.settled()
    events = await told(books, tenant, "BudgetThresholdReached")
    assert [(one["percent"], one["spent"]) for one in events] == [(50, 500), (80, 800)]


async def test_call_that_a_living_process_forgot_is_charged_after_a_day(dsn: str, books: Books) -> None:
    tenant = new_tenant()
    async with processes(dsn, clock := FakeClock(datetime.now(UTC)), 1) as [process]:
        await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000, period=Period.TOTAL))
        await process.reserve(tenant, (100, 0))
        for hours, spent in ((25, 0), (2, 100)):
            clock.advance(hours * 3600.0)
            await process.engine.beat()
            await process.engine.sweep()
            assert (await books.uses(tenant))[0][1] == spent


async def test_alert_whose_process_died_before_it_was_published_is_published_by_the_sweeper(
    two: list[Process], books: Books
) -> None:
    process = two[0]
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(1_000))
    granted = await process.reserve(tenant, (500, 0))
    process.engine.notices.publish_soon, soon = lambda: None, process.engine.notices.publish_soon
    await process.settle(tenant, granted.call_id, (500, 0))
    process.engine.notices.publish_soon = soon
    assert await told(books, tenant, "BudgetThresholdReached") == []
    await asyncio.gather(*(one.engine.sweep() for one in two))
    assert [one["percent"] for one in await told(books, tenant, "BudgetThresholdReached")] == [50]


async def test_provider_that_counts_more_than_was_reserved_is_believed_and_told_of(
    two: list[Process], books: Books
) -> None:
    process = two[0]
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(1_000))
    granted, late = await process.reserve(tenant, (100, 100)), await two[1].reserve(tenant, (0, 0))
    assert await process.settle(tenant, granted.call_id, (100, 1000)) == 3100
    await two[1].settle(tenant, late.call_id, (0, 0), exact=False)
    assert await two[1].settle(tenant, late.call_id, (7, 0)) == 7
    await process.engine.settled()
    seen = await told(books, tenant, "ReservationExceeded")
    figures = sorted((one["reserved"], one["cost"], one["tokens"]) for one in seen)
    assert figures == [(0, 7, 7), (400, 3100, 1100)]
    assert await books.uses(tenant) == [("all", 3107, 0, 0)]


async def test_answer_of_a_cache_is_in_the_ledger_once_and_costs_nothing(two: list[Process], books: Books) -> None:
    tenant = new_tenant()
    await two[0].budgets.create_budget(two[0].ctx(tenant), budget=budget(10))
    hit = CacheHit(
        call_id=CallId(two[0].ids.new()),
        subjects=[USER],
        info=msgspec.structs.replace(INFO, tags={"team": "a"}),
        provider="p",
        model="m",
        cache="exact",
        usage=CallUsage(input_tokens=1000, output_tokens=500),
        latency_ms=3,
    )
    for process in (*two, *two):
        await process.calls.record_hit(process.ctx(tenant), hit=hit)
    rows = await books.rows(
        "SELECT cache, cost, output_tokens, outcome, exact, user_id, tags->>'team' FROM costs.ledger"
        " WHERE tenant_id = $1",
        tenant,
    )
    assert [tuple(row) for row in rows] == [("exact", 0, 500, "succeeded", True, "u1", "a")]
    assert await books.uses(tenant) == []
    assert await books.faults(tenant) == []


async def test_call_reserved_again_after_it_was_settled_is_given_back(two: list[Process], books: Books) -> None:
    process = two[0]
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
    granted = await process.reserve(tenant)
    other = await process.reserve(tenant)
    await process.settle(tenant, granted.call_id, (80, 20))
    await process.reserve(tenant, call_id=granted.call_id)
    again = await asyncio.gather(
        process.settle(tenant, granted.call_id, (80, 20)), process.settle(tenant, other.call_id, (10, 0))
    )
    await process.engine.settled()
    assert again == [140, 10]
    assert await books.uses(tenant) == [("all", 150, 0, 0)]
    assert await books.faults(tenant) == []


@pytest.mark.parametrize("heard", [False, True])
async def test_settlement_outlives_a_database_that_is_lost(
    dsn: str, books: Books, monkeypatch: pytest.MonkeyPatch, heard: bool
) -> None:
    """The connection breaks before the statement is heard, or with its answer: committed, and nobody knows."""
    tenant = new_tenant()
    async with processes(dsn, FakeClock(datetime.now(UTC)), 1) as [process]:
        await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
        flying = await process.reserve(tenant)
        with monkeypatch.context() as patched:
            for name in ("reserve", "settle"):
                patched.setattr(EngineSystemRepository, name, lost_once(getattr(EngineSystemRepository, name), heard))
            unheard = asyncio.gather(
                process.reserve(tenant), process.settle(tenant, flying.call_id, (80, 20)), return_exceptions=True
            )
            assert [type(one) for one in await unheard] == [DatabaseUnavailable] * 2
            await process.engine.settled()
        assert await books.uses(tenant) == [("all", 140, 0, 0)]
        assert await process.settle(tenant, flying.call_id, (80, 20)) == 140
        assert await books.faults(tenant) == []


def lost_once(real: Callable[..., Awaitable[object]], heard: bool) -> Callable[..., Awaitable[object]]:
    """Fails once as the driver does when a connection breaks."""
    left = [1]

    async def call(*args: object) -> object:
        if not left:
            return await real(*args)
        left.pop()
        if heard:
            await real(*args)
        raise DatabaseUnavailable

    return call


async def test_usage_is_written_by_class_with_what_was_said_of_the_call(two: list[Process], books: Books) -> None:
    process = two[0]
    tenant = new_tenant()
    granted = await process.reserve(tenant, (1000, 1000), USER, Subject(SubjectKind.KEY, "k"))
    counts = (100, 10, 9, 8, 70, 6, 5, 4)
    usage = CallUsage(**dict(zip(CallUsage.__struct_fields__, counts, strict=True)))
    actual = msgspec.structs.replace(ended((0, 0)), usage=usage, first_token_ms=3, provider_id="id\0\ud800é")
    await process.calls.settle(process.ctx(tenant), call_id=granted.call_id, actual=actual)
    [row] = await books.rows(
        f"SELECT {', '.join(CallUsage.__struct_fields__)}, first_token_ms, key_id, provider_id, reserved,"
        " reserved_tokens, alias, connection, request_id FROM costs.ledger WHERE tenant_id = $1",
        tenant,
    )
    assert tuple(row) == (*counts, 3, "k", "id?é", 4000, 2000, "a", "c", "r")
