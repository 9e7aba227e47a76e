"""How the operations of the costs service are called."""

from collections.abc import Sequence
from datetime import timedelta

from steward.services.costs.api import (
    Actual,
    BudgetInput,
    BudgetUpdate,
    CacheHit,
    CallId,
    CallInfo,
    CallUsage,
    Correction,
    CostsApi,
    LedgerFilter,
    Outcome,
    PriceInput,
    ReportQuery,
    Subject,
    SubjectKind,
    TokenPrices,
    WorstCase,
)
from tests.authorization.recipes.recipe import HIDDEN, Across, Arguments, Kind, Recipe, by, of
from tests.authorization.stage import Stage

_PRICED = {"provider": "probe", "model": "m"}
"""What the house's provider answers for."""
_INFO = CallInfo(request_id="probe", alias="probe/m", connection="probe")


async def reserve(stage: Stage) -> Arguments:
    return {
        "call_id": _new_call(stage),
        "subjects": [Subject(SubjectKind.AGENT, "probe")],
        "worst_case": WorstCase(**_PRICED, input_tokens=10, output_tokens=10),
        "info": _INFO,
    }


async def settle(stage: Stage) -> Arguments:
    return {"call_id": _new_call(stage), "actual": Actual(outcome=Outcome.SUCCEEDED)}


async def record_hit(stage: Stage) -> Arguments:
    hit = CacheHit(
        call_id=_new_call(stage), subjects=[], info=_INFO, **_PRICED, cache="exact", usage=CallUsage(input_tokens=1)
    )
    return {"hit": hit}


async def correct(stage: Stage) -> Arguments:
    """A call of the tenant's that was charged by a bound."""
    costs, ctx = _costs(stage), stage.house.installation.ctx(stage.tenant.id, "service:costs")
    reservation = await costs.reserve(ctx, **await reserve(stage))
    bound = Actual(outcome=Outcome.TIMED_OUT, usage=CallUsage(input_tokens=10, output_tokens=10), exact=False)
    await costs.settle(ctx, call_id=reservation.call_id, actual=bound)
    correction = Correction(usage=CallUsage(input_tokens=7, output_tokens=3), reason="the provider's bill")
    return {"call_id": reservation.call_id, "correction": correction}


async def create_budget(stage: Stage) -> Arguments:
    """Of somebody who makes no calls."""
    made = stage.unique()
    return {"budget": BudgetInput(name=f"b-{made}", subject=Subject(SubjectKind.USER, made), limit=10**12)}


async def budget(stage: Stage) -> Arguments:
    return {"budget_id": (await _costs(stage).create_budget(stage.tenant.owner, **await create_budget(stage))).id}


async def update_budget(stage: Stage) -> Arguments:
    return {**await budget(stage), "change": BudgetUpdate(limit=5)}


async def set_team(stage: Stage) -> Arguments:
    return {"member": Subject(SubjectKind.AGENT, f"a-{stage.unique()}"), "team": "shop/search"}


async def some_prices(_: Stage) -> Arguments:
    return {"provider": "probe"}


async def put_price(stage: Stage) -> Arguments:
    price = PriceInput(prices=TokenPrices(input=1, output=2))
    return {"provider": "made-up", "model": f"org/m-{stage.unique()}", "price": price}


async def price(stage: Stage) -> Arguments:
    made = await put_price(stage)
    await _costs(stage).put_price(stage.tenant.owner, **made)
    return {"provider": made["provider"], "model": made["model"]}


async def calls(_: Stage) -> Arguments:
    return {"where": LedgerFilter(outcome=Outcome.SUCCEEDED)}


async def report(stage: Stage) -> Arguments:
    now = stage.house.installation.foundation.clock.now()
    return {"query": ReportQuery(since=now - timedelta(hours=1), until=now)}


def _costs(stage: Stage) -> CostsApi:
    return stage.house.installation.api(CostsApi)


def _new_call(stage: Stage) -> CallId:
    return CallId(stage.house.installation.foundation.ids.new())


_SERVICE = {"across": Across.REFUSED}
_CONFIGURE, _READ = "cost:configure", "cost:read"

COSTS: Sequence[Recipe] = (
    of("reserve", Kind.SERVICE, reserve, **_SERVICE),
    of("settle", Kind.SERVICE, settle, **_SERVICE),
    of("record_hit", Kind.SERVICE, record_hit, **_SERVICE),
    by(_CONFIGURE, "correct", correct, **HIDDEN),
    by(_CONFIGURE, "create_budget", create_budget),
    by(_READ, "get_budget", budget, **HIDDEN),
    by(_READ, "list_budgets"),
    by(_CONFIGURE, "update_budget", update_budget, **HIDDEN),
    by(_CONFIGURE, "delete_budget", budget, **HIDDEN),
    by(_CONFIGURE, "set_team", set_team, sent_as={"member": "member"}),
    by(_READ, "list_prices", some_prices),
    by(_CONFIGURE, "put_price", put_price),
    by(_CONFIGURE, "delete_price", price, **HIDDEN),
    by(_READ, "list_calls", calls),
    by(_READ, "report", report),
    by(_READ, "export_calls", calls),
)

TABLES: Sequence[Recipe] = (by(_CONFIGURE, "correct_call", correct, **HIDDEN), by(_READ, "report_csv", report))
"""Over HTTP only: `correct` under a name that says what, and `report` as CSV."""
