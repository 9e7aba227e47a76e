"""The pool: a harmless login role, limits, lost connections, cancelled work, counted round trips."""

import asyncio
from contextlib import AbstractContextManager, nullcontext

import pytest

from steward.kit.audit import Audit
from steward.kit.db import DatabaseBusy, DatabaseUnavailable
from steward.kit.db.errors import RoleTooStrong
from steward.kit.testing.clock import FakeClock
from tests.conftest import NewDatabase
from tests.kit.db.test_tx import Happened, hold
from tests.support.database import Trips, as_owner, ctx_of, database_at, database_of, new_tenant, values
from tests.support.postgres import PostgresForTests

# Each role is made under the name {role}, what it needs beside it under names that begin so.
ROLES = {
    "is a superuser": "CREATE ROLE {role} LOGIN SUPERUSER",
    "has BYPASSRLS": "CREATE ROLE {role} LOGIN BYPASSRLS",
    "has CREATEROLE": "CREATE ROLE {role} LOGIN CREATEROLE",
    "has REPLICATION": "CREATE ROLE {role} LOGIN REPLICATION",
    "owns a table": "CREATE ROLE {role} LOGIN; CREATE TABLE public.{role} (a int);"
    " ALTER TABLE public.{role} OWNER TO {role}",
    "may become a role that bypasses row-level security": "CREATE ROLE {role}_strong BYPASSRLS;"
    " CREATE ROLE {role} LOGIN NOINHERIT; GRANT {role}_strong TO {role}",
}
ROUNDABOUT = {
    "may become a role that bypasses row-level security": "CREATE ROLE {role}_strong BYPASSRLS; "
    "CREATE ROLE {role}_step; GRANT {role}_strong TO {role}_step;"
    " CREATE ROLE {role} LOGIN NOINHERIT; GRANT {role}_step TO {role}",
    "owns a table": "CREATE ROLE {role}_owner; CREATE TABLE public.{role} (a int);"
    " ALTER TABLE public.{role} OWNER TO {role}_owner; CREATE ROLE {role} LOGIN;"
    " GRANT {role}_owner TO {role} WITH SET FALSE, INHERIT TRUE",
}


@pytest.mark.parametrize(("problem", "sql"), [*ROLES.items(), *ROUNDABOUT.items()])
async def test_start_refused_on_a_role_that_gets_round_row_security(
    postgres: PostgresForTests, new_database: NewDatabase, problem: str, sql: str
) -> None:
    _, owner = await new_database()
    role = "strong_" + new_tenant().hex[-12:]
    await as_owner(owner, sql.format(role=role))
    try:
        with pytest.raises(RoleTooStrong, match=f"{role}.*{problem}.*log in as steward_app"):
            async with database_at(postgres.dsn(database_of(owner), role)):
                pytest.fail("the platform started on a role that is too strong")
    finally:
        await as_owner(owner, f"DROP TABLE IF EXISTS public.{role}")
        for name in values(await as_owner(owner, "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", role)):
            await as_owner(owner, f"DROP ROLE {name[0]}")


async def test_start_says_that_the_database_does_not_answer(postgres: PostgresForTests) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with database_at("postgresql://steward_app@/x?host=/nowhere"):
            pytest.fail("there is no server")


