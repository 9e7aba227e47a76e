"""Many calls at once: exact at the limit, in few statements."""

import asyncio
from datetime import UTC, datetime

from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import Reservation, Subject, SubjectKind
from steward.services.costs.errors import BudgetExhausted
from tests.services.costs.house import Books, budget, processes
from tests.support.database import Trips, database_of, new_tenant
from tests.support.postgres import PostgresForTests


async def test_four_processes_race_for_one_small_budget(dsn: str, postgres: PostgresForTests) -> None:
    """256 calls of 100 nanos on a budget of 10,000: exactly 100 are granted, whoever comes first."""
    tenant = new_tenant()
    books = Books(postgres.dsn(database_of(dsn)))
    async with processes(dsn, FakeClock(datetime.now(UTC)), 4) as four:
        ctx = four[0].ctx(tenant)
        await four[0].budgets.create_budget(ctx, budget=budget(10_000))
        await four[0].budgets.create_budget(ctx, budget=budget(10**9, Subject(SubjectKind.USER, "u1"), name="user"))
        asked = [process.reserve(tenant, (100, 0)) for _ in range(64) for process in four]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        granted = [answer for answer in answers if isinstance(answer, Reservation)]
        refused = [answer for answer in answers if isinstance(answer, BudgetExhausted)]
        assert (len(granted), len(refused)) == (100, 156)
        assert {error.data["used"] for error in refused} == {10_000}
        assert await books.uses(tenant) == [("all", 0, 10_000, 100), ("user", 0, 10_000, 100)]
        paid = await asyncio.gather(
            *(four[number % 4].settle(tenant, one.call_id, (60, 0)) for number, one in enumerate(granted))
        )
        assert paid == [60] * 100
        assert await books.uses(tenant) == [("all", 6_000, 0, 0), ("user", 6_000, 0, 0)]
        assert await books.faults(tenant) == []
    await books.close()


async def test_calls_of_a_moment_share_their_round_trips(dsn: str, postgres: PostgresForTests) -> None:
    """One call is reserved in one message and settled in one; so are 64 at once."""
    trips = Trips(str(postgres.directory / "data"), database_of(dsn), "steward_app")
    tenant = new_tenant()
    counted: list[int] = []
    async with processes(await trips.start(), FakeClock(datetime.now(UTC)), 1) as [one]:
        await one.budgets.create_budget(one.ctx(tenant), budget=budget(10**9))
        for number in (1, 1, 1, 64):
            before = trips.count
            granted = await asyncio.gather(*(one.reserve(tenant) for _ in range(number)))
            counted.append(trips.count - before)
            before = trips.count
            await asyncio.gather(*(one.settle(tenant, each.call_id) for each in granted))
            counted.append(trips.count - before)
    trips.stop()
    assert counted[4:] == [1, 1, 1, 1]
