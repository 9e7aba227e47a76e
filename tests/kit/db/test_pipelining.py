"""What goes ahead of a statement: role and tenant hold for it and for nothing after it, whatever becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import asyncpg
import pytest

from steward.kit.audit import Audit
from steward.kit.context import SystemCtx
from steward.kit.db import Database, DatabaseUnavailable, Tx
from steward.kit.ids import TenantId
from tests.kit.db.test_tx import Happened, hold
from tests.support.database import as_owner, ctx_of, database_at, new_tenant
from tests.support.postgres import PostgresForTests

WHO = "SELECT pg_backend_pid(), current_user::text, current_setting('steward.tenant', true), $1::int"
SYSTEM = SystemCtx(reason="test", service="tenants")


@pytest.fixture
async def database(dsn: str) -> AsyncGenerator[Database]:
    async with database_at(dsn, pool_size=1) as opened:
        yield opened


async def who(tx: Tx, number: int = 0) -> tuple[object, ...]:
    return tuple(await tx.fetchrow(WHO, number) or ())


async def session(database: Database) -> tuple[object, ...]:
    """What the one connection of the pool is outside of any transaction of ours."""
    connection = await database.acquire()
    try:
        asked = "SELECT pg_backend_pid(), current_user::text, current_setting('steward.tenant', true)"
        return tuple(await connection.fetchrow(asked) or ())
    finally:
        await database.release(connection)


async def test_statements_of_a_read_have_its_role_and_tenant_and_leave_nothing(database: Database) -> None:
    db = database.service("tenants")
    for _ in range(3):
        tenant = new_tenant()
        async with db.read(ctx_of(tenant)) as tx:
            seen = [await who(tx), await who(tx)]
            backend = seen[0][0]
            assert seen == [(backend, "steward_tenants", str(tenant), 0)] * 2
        assert await session(database) == (backend, "steward_app", "")


async def test_reads_and_transactions_of_many_tenants_and_services_take_turns(database: Database) -> None:
    for number in range(40):
        tenant, service = new_tenant(), ("tenants", "identity")[number % 2]
        db = database.service(service)
        async with (db.read if number % 3 else db.tx)(ctx_of(tenant)) as tx:
            assert (await who(tx))[1:3] == (f"steward_{service}", str(tenant))
        async with database.service("tenants").system_read(SYSTEM) as tx:
            assert (await who(tx))[1:3] in {("steward_tenants_system", ""), ("steward_tenants_system", None)}


async def test_read_sees_no_row_of_another_tenant(database: Database) -> None:
    mine, other = new_tenant(), new_tenant()
    db = database.service("tenants")
    async with db.tx(ctx_of(other)) as tx:
        await hold(tx, other)
    for _ in range(2):
        async with db.read(ctx_of(mine)) as tx:
            assert await tx.fetch("SELECT holder FROM tenants.quota_hold") == []
        async with db.read(ctx_of(other)) as tx:
            assert len(await tx.fetch("SELECT holder FROM tenants.quota_hold")) == 1


async def test_read_cannot_write_nor_emit(database: Database) -> None:
    tenant = new_tenant()
    db = database.service("tenants")
    for _ in range(2):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with db.read(ctx_of(tenant)) as tx:
                await hold(tx, tenant)
    with pytest.raises(RuntimeError, match="use `tx`"):
        async with db.read(ctx_of(tenant)) as tx:
            tx.emit(Happened(what="never"))
    with pytest.raises(RuntimeError, match="use `tx`"):
        async with db.read(ctx_of(tenant)) as tx:
            tx.audit(Audit(action="test.done", resource="test/1"))


async def test_read_leaves_no_transaction_open_between_its_statements(
    database: Database, postgres: PostgresForTests
) -> None:
    for _ in range(2):
        async with database.service("tenants").read(ctx_of(new_tenant())) as tx:
            backend = (await who(tx))[0]
            asked = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NOT NULL"
            assert await as_owner(postgres.dsn("postgres"), asked, backend) == []


async def refused_by_the_driver(tx: Tx) -> None:
    await who(tx, "no number")  # pyright: ignore[reportArgumentType] that is the test


async def refused_by_the_server(tx: Tx) -> None:
    await tx.fetch("SELECT 1 / $1::int", 0)


async def cancelled(tx: Tx) -> None:
    async with asyncio.timeout(0.05):
        await tx.fetch("SELECT pg_sleep(30), $1::int", 0)


@pytest.mark.parametrize("break_it", [refused_by_the_driver, refused_by_the_server, cancelled])
@pytest.mark.parametrize("swallowed", [False, True])
@pytest.mark.parametrize("way", ["read", "tx"])
async def test_broken_statement_leaves_neither_role_nor_tenant_behind(
    database: Database, break_it: Callable[[Tx], Awaitable[None]], swallowed: bool, way: str
) -> None:
    db = database.service("tenants")
    open_one = {"read": db.read, "tx": db.tx}[way]
    async with db.tx(ctx_of(new_tenant())) as tx:
        # So that the connection knows the statements, and they go with what is ahead of them.
        await who(tx)
        await tx.fetch("SELECT 1 / $1::int", 1)
        await tx.fetch("SELECT pg_sleep(0), $1::int", 0)
        await tx.fetch("SELECT pg_sleep(30), $1::int LIMIT 0", 0)
    for _ in range(2):
        with pytest.raises(Exception):  # noqa: B017, PT011, PT012 each breaks in its own way
            async with open_one(ctx_of(new_tenant())) as tx:
                try:
                    await break_it(tx)
                except Exception:
                    if not swallowed or way == "tx":
                        raise
                raise LookupError
        assert (await session(database))[1:] in {("steward_app", ""), ("steward_app", None)}
        tenant = new_tenant()
        async with db.read(ctx_of(tenant)) as tx:
            assert (await who(tx))[1:3] == ("steward_tenants", str(tenant))


async def test_read_goes_on_after_a_statement_that_was_cancelled(database: Database) -> None:
    tenant = new_tenant()
    async with database.service("tenants").read(ctx_of(tenant)) as tx:
        await who(tx)
    async with database.service("tenants").read(ctx_of(tenant)) as tx:
        with pytest.raises(TimeoutError):
            await cancelled(tx)
    async with database.service("tenants").read(ctx_of(tenant)) as tx:
        with pytest.raises(TimeoutError):
            await cancelled(tx)
        assert (await who(tx))[1:3] == ("steward_tenants", str(tenant))
    assert (await session(database))[1:] == ("steward_app", "")


async def test_reads_right_after_a_cancelled_one_are_their_own(database: Database) -> None:
    db = database.service("tenants")
    for number in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), db.read(ctx_of(new_tenant())) as tx:
                await tx.fetch("SELECT pg_sleep(30), $1::int", 0)
        tenant = new_tenant()
        async with db.read(ctx_of(tenant)) as tx:
            assert (await who(tx, number))[1:] == ("steward_tenants", str(tenant), number)


async def test_two_statements_at_once_are_refused(database: Database) -> None:
    async with database.service("tenants").read(ctx_of(new_tenant())) as tx:
        await who(tx)
        results = await asyncio.gather(who(tx), who(tx), return_exceptions=True)
    assert sum(isinstance(result, RuntimeError) for result in results) == 1
    assert (await session(database))[1:] == ("steward_app", "")


@pytest.mark.parametrize("way", ["read", "tx"])
async def test_connection_killed_while_idle_is_unavailable_and_replaced(
    database: Database, postgres: PostgresForTests, way: str
) -> None:
    db = database.service("tenants")
    open_one = {"read": db.read, "tx": db.tx}[way]
    async with open_one(ctx_of(new_tenant())) as tx:
        backend = (await who(tx))[0]
    with pytest.raises(DatabaseUnavailable):  # noqa: PT012 the block may raise at its statement or at its end
        async with open_one(ctx_of(new_tenant())) as tx:
            await as_owner(postgres.dsn("postgres"), "SELECT pg_terminate_backend($1, 5000)", backend)
            await who(tx)
    async with open_one(ctx_of(new_tenant())) as tx:
        assert (await who(tx))[0] != backend


async def test_every_event_and_entry_of_a_transaction_is_written(database: Database) -> None:
    tenant = new_tenant()
    texts = [f"{number} 'quoted' \\ \"{chr(233 + number)}\"\n" for number in range(30)]
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        for text in texts:
            tx.emit(Happened(what=text))
            tx.audit(Audit(action="test.done", resource=text))
    async with database.service("tenants").system_read(SYSTEM) as tx:
        events = await tx.fetch(
            "SELECT body::json #>> '{payload,what}' FROM tenants.outbox WHERE tenant_id = $1", tenant
        )
        audits = await tx.fetch(
            "SELECT body::json ->> 'resource' FROM tenants.audit_outbox WHERE tenant_id = $1", tenant
        )
    assert sorted(row[0] for row in events) == sorted(row[0] for row in audits) == sorted(texts)


async def test_event_for_another_tenant_refused_and_nothing_committed(database: Database) -> None:
    mine, other = new_tenant(), new_tenant()
    for _ in range(2):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):  # noqa: PT012 it is the end of the block that raises
            async with database.service("tenants").tx(ctx_of(mine)) as tx:
                await hold(tx, mine)
                tx.emit(Happened(what="theirs"), tenant=TenantId(other))
        async with database.service("tenants").read(ctx_of(mine)) as tx:
            assert await tx.fetchval("SELECT count(*) FROM tenants.quota_hold") == 0
