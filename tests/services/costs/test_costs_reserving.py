"""Reservations: how much a call is granted, of which budgets, and what becomes of one that nobody waits for."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from steward.kit.errors import InvalidInput
from steward.kit.ids import Ids
from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import BudgetUpdate, Period, Reservation, Subject, SubjectKind, Unit
from steward.services.costs.engine.batches import Waiting
from steward.services.costs.errors import BudgetExhausted, PriceUnknown
from tests.services.costs.house import PRICE, Books, Known, Process, budget, processes
from tests.support.database import database_of, new_tenant
from tests.support.postgres import PostgresForTests

TEAM = Subject(SubjectKind.TEAM, "shop/search")


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(scope="module")
async def process(dsn: str, clock: FakeClock) -> AsyncGenerator[Process]:
    async with processes(dsn, clock, 1) as [one]:
        yield one


@pytest.fixture(scope="module")
async def books(postgres: PostgresForTests, dsn: str) -> AsyncGenerator[Books]:
    looking = Books(postgres.dsn(database_of(dsn)))
    yield looking
    await looking.close()


async def test_whole_worst_case_is_held_and_given_back(process: Process, books: Books) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
    granted = await process.reserve(tenant, (100, 200))
    assert (granted.nanos, granted.output_tokens) == (700, 200)
    assert await books.uses(tenant) == [("all", 0, 700, 1)]
    assert await process.settle(tenant, granted.call_id, (80, 20)) == 140
    assert await books.uses(tenant) == [("all", 140, 0, 0)]
    assert await books.faults(tenant) == []


async def test_same_call_again_gives_the_same_reservation(process: Process, books: Books) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(1_000))
    first = await process.reserve(tenant, (100, 1000))
    assert first.output_tokens < 1000
    together = await asyncio.gather(*(process.reserve(tenant, (100, 1000), call_id=first.call_id) for _ in range(3)))
    assert together == [first] * 3
    assert (await books.uses(tenant))[0][2:] == (first.nanos, 1)


async def test_refusal_names_budget_limit_use_and_reset(process: Process, clock: FakeClock) -> None:
    tenant = new_tenant()
    made = await process.budgets.create_budget(
        process.ctx(tenant), budget=budget(500, name="small", zone="Asia/Taipei", period=Period.DAY)
    )
    with pytest.raises(BudgetExhausted) as refused:
        await process.reserve(tenant, (600, 100))
    assert refused.value.data == {
        "budget_id": str(made.id),
        "budget": "small",
        "limit": 500,
        "used": 0,
        "unit": "usd",
        "resets_at": made.resets_at.isoformat() if made.resets_at else "",
    }
    assert made.resets_at is not None
    assert made.resets_at.astimezone(UTC).hour == 16, "midnight in Taipei"
    assert clock.now() < made.resets_at <= clock.now() + timedelta(days=1)


async def test_every_budget_of_the_subjects_counts_and_the_tightest_decides(process: Process, books: Books) -> None:
    tenant = new_tenant()
    ctx = process.ctx(tenant)
    for name, subject, limit in (
        ("1", Subject(SubjectKind.TENANT), 100_000),
        ("2", Subject(SubjectKind.TEAM, "shop"), 2_000),
        ("3", Subject(SubjectKind.TEAM, "shop/search"), 90_000),
        ("4", Subject(SubjectKind.TEAM, "shopping"), 1),
        ("5", Subject(SubjectKind.RUN, "r1"), 80_000),
        ("6", Subject(SubjectKind.RUN, "r2"), 70_000),
    ):
        await process.budgets.create_budget(ctx, budget=budget(limit, subject, name=name))
    granted = await process.reserve(tenant, (100, 1000), TEAM, Subject(SubjectKind.RUN, "r1"))
    assert granted.output_tokens == 300, "half of what is left of budget 2, less the input"
    assert await books.uses(tenant) == [(name, 0, 1000, 1) for name in "1235"]


async def test_member_counts_for_its_team_and_the_teams_above(process: Process, books: Books) -> None:
    tenant = new_tenant()
    ctx = process.ctx(tenant)
    for name in ("shop", "shop/search", "other"):
        await process.budgets.create_budget(ctx, budget=budget(10_000, Subject(SubjectKind.TEAM, name), name=name))
    agent = Subject(SubjectKind.AGENT, "a1")
    await process.budgets.set_team(ctx, member=agent, team="shop/search")
    granted = await process.reserve(tenant, (10, 10), agent)
    await process.settle(tenant, granted.call_id, (10, 10))
    assert await books.uses(tenant) == [("shop", 40, 0, 0), ("shop/search", 40, 0, 0)]
    rows = await books.rows("SELECT team, agent_id, subjects FROM costs.ledger WHERE tenant_id = $1", tenant)
    assert [tuple(row) for row in rows] == [
        ("shop/search", "a1", ["tenant:", "agent:a1", "team:shop", "team:shop/search"])
    ]
    await process.budgets.set_team(ctx, member=agent, team=None)
    await process.reserve(tenant, (10, 10), agent)
    assert await books.uses(tenant) == [("shop", 40, 0, 0), ("shop/search", 40, 0, 0)]


async def test_tokens_are_a_unit_and_soft_budgets_never_refuse(process: Process, books: Books) -> None:
    tenant = new_tenant()
    ctx = process.ctx(tenant)
    await process.budgets.create_budget(ctx, budget=budget(1_000, name="tokens", unit=Unit.TOKENS))
    await process.budgets.create_budget(ctx, budget=budget(1, name="soft", soft=True))
    granted = await process.reserve(tenant, (100, 1_000))
    assert granted.output_tokens == 400, "half of the tokens, less the input"
    assert await books.uses(tenant) == [("soft", 0, 1300, 1), ("tokens", 0, 500, 1)]
    with pytest.raises(BudgetExhausted, match="'tokens'"):
        await process.reserve(tenant, (501, 0))
    await process.settle(tenant, granted.call_id, (100, 1))
    assert await books.uses(tenant) == [("soft", 103, 0, 0), ("tokens", 101, 0, 0)]


async def test_least_is_granted_where_a_fair_share_would_be_less(process: Process) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(1_000))
    assert (await process.reserve(tenant, (100, 1000), least=250)).output_tokens == 250
    with pytest.raises(BudgetExhausted):
        await process.reserve(tenant, (100, 1000), least=20)
    assert (await process.reserve(tenant, (0, 50), least=1)).output_tokens >= 1


async def test_what_is_held_by_larger_calls_counts_for_smaller_ones(process: Process, books: Books) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
    for tokens in (4_900, 4_000, 1_000):
        await process.reserve(tenant, (tokens, 0))
    with pytest.raises(BudgetExhausted):
        await process.reserve(tenant, (101, 0))
    await process.reserve(tenant, (100, 0))
    assert await books.uses(tenant) == [("all", 0, 10_000, 4)]


async def test_calls_that_want_everything_leave_room_for_modest_ones(process: Process, books: Books) -> None:
    """20 calls with a huge `max_tokens` hold 20 parts of 21; a budget halved by each would have a millionth left."""
    tenant = new_tenant()
    limit = 1_000_000
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(limit))
    greedy = [await process.reserve(tenant, (0, 10**6)) for _ in range(20)]
    held = sum(one.nanos for one in greedy)
    assert limit * 20 // 21 - 100 < held <= limit * 20 // 21
    modest = [await process.reserve(tenant, (100, 100)) for _ in range(10)]
    assert [one.output_tokens for one in modest] == [100] * 10
    for one in [*greedy, *modest]:
        await process.settle(tenant, one.call_id, (0, 10))
    assert await books.uses(tenant) == [("all", 30 * 30, 0, 0)], "at rest nothing is held back"


async def test_no_modest_call_is_refused_while_a_twentieth_is_free(process: Process, books: Books) -> None:
    """64 calls in flight whose least is 1 % of the budget: who is refused finds hardly more than that free."""
    tenant = new_tenant()
    limit = 100_000
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(limit))
    flying: list[Reservation] = []
    for number in range(64):
        try:
            granted = await process.reserve(tenant, (100, 100 + 300 * (number % 7)), least=300)
        except BudgetExhausted:
            [(_, spent, reserved, _)] = await books.uses(tenant)
            assert limit - spent - reserved < limit // 20
            first = flying.pop(0)
            await process.settle(tenant, first.call_id, (100, first.output_tokens))
        else:
            assert granted.output_tokens >= 300 or granted.output_tokens == 100
            flying.append(granted)
    assert await books.faults(tenant) == []


async def test_period_begins_anew_in_the_time_zone_of_the_budget(dsn: str, books: Books) -> None:
    tenant = new_tenant()
    start = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    async with processes(dsn, clock := FakeClock(start), 1) as [process]:
        ctx = process.ctx(tenant)
        for zone in ("Asia/Tokyo", "America/New_York"):
            await process.budgets.create_budget(ctx, budget=budget(1_000, name=zone, zone=zone, period=Period.DAY))
        late = await process.reserve(tenant, (500, 0))
        clock.advance(3.5 * 3600)
        # In Tokyo it is tomorrow; in New York it is today.
        with pytest.raises(BudgetExhausted, match="New_York"):
            await process.reserve(tenant, (501, 0))
        await process.reserve(tenant, (500, 0))
        await process.settle(tenant, late.call_id, (400, 0))
        assert await books.uses(tenant) == [
            ("America/New_York", 400, 500, 1),
            ("Asia/Tokyo", 400, 0, 0),
            ("Asia/Tokyo", 0, 500, 1),
        ]


async def test_lower_limit_holds_for_the_next_call_and_deleted_budget_no_more(process: Process, books: Books) -> None:
    tenant = new_tenant()
    ctx = process.ctx(tenant)
    made = await process.budgets.create_budget(ctx, budget=budget(1_000))
    flying = await process.reserve(tenant, (400, 0))
    await process.budgets.update_budget(ctx, budget_id=made.id, change=BudgetUpdate(limit=500))
    with pytest.raises(BudgetExhausted):
        await process.reserve(tenant, (200, 0))
    await process.budgets.delete_budget(ctx, budget_id=made.id)
    await process.reserve(tenant, (200, 0))
    await process.settle(tenant, flying.call_id, (300, 0))
    assert await books.faults(tenant) == []


async def test_unknown_price_is_refused_or_metered_where_no_hard_budget_in_money_holds(dsn: str, books: Books) -> None:
    tenant = new_tenant()
    async with processes(dsn, FakeClock(datetime.now(UTC)), 1) as [strict]:
        with pytest.raises(PriceUnknown, match="p/other"):
            await strict.reserve(tenant, model="other")
    async with processes(dsn, FakeClock(datetime.now(UTC)), 1, meter=True) as [lenient]:
        ctx = lenient.ctx(tenant)
        await lenient.budgets.create_budget(ctx, budget=budget(1, name="soft", soft=True))
        await lenient.budgets.create_budget(ctx, budget=budget(1_000, name="tokens", unit=Unit.TOKENS))
        granted = await lenient.reserve(tenant, (10, 10), model="other")
        assert await lenient.settle(tenant, granted.call_id, (10, 5)) == 0
        rows = await books.rows("SELECT priced, output_tokens FROM costs.ledger WHERE tenant_id = $1", tenant)
        assert [tuple(row) for row in rows] == [(False, 5)]
        await lenient.budgets.create_budget(ctx, budget=budget(10**9, name="hard"))
        with pytest.raises(PriceUnknown, match="p/other"):
            await lenient.reserve(tenant, (10, 10), model="other")
        assert await books.faults(tenant) == []


async def test_batches_pay_their_percentage(dsn: str) -> None:
    half = msgspec.structs.replace(PRICE, batch_percent=50)
    async with processes(dsn, FakeClock(datetime.now(UTC)), 1, prices=Known({"m": half})) as [process]:
        tenant = new_tenant()
        plain, batch = [await process.reserve(tenant, (100, 100), batch=batch) for batch in (False, True)]
        assert (plain.nanos, batch.nanos) == (400, 200)
        assert await process.settle(tenant, batch.call_id, (100, 101)) == 202
        assert await process.settle(tenant, plain.call_id, (100, 100)) == 400


async def test_caller_that_leaves_meanwhile_holds_nothing(process: Process, books: Books) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
    leaving = [asyncio.create_task(process.reserve(tenant)) for _ in range(8)]
    for turns, task in enumerate(leaving):
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
    stayed = [one for one in await asyncio.gather(*leaving, return_exceptions=True) if isinstance(one, Reservation)]
    await process.engine.settled()
    held = sum(one.nanos for one in stayed)
    assert [use[1:] for use in await books.uses(tenant)] == [(0, held, len(stayed))]
    assert len(stayed) < len(leaving) - 1
    assert await books.faults(tenant) == []


async def test_caller_that_leaves_between_the_answer_and_its_hearing_holds_nothing(
    process: Process, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_tenant()
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(10_000))
    leaving = asyncio.create_task(process.reserve(tenant))
    answer = Waiting.answer

    def answer_and_leave(waiting: Waiting[object, object], result: object) -> bool:
        heard = answer(waiting, result)
        leaving.cancel()
        return heard

    with monkeypatch.context() as patched:
        patched.setattr(Waiting, "answer", answer_and_leave)
        with pytest.raises(asyncio.CancelledError):
            await leaving
    await process.engine.settled()
    assert await books.uses(tenant) == [("all", 0, 0, 0)]


@pytest.mark.parametrize("tokens", [(2**40, 1), (1, 2**50), (0, 4_000_000_000_000)])
async def test_call_too_large_to_reckon_with_is_refused(process: Process, tokens: tuple[int, int]) -> None:
    with pytest.raises(InvalidInput):
        await process.reserve(new_tenant(), tokens)


@pytest.mark.parametrize("name", ["a\x1fb", "a\0b"])
async def test_subject_with_a_control_character_is_refused(process: Process, name: str) -> None:
    with pytest.raises(InvalidInput, match="control character"):
        await process.reserve(new_tenant(), (1, 1), Subject(SubjectKind.USER, name))


async def test_call_id_of_another_time_or_kind_is_refused(process: Process, clock: FakeClock) -> None:
    old = Ids(FakeClock(clock.now() - timedelta(days=2))).new()
    for call_id in (old, UUID("a1b2c3d4-0000-4000-8000-000000000000")):
        with pytest.raises(InvalidInput, match="UUIDv7"):
            await process.reserve(new_tenant(), call_id=call_id)
