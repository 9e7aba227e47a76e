"""The costs service over gRPC: its description and its client."""

from collections.abc import AsyncIterator, Sequence

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
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
    CostsApi,
    LedgerEntry,
    LedgerFilter,
    Price,
    PriceInput,
    Report,
    ReportQuery,
    Reservation,
    Subject,
    SubjectName,
    WorstCase,
)
from steward_proto.v1 import costs_pb2

COSTS = RpcService(
    "costs",
    costs_pb2.DESCRIPTOR.services_by_name["CostsService"],
    CostsApi,
    {
        "Reserve": CostsApi.reserve,
        "Settle": CostsApi.settle,
        "RecordHit": CostsApi.record_hit,
        "Correct": CostsApi.correct,
        "CreateBudget": CostsApi.create_budget,
        "GetBudget": CostsApi.get_budget,
        "ListBudgets": CostsApi.list_budgets,
        "UpdateBudget": CostsApi.update_budget,
        "DeleteBudget": CostsApi.delete_budget,
        "SetTeam": CostsApi.set_team,
        "ListPrices": CostsApi.list_prices,
        "PutPrice": CostsApi.put_price,
        "DeletePrice": CostsApi.delete_price,
        "ListCalls": CostsApi.list_calls,
        "MakeReport": CostsApi.report,
        "ExportCalls": CostsApi.export_calls,
    },
)


class CostsClient(CostsApi):
    """The costs service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def reserve(
        self, ctx: Ctx, *, call_id: CallId, subjects: Sequence[Subject], worst_case: WorstCase, info: CallInfo
    ) -> Reservation:
        return await self._rpc.call(
            ctx, "Reserve", call_id=call_id, subjects=subjects, worst_case=worst_case, info=info
        )

    async def settle(self, ctx: Ctx, *, call_id: CallId, actual: Actual) -> int:
        return await self._rpc.call(ctx, "Settle", call_id=call_id, actual=actual)

    async def record_hit(self, ctx: Ctx, *, hit: CacheHit) -> None:
        await self._rpc.call(ctx, "RecordHit", hit=hit)

    async def correct(self, ctx: Ctx, *, call_id: CallId, correction: Correction) -> Sequence[LedgerEntry]:
        return await self._rpc.call(ctx, "Correct", call_id=call_id, correction=correction)

    async def create_budget(self, ctx: Ctx, *, budget: BudgetInput) -> Budget:
        return await self._rpc.call(ctx, "CreateBudget", budget=budget)

    async def get_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> Budget:
        return await self._rpc.call(ctx, "GetBudget", budget_id=budget_id)

    async def list_budgets(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[Budget]:
        return await self._rpc.call(ctx, "ListBudgets", limit=limit, cursor=cursor)

    async def update_budget(self, ctx: Ctx, *, budget_id: BudgetId, change: BudgetUpdate) -> Budget:
        return await self._rpc.call(ctx, "UpdateBudget", budget_id=budget_id, change=change)

    async def delete_budget(self, ctx: Ctx, *, budget_id: BudgetId) -> None:
        await self._rpc.call(ctx, "DeleteBudget", budget_id=budget_id)

    async def set_team(self, ctx: Ctx, *, member: Subject, team: SubjectName | None) -> None:
        await self._rpc.call(ctx, "SetTeam", member=member, team=team)

    async def list_prices(self, ctx: Ctx, *, provider: str | None = None, model: str | None = None) -> Sequence[Price]:
        return await self._rpc.call(ctx, "ListPrices", provider=provider, model=model)

    async def put_price(
        self, ctx: Ctx, *, provider: str, model: str, price: PriceInput, installation: bool = False
    ) -> Price:
        return await self._rpc.call(
            ctx, "PutPrice", provider=provider, model=model, price=price, installation=installation
        )

    async def delete_price(self, ctx: Ctx, *, provider: str, model: str, installation: bool = False) -> None:
        await self._rpc.call(ctx, "DeletePrice", provider=provider, model=model, installation=installation)

    async def list_calls(
        self, ctx: Ctx, *, where: LedgerFilter | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[LedgerEntry]:
        return await self._rpc.call(ctx, "ListCalls", where=where, limit=limit, cursor=cursor)

    async def report(self, ctx: Ctx, *, query: ReportQuery) -> Report:
        return await self._rpc.call(ctx, "MakeReport", query=query)

    def export_calls(self, ctx: Ctx, *, where: LedgerFilter | None = None) -> AsyncIterator[LedgerEntry]:
        return self._rpc.stream(ctx, "ExportCalls", where=where)
