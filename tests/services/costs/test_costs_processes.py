"""Real processes, killed at random: no budget is overspent, and the ledger is never below what the provider billed."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from steward.kit.ids import TenantId
from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import BudgetUpdate
from tests.services.costs.house import Books, Process, budget
from tests.support.database import database_at, database_of, new_tenant
from tests.support.postgres import PostgresForTests

ROOT = Path(__file__).parents[3]


class CountingProvider:
    """Bills each call some of what it was granted, and answers a little later."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.billed: dict[UUID, tuple[int, int]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                call_id, read, granted = line.decode().split()
                used = int(read), self._random.randint(0, int(granted))
                self.billed[UUID(call_id)] = used
                answer = f"{call_id} {used[0]} {used[1]}\n".encode()
                asyncio.get_running_loop().call_later(self._random.uniform(0, 0.03), _write, writer, answer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def cost(self, call_id: UUID) -> int:
        read, written = self.billed[call_id]
        return read + 3 * written


def _write(writer: asyncio.StreamWriter, answer: bytes) -> None:
    if not writer.is_closing():
        writer.write(answer)


@asynccontextmanager
async def nursery(dsn: str, tenant: TenantId, port: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.services.costs.nursery", dsn, str(tenant), str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def one_round(
    made: asyncio.subprocess.Process, chance: random.Random, calls: int, provider: CountingProvider
) -> list[int]:
    """Four workers with so many calls each, one or two of them killed in the midst of it; their exit codes."""
    assert made.stdin is not None
    assert made.stdout is not None
    made.stdin.write(f"4 {calls}\n".encode())
    children = [int(word) for word in (await made.stdout.readline()).split()]
    begun = len(provider.billed)
    for number, child in enumerate(chance.sample(children, chance.randint(1, 2)), 1):
        wanted = begun + chance.randint(1, calls) * number
        for _ in range(500):
            if len(provider.billed) >= wanted:
                break
            await asyncio.sleep(0.002)
        os.kill(child, signal.SIGKILL)
    return [int(code) for code in (await made.stdout.readline()).split()[1:]]


async def run(dsn: str, owner: str, rounds: int, calls: int, seed: int) -> None:
    tenant, chance, provider = new_tenant(), random.Random(seed), CountingProvider(seed)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    books = Books(owner)
    # It looks at the time when all of the round's processes have been silent for long.
    clock = FakeClock(datetime.now(UTC) + timedelta(seconds=60))
    async with database_at(dsn, clock=clock) as database:
        sweeper = Process(database, clock)
        limit = calls * 4 * 1500
        made_budget = await sweeper.budgets.create_budget(sweeper.ctx(tenant), budget=budget(limit))
        killed = lost = 0
        async with nursery(dsn, tenant, server.sockets[0].getsockname()[1]) as made:
            for _ in range(rounds):
                codes = await one_round(made, chance, calls, provider)
                killed += codes.count(-signal.SIGKILL)
                assert set(codes) <= {0, -signal.SIGKILL}
                clock.advance(60 + chance.random())
                [(_, spent, reserved, _)] = await books.uses(tenant)
                assert spent + reserved <= limit
                await quiet(books)
                await sweeper.engine.sweep()
                await compare(books, provider, tenant, limit)
                for call_id in await unknown(books, tenant):
                    lost += 1
                    if call_id in provider.billed:
                        await sweeper.settle(tenant, call_id, provider.billed[call_id])
                await compare(books, provider, tenant, limit)
                limit += calls * 4 * 1000
                change = BudgetUpdate(limit=limit)
                await sweeper.budgets.update_budget(sweeper.ctx(tenant), budget_id=made_budget.id, change=change)
        assert killed > 0
        assert lost > 0
        assert len(provider.billed) > rounds * calls
        await sweeper.engine.stop()
    server.close()
    await books.close()


async def quiet(books: Books) -> None:
    """Wait until the database has done what the dead had asked of it: far less than the sweeper gives them."""
    busy = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    for _ in range(10_000):
        if not await books.rows(f"{busy} AND pid <> pg_backend_pid()"):
            return
        await asyncio.sleep(0.002)
    pytest.fail("the database is still busy")


async def unknown(books: Books, tenant: TenantId) -> list[UUID]:
    """Calls that were charged in full, for their process died."""
    found = await books.rows(
        "SELECT call_id FROM costs.ledger WHERE tenant_id = $1 GROUP BY 1 HAVING NOT bool_or(exact)", tenant
    )
    return [row[0] for row in found]


async def compare(books: Books, provider: CountingProvider, tenant: TenantId, limit: int) -> None:
    """At rest: nothing overspent or held; what was billed is in the ledger, exact where it was settled."""
    [(_, spent, reserved, flying)] = await books.uses(tenant)
    assert spent <= limit
    assert (reserved, flying) == (0, 0)
    assert await books.faults(tenant) == []
    rows = await books.rows(
        "SELECT call_id, sum(cost)::bigint AS cost, bool_or(exact) AS exact FROM costs.ledger WHERE tenant_id = $1"
        " GROUP BY 1",
        tenant,
    )
    ledger = {row["call_id"]: (row["cost"], row["exact"]) for row in rows}
    assert set(provider.billed) <= set(ledger)
    for call_id, (cost, exact) in ledger.items():
        billed = provider.cost(call_id) if call_id in provider.billed else 0
        assert cost == billed if exact else cost >= billed


async def test_killed_processes_overspend_nothing(dsn: str, postgres: PostgresForTests) -> None:
    await run(dsn, postgres.dsn(database_of(dsn)), rounds=2, calls=60, seed=4)


@pytest.mark.proof
async def test_twenty_rounds_of_a_thousand_calls(dsn: str, postgres: PostgresForTests) -> None:
    await run(dsn, postgres.dsn(database_of(dsn)), rounds=20, calls=250, seed=1)
