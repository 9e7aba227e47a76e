"""Registers the costs service."""

from pathlib import Path
from typing import Final

from steward.kit.bus import Subscription
from steward.kit.context import SystemCtx
from steward.kit.module import Built, Job, Module, Parts
from steward.kit.settings import load
from steward.services.costs.api import CostsApi
from steward.services.costs.budgets import Budgets
from steward.services.costs.engine import BEAT_SECONDS, Calls, Corrections, Engine
from steward.services.costs.http import ROUTES
from steward.services.costs.prices import Prices
from steward.services.costs.reports import Reports
from steward.services.costs.repository.engine import EngineSystemRepository
from steward.services.costs.rpc import COSTS, CostsClient
from steward.services.costs.service import CostsService
from steward.services.costs.settings import PREFIX, CostsSettings, UnknownPrice

_SWEEP_SECONDS: Final = 5.0
_DAY_SECONDS: Final = 86_400.0
_MONTHS_AHEAD: Final = 12


def build(parts: Parts) -> Built:
    settings = load(CostsSettings, parts.environment, PREFIX)
    engine = Engine(parts.db, parts.clock, parts.ids, parts.telemetry)
    corrections = Corrections(parts.db, parts.authz, parts.clock, engine.notices)
    prices = Prices(parts.db, parts.authz, parts.clock, parts.telemetry)
    calls = Calls(
        parts.db,
        parts.authz,
        parts.clock,
        prices,
        engine,
        corrections,
        meter_unknown=settings.unknown_price is UnknownPrice.METER,
    )
    budgets = Budgets(parts.db, parts.authz, parts.clock, parts.ids, parts.idempotency)
    reports = Reports(parts.db, parts.authz)

    async def make_months() -> None:
        async with parts.db.system_once(SystemCtx(reason="months of the ledger", service="costs")) as tx:
            await EngineSystemRepository().make_months(tx, _MONTHS_AHEAD)

    async def start() -> None:
        await engine.beat()
        await prices.load()

    return Built(
        api=CostsService(calls, corrections, budgets, prices, reports),
        jobs=(
            Job(name="costs-alive", every_seconds=BEAT_SECONDS, run=engine.beat, everywhere=True),
            Job(name="costs-sweep", every_seconds=_SWEEP_SECONDS, run=engine.sweep),
            Job(name="costs-months", every_seconds=_DAY_SECONDS, run=make_months),
            prices.job(),
        ),
        subscriptions=(
            Subscription(name="costs-tenants", sources=("tenants",), handler=budgets.on_tenants),
            prices.subscription(parts.sources),
        ),
        start=start,
        stop=engine.stop,
    )


MODULE = Module(
    name="costs",
    contract=CostsApi,
    build=build,
    rpc=COSTS,
    client=CostsClient,
    routes=ROUTES,
    migrations=Path(__file__).parent / "migrations",
)
