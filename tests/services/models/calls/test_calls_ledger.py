"""Calls with the real costs service and real HTTP: budgets hold, and the ledger covers what the provider counted."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from steward.kit.clock import SystemClock
from steward.kit.errors import AppError
from steward.kit.testing.provider import Ending, Reply
from steward.services.costs.errors import BudgetExhausted
from steward.services.models.api import Speaks
from steward.services.models.messages import Delta
from steward.services.models.ports import Call
from tests.services.costs.house import PRICE, Books, Known, Process, budget, processes
from tests.services.models.calls.house import House, house_on
from tests.services.models.calls.world import ask
from tests.support.database import database_of, new_tenant
from tests.support.postgres import PostgresForTests

CALLS = 60
LIMIT = 12_000
"""Too little for all of these calls, at a nano for an input token and three for an output token."""
TEXT = "abcd" * 40


@pytest.fixture
async def process(dsn: str) -> AsyncGenerator[Process]:
    async with processes(dsn, SystemClock(), 1, prices=Known({"fake-small": PRICE})) as [one]:
        yield one


@pytest.fixture
async def books(postgres: PostgresForTests, dsn: str) -> AsyncGenerator[Books]:
    looking = Books(postgres.dsn(database_of(dsn)))
    yield looking
    await looking.close()


def replies(chance: random.Random) -> Reply:
    """Mostly answers, and every kind of failure."""
    return chance.choice(
        [
            *[Reply(text=TEXT)] * 4,
            Reply(text=TEXT, between=0.001),
            Reply(status=500),
            Reply(status=429, headers={"retry-after": "0"}),
            Reply(text=TEXT, cut_at=chance.randrange(1, 4000), ending=Ending.RESET),
            Reply(text=TEXT, error_after=chance.randrange(1, 20)),
            Reply(drop=True),
            Reply(text=TEXT, untold=True),
        ]
    )


async def one(house: House, call: Call, chance: random.Random) -> str:
    """How a call ended that its caller may leave."""
    leaves_at = chance.choice([None, None, chance.randrange(1, 30)])
    try:
        if chance.random() < 0.3:
            await house.calls.complete(call)
        else:
            async with aclosing(house.calls.stream(call)) as events:
                async for event in events:
                    if leaves_at is not None and isinstance(event, Delta):
                        leaves_at -= 1
                        if leaves_at == 0:
                            return "left"
    except BudgetExhausted:
        return "exhausted"
    except AppError:
        return "failed"
    return "answered"


async def test_budget_holds_and_ledger_covers_the_provider_whatever_happens(process: Process, books: Books) -> None:
    tenant = new_tenant()
    chance = random.Random(11)
    await process.budgets.create_budget(process.ctx(tenant), budget=budget(LIMIT))
    async with house_on(process.calls) as house:
        house.provider.tell(*(replies(chance) for _ in range(5 * CALLS)))
        targets = [
            house.target(Speaks.OPENAI, can_continue=True, max_concurrency=8),
            house.target(Speaks.ANTHROPIC, "b", order=1, can_continue=True, max_concurrency=8),
        ]
        calls = [house.call(*targets, tenant=tenant, request=ask("hi", max_output_tokens=100)) for _ in range(CALLS)]
        ends = await asyncio.gather(*(one(house, call, chance) for call in calls))
        await house.calls.drain()
        counted = sum(bill.input_tokens + 3 * bill.output_tokens for bill in house.provider.billed)
        kept = all(bill.kept_max for bill in house.provider.billed)
    assert set(ends) >= {"answered", "exhausted", "left"}
    assert kept, "the provider was asked for no more than was reserved"
    assert await books.faults(tenant) == []
    ((_, spent, reserved, open_calls),) = await books.uses(tenant)
    assert (reserved, open_calls) == (0, 0)
    assert counted <= spent <= LIMIT
