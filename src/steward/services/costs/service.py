"""The costs service: its contract, answered by its use cases."""

from collections.abc import AsyncIterator, Sequence

from steward.kit.context import Ctx
from steward.kit.paging import Page
from steward.services.costs.api import (
    Actual,
    Budget,
    BudgetId,
    BudgetInput,
    BudgetUpdate,
    CacheHit,
    CallId,
    CallInfo,
    Correction,
    LedgerEntry,
    LedgerFilter,
    Price,
    PriceInput,
    Report,
    ReportQuery,
    Reservation,
    Subject,
    WorstCase,
)
from steward.services.costs.budgets import Budgets
from steward.services.costs.engine import Calls, Corrections
from steward.services.costs.prices import Prices
from steward.services.costs.reports import Reports


class CostsService:
    """Implements `CostsApi`."""

    def __init__(
        self, calls: Calls, corrections: Corrections, budgets: Budgets, prices: Prices, reports: Reports
    ) -> None:
        self._calls = calls
        self._corrections = corrections
        self._budgets = budgets
        self._prices = prices
        self._reports = reports

    async def reserve(
        self, ctx: Ctx, *, call_id: CallId, subjects: Sequence[Subject], worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        return await self._calls.reserve(ctx, call_id=call_id, subjects=subjects, worst_case=worst_case, info=info)

    async def settle(self, ctx: Ctx, *, call_id: CallId, actual: Actual) -> int:
        return await self._calls.settle(ctx, call_id=call_id, actual=actual)

    async def record_hit(self, ctx: Ctx, *, hit: CacheHit) -> None:
        await self._calls.record_hit(ctx, hit=hit)

    async def correct(self, ctx: Ctx, *, call_id: CallId, correction: Correction) -> Sequence[LedgerEntry]:
        return await self._corrections.correct(ctx, call_id=call_id, correction=correction)

    async def create_budget(self, ctx: Ctx, *, budget: BudgetInput) -> Budget:
        return await self._budgets.create_budget(ctx, budget=budget)

    async def get_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> Budget:
        return await self._budgets.get_budget(ctx, budget_id=budget_id)

    async def list_budgets(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Budget]:
        return await self._budgets.list_budgets(ctx, limit=limit, cursor=cursor)

    async def update_budget(self, ctx: Ctx, *, budget_id: BudgetId, change: BudgetUpdate) -> Budget:
        return await self._budgets.update_budget(ctx, budget_id=budget_id, change=change)

    async def delete_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> None:
        await self._budgets.delete_budget(ctx, budget_id=budget_id)

    async def set_team(self, ctx: Ctx, *, member: Subject, team: str | None) -> None:
        await self._budgets.set_team(ctx, member=member, team=team)

    async def list_prices(self, ctx: Ctx, *, provider: str | None = None, model: str | None = None) -> Sequence[Price]:
        return await self._prices.list_prices(ctx, provider=provider, model=model)

    async def put_price(
        self, ctx: Ctx, *, provider: str, model: str, price: PriceInput, installation: bool = False
    ) -> Price:
        return await self._prices.put_price(ctx, provider=provider, model=model, price=price, installation=installation)

    async def delete_price(self, ctx: Ctx, *, provider: str, model: str, installation: bool = False) -> None:
        await self._prices.delete_price(ctx, provider=provider, model=model, installation=installation)

    async def list_calls(
        self, ctx: Ctx, *, where: LedgerFilter | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[LedgerEntry]:
        return await self._reports.list_calls(ctx, where=where, limit=limit, cursor=cursor)

    async def report(self, ctx: Ctx, *, query: ReportQuery) -> Report:
        return await self._reports.report(ctx, query=query)

    def export_calls(self, ctx: Ctx, *, where: LedgerFilter | None = None) -> AsyncIterator[LedgerEntry]:
        return self._reports.export_calls(ctx, where=where)