class Watching:
    """An observer that keeps what it is told; each statement takes as long as `clock` is moved on meanwhile."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, float]] = []

    def transaction(self, service: str, tenant: str) -> AbstractContextManager[None]:  # noqa: ARG002 the port's shape
        return nullcontext()

    def slow(self, service: str, statement: str, seconds: float) -> None:
        self.told.append((service, statement, seconds))


class SlowClock(FakeClock):
    """A clock that moves on by `step` at each look at the seconds."""

    step = 0.0

    def monotonic(self) -> float:
        self.advance(self.step)
        return super().monotonic()


async def test_slow_statement_reported_without_its_arguments(dsn: str) -> None:
    observer, clock = Watching(), SlowClock()
    async with (
        database_at(dsn, clock=clock, observer=observer, slow_seconds=1.0) as database,
        database.service("tenants").tx(ctx_of(new_tenant())) as tx,
    ):
        await tx.fetchval("SELECT 'quick'")
        clock.step = 1.5
        for run in (tx.fetch, tx.fetchrow, tx.fetchval, tx.execute):
            await run("SELECT $1::text", "secret-of-a-customer")
        clock.step = 0.0
    assert observer.told == [("tenants", "SELECT $1::text", 1.5)] * 4


async def test_no_free_connection_is_busy(dsn: str) -> None:
    ctx = ctx_of(new_tenant())
    async with database_at(dsn, pool_size=1, acquire_seconds=0.05) as database:
        held = await database.acquire()
        with pytest.raises(DatabaseBusy) as busy:
            async with database.service("tenants").tx(ctx):
                pytest.fail("there was no connection")
        assert (busy.value.status, busy.value.data) == (503, {"retry_after": 1})
        await database.release(held)
        async with database.service("tenants").tx(ctx) as tx:
            assert await tx.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("moment", ["before the statement", "during the statement", "before the commit"])
async def test_killed_connection_is_unavailable_and_the_pool_recovers(
    dsn: str, postgres: PostgresForTests, moment: str
) -> None:
    ctx = ctx_of(tenant := new_tenant())
    owner = postgres.dsn("postgres")
    kill = "SELECT pg_terminate_backend($1, 5000)"
    async with database_at(dsn, pool_size=1) as database:
        with pytest.raises(DatabaseUnavailable):  # noqa: PT012 the end of the block may raise too
            async with database.service("tenants").tx(ctx) as tx:
                await hold(tx, tenant)
                backend = await tx.fetchval("SELECT pg_backend_pid()")
                if moment == "during the statement":
                    await asyncio.gather(tx.fetch("SELECT pg_sleep(30)"), as_owner(owner, kill, backend))
                await as_owner(owner, kill, backend)
                if moment == "before the statement":
                    await tx.fetchval("SELECT 1")
        async with database.service("tenants").tx(ctx) as tx:
            assert await tx.fetchval("SELECT count(*) FROM tenants.quota_hold") == 0
        await database.check()


async def test_cancelled_transaction_leaves_nothing_and_its_connection_is_used_again(
    dsn: str, postgres: PostgresForTests
) -> None:
    ctx = ctx_of(tenant := new_tenant())
    async with database_at(dsn, pool_size=1) as database:
        sleeping = asyncio.Event()
        backends: list[int] = []

        async def work() -> None:
            async with database.service("tenants").tx(ctx) as tx:
                await hold(tx, tenant)
                backends.append(await tx.fetchval("SELECT pg_backend_pid()"))
                sleeping.set()
                await tx.fetch("SELECT pg_sleep(30)")

        task = asyncio.create_task(work())
        await sleeping.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.service("tenants").tx(ctx) as tx:
            assert await tx.fetchval("SELECT pg_backend_pid()") == backends[0]
            assert await tx.fetchval("SELECT count(*) FROM tenants.quota_hold") == 0
        open_there = await as_owner(
            postgres.dsn("postgres"),
            "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NOT NULL",
            backends[0],
        )
    assert open_there == []


async def test_round_trips_of_a_read_and_of_an_audited_write(postgres: PostgresForTests, dsn: str) -> None:
    trips = Trips(str(postgres.directory / "data"), database_of(dsn), "steward_app")
    address = await trips.start()
    ctx = ctx_of(tenant := new_tenant())
    async with database_at(address, pool_size=1) as database:
        db = database.service("tenants")

        async def read() -> None:
            async with db.read(ctx) as tx:
                await tx.fetchrow("SELECT slug FROM tenants.tenant WHERE tenant_id = $1", tenant)

        async def write(holder: int) -> None:
            async with db.tx(ctx) as tx:
                await tx.fetchrow("SELECT slug FROM tenants.tenant WHERE tenant_id = $1", tenant)
                await hold(tx, tenant, holder)
                tx.audit(Audit(action="test.done", resource="test/1"))
                tx.emit(Happened(what="this"))

        await read()
        await write(1)
        before = trips.count
        await read()
        reading = trips.count - before
        await write(2)
        writing = trips.count - before - reading
    trips.stop()
    assert reading == 1
    # The two statements, and then what was emitted and audited together with the commit.
    assert writing == 3
