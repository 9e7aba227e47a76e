"""Budgets, teams and calls through the contract, here and over gRPC."""

from datetime import timedelta

import msgspec
import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import InvalidInput
from steward.services.costs.api import (
    BudgetId,
    BudgetUpdate,
    CacheHit,
    CallId,
    CallUsage,
    Correction,
    CostsApi,
    Enforcement,
    Period,
    PriceInput,
    Subject,
    SubjectKind,
    TokenPrices,
    Unit,
    WorstCase,
)
from steward.services.costs.errors import (
    BudgetExhausted,
    BudgetNameTaken,
    BudgetNotFound,
    CallNotFound,
    CallSettled,
    UnknownTimeZone,
)
from tests.services.costs.house import INFO, USER, budget, ended
from tests.support.database import new_tenant
from tests.support.platform import Installation

ALL = ("service:costs", "cost:read", "cost:configure")


@pytest.fixture
def costs(installation: Installation) -> CostsApi:
    return installation.api(CostsApi)


@pytest.fixture
def ctx(installation: Installation) -> Ctx:
    return installation.ctx(new_tenant(), *ALL, actor=Actor(ActorType.SERVICE, "models"))


async def priced(costs: CostsApi, ctx: Ctx) -> None:
    """A nano for an input token, three for an output token."""
    price = PriceInput(prices=TokenPrices(input=1_000_000, output=3_000_000))
    await costs.put_price(ctx, provider="p", model="m", price=price)


async def test_budget_is_made_read_changed_and_ended(costs: CostsApi, ctx: Ctx) -> None:
    terms = budget(10_000, Subject(SubjectKind.TEAM, "shop"), name="shop", period=Period.WEEK, zone="Europe/Berlin")
    made = await costs.create_budget(ctx, budget=terms)
    assert (made.name, made.limit, made.spent, made.reserved) == ("shop", 10_000, 0, 0)
    assert made.resets_at is not None
    assert made.period_start is not None
    assert timedelta(days=6, hours=22) < made.resets_at - made.period_start < timedelta(days=7, hours=2)
    assert await costs.get_budget(ctx, budget_id=made.id) == made
    change = BudgetUpdate(limit=5, enforcement=Enforcement.SOFT, alert_at=[])
    changed = await costs.update_budget(ctx, budget_id=made.id, change=change)
    assert (changed.name, changed.limit, changed.enforcement, changed.alert_at) == ("shop", 5, Enforcement.SOFT, [])
    await costs.delete_budget(ctx, budget_id=made.id)
    for gone in (
        costs.get_budget(ctx, budget_id=made.id),
        costs.delete_budget(ctx, budget_id=made.id),
        costs.update_budget(ctx, budget_id=made.id, change=change),
    ):
        with pytest.raises(BudgetNotFound):
            await gone


async def test_budgets_are_paged_in_their_order(costs: CostsApi, ctx: Ctx) -> None:
    ids = [(await costs.create_budget(ctx, budget=budget(1, name=str(number)))).id for number in range(5)]
    seen: list[BudgetId] = []
    cursor = None
    while True:
        page = await costs.list_budgets(ctx, limit=2, cursor=cursor)
        seen += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids


async def test_names_are_taken_once_and_keys_repeat_the_answer(costs: CostsApi, ctx: Ctx) -> None:
    keyed = msgspec.structs.replace(ctx, idempotency_key="k")
    first = await costs.create_budget(keyed, budget=budget(1))
    assert await costs.create_budget(keyed, budget=budget(1)) == first
    with pytest.raises(BudgetNameTaken, match="'all'"):
        await costs.create_budget(ctx, budget=budget(2))
    other = await costs.create_budget(ctx, budget=budget(2, name="other"))
    with pytest.raises(BudgetNameTaken, match="'all'"):
        await costs.update_budget(ctx, budget_id=other.id, change=BudgetUpdate(name="all"))


