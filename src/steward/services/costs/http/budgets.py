"""Routes of budgets, teams and corrections."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, SkipValidation
from msgspec import Meta

from steward.kit.paging import Page
from steward.kit.web import Caller, Items, PageCursor, PageLimit
from steward.services.costs.api import (
    Budget,
    BudgetId,
    BudgetInput,
    BudgetUpdate,
    CallId,
    Correction,
    CostsApi,
    LedgerEntry,
    Subject,
    SubjectName,
)

CostsPort = NamedDependency[SkipValidation[CostsApi]]

TAGS: Final = ("Costs",)


class CorrectionBody(Correction, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The provider's own figure of a call that was charged by a bound."""


class TeamMemberBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which team a user, agent or key counts for."""

    member: Annotated[Subject, Meta(examples=[{"kind": "agent", "id": "desk"}])]
    team: SubjectName | None
    """A path such as `shop/search`; null takes the member out."""


@post("/api/v1/costs/budgets", tags=TAGS)
async def create_budget(ctx: Caller, costs: CostsPort, data: JSONBody[BudgetInput]) -> Budget:
    """Set a budget

    Calls count that begin after it was made. Needs `cost:configure`.
    """
    return await costs.create_budget(ctx, budget=data)


@get("/api/v1/costs/budgets", tags=TAGS)
async def list_budgets(ctx: Caller, costs: CostsPort, limit: PageLimit = 50, cursor: PageCursor = None) -> Page[Budget]:
    """List budgets with what is used of them, oldest first

    Needs `cost:read`.
    """
    return await costs.list_budgets(ctx, limit=limit, cursor=cursor)


@get("/api/v1/costs/budgets/{budget_id:str}", tags=TAGS)
async def get_budget(ctx: Caller, costs: CostsPort, budget_id: FromPath[BudgetId]) -> Budget:
    """Get a budget and what is used of it

    Needs `cost:read`.
    """
    return await costs.get_budget(ctx, budget_id=budget_id)


@patch("/api/v1/costs/budgets/{budget_id:str}", tags=TAGS)
async def update_budget(
    ctx: Caller, costs: CostsPort, budget_id: FromPath[BudgetId], data: JSONBody[BudgetUpdate]
) -> Budget:
    """Change a budget's name, limit, enforcement or alerts

    A lower limit holds for the next call. Needs `cost:configure`.
    """
    return await costs.update_budget(ctx, budget_id=budget_id, change=data)


@delete("/api/v1/costs/budgets/{budget_id:str}", tags=TAGS)
async def delete_budget(ctx: Caller, costs: CostsPort, budget_id: FromPath[BudgetId]) -> None:
    """End a budget

    The ledger stays. Needs `cost:configure`.
    """
    await costs.delete_budget(ctx, budget_id=budget_id)


@put("/api/v1/costs/teams/members", tags=TAGS, status_code=204)
async def set_team(ctx: Caller, costs: CostsPort, data: JSONBody[TeamMemberBody]) -> None:
    """Say which team a user, agent or key counts for

    Its calls count for the budgets of that team and of those above it. Needs `cost:configure`.
    """
    await costs.set_team(ctx, member=data.member, team=data.team)


@post("/api/v1/costs/calls/{call_id:str}/correction", tags=TAGS, status_code=200)
async def correct_call(
    ctx: Caller, costs: CostsPort, call_id: FromPath[CallId], data: JSONBody[CorrectionBody]
) -> Items[LedgerEntry]:
    """Give the provider's own figure of a call that was charged by a bound

    The answer is every entry of the call; corrections hold differences. Needs `cost:configure`.
    """
    return Items(list(await costs.correct(ctx, call_id=call_id, correction=data)))


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    create_budget,
    list_budgets,
    get_budget,
    update_budget,
    delete_budget,
    set_team,
    correct_call,
)