async def test_what_cannot_be_is_refused_with_its_name(costs: CostsApi, ctx: Ctx) -> None:
    with pytest.raises(UnknownTimeZone, match="Mars/Olympus"):
        await costs.create_budget(ctx, budget=budget(1, zone="Mars/Olympus"))
    for subject in (
        Subject(SubjectKind.TENANT, "x"),
        Subject(SubjectKind.USER, ""),
        Subject(SubjectKind.TEAM, "shop//search"),
    ):
        with pytest.raises(InvalidInput):
            await costs.create_budget(ctx, budget=budget(1, subject))
    for member, team in ((Subject(SubjectKind.RUN, "r"), "shop"), (USER, "/shop"), (Subject(SubjectKind.USER), "shop")):
        with pytest.raises(InvalidInput):
            await costs.set_team(ctx, member=member, team=team)


async def test_call_is_reserved_settled_and_corrected(costs: CostsApi, ctx: Ctx, installation: Installation) -> None:
    await priced(costs, ctx)
    agent = Subject(SubjectKind.AGENT, "a1")
    await costs.set_team(ctx, member=agent, team="shop/search")
    team = await costs.create_budget(ctx, budget=budget(1_000, Subject(SubjectKind.TEAM, "shop"), name="team"))
    tokens = await costs.create_budget(ctx, budget=budget(10_000, name="tokens", unit=Unit.TOKENS))
    first, second = [CallId(installation.foundation.ids.new()) for _ in range(2)]
    worst = WorstCase(provider="p", model="m", input_tokens=100, output_tokens=1_000)
    granted = await costs.reserve(ctx, call_id=first, subjects=[agent], worst_case=worst, info=INFO)
    assert (granted.nanos, granted.output_tokens) == (499, 133)
    assert (await costs.get_budget(ctx, budget_id=team.id)).reserved == 499
    assert await costs.settle(ctx, call_id=first, actual=ended((90, 100), exact=False)) == 390
    entries = await costs.correct(
        ctx, call_id=first, correction=Correction(usage=CallUsage(input_tokens=90, output_tokens=1), reason="bill")
    )
    assert [entry.cost for entry in entries] == [390, -297]
    with pytest.raises(CallSettled):
        await costs.correct(ctx, call_id=first, correction=Correction(usage=CallUsage(), reason="bill"))
    seen = [await costs.get_budget(ctx, budget_id=one.id) for one in (team, tokens)]
    assert [(one.spent, one.reserved) for one in seen] == [(93, 0), (91, 0)]
    large = msgspec.structs.replace(worst, least_output_tokens=900)
    with pytest.raises(BudgetExhausted) as refused:
        await costs.reserve(ctx, call_id=second, subjects=[agent], worst_case=large, info=INFO)
    assert (refused.value.data["budget"], refused.value.data["used"]) == ("team", 93)
    with pytest.raises(CallNotFound):
        await costs.settle(ctx, call_id=second, actual=ended((1, 1)))
    hit = CacheHit(
        call_id=second,
        subjects=[agent],
        info=INFO,
        provider="p",
        model="m",
        cache="exact",
        usage=CallUsage(output_tokens=5),
    )
    await costs.record_hit(ctx, hit=hit)
    page = await costs.list_calls(ctx)
    assert {(entry.call_id, entry.revision) for entry in page.items} == {(second, 0), (first, 0), (first, 1)}


async def test_what_a_caller_may_not_do_is_refused(costs: CostsApi, installation: Installation) -> None:
    nobody = installation.ctx(new_tenant(), "ticket:read", actor=Actor(ActorType.USER, "u"))
    missing = BudgetId(installation.foundation.ids.new())
    call = CallId(missing)
    for work in (
        costs.create_budget(nobody, budget=budget(1)),
        costs.get_budget(nobody, budget_id=missing),
        costs.list_budgets(nobody),
        costs.update_budget(nobody, budget_id=missing, change=BudgetUpdate(limit=1)),
        costs.delete_budget(nobody, budget_id=missing),
        costs.set_team(nobody, member=USER, team="shop"),
        costs.settle(nobody, call_id=call, actual=ended((1, 1))),
        costs.correct(nobody, call_id=call, correction=Correction(usage=CallUsage(), reason="r")),
    ):
        with pytest.raises(PermissionDenied):
            await work
