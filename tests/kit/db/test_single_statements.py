"""A statement that is a transaction by itself: one message, committed when it is answered, and nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from steward.kit.audit import Audit
from steward.kit.context import SystemCtx
from steward.kit.db import Database, Tx
from steward.kit.ids import TenantId
from tests.kit.db.test_pipelining import session, who
from tests.kit.db.test_tx import Happened
from tests.support.database import IDS, Trips, as_owner, ctx_of, database_at, database_of, new_tenant, values
from tests.support.postgres import PostgresForTests

SYSTEM = SystemCtx(reason="test", service="tenants")
INSERT = "INSERT INTO tenants.outbox (tenant_id, id, body) VALUES ($1, $2, $3)"


@pytest.fixture
async def database(dsn: str) -> AsyncGenerator[Database]:
    async with database_at(dsn, pool_size=1) as opened:
        yield opened


async def write(tx: Tx, tenant: TenantId, body: str = "{}") -> int:
    return await tx.execute(INSERT, tenant, IDS.new(), body)


async def written(owner: str, tenant: TenantId) -> int:
    [[count]] = values(await as_owner(owner, "SELECT count(*) FROM tenants.outbox WHERE tenant_id = $1", tenant))
    return count


async def test_statement_is_committed_when_it_is_answered_and_has_its_role_only(
    database: Database, postgres: PostgresForTests, dsn: str
) -> None:
    owner, tenant = postgres.dsn(database_of(dsn)), new_tenant()
    for count in range(1, 4):
        async with database.service("tenants").system_once(SYSTEM) as tx:
            assert await write(tx, tenant) == 1
            assert await written(owner, tenant) == count, "seen from outside before the block ends"
            assert (await who(tx))[1:3] in {("steward_tenants_system", ""), ("steward_tenants_system", None)}
        assert (await session(database))[1:] in {("steward_app", ""), ("steward_app", None)}


async def test_it_is_one_round_trip_beside_two_of_a_transaction(dsn: str, postgres: PostgresForTests) -> None:
    trips = Trips(str(postgres.directory / "data"), database_of(dsn), "steward_app")
    tenant = new_tenant()
    async with database_at(await trips.start(), pool_size=1) as database:
        db = database.service("tenants")
        counted: list[tuple[int, int]] = []
        for _ in range(3):
            before = trips.count
            async with db.system_once(SYSTEM) as tx:
                await write(tx, tenant)
            single = trips.count - before
            async with db.system_tx(SYSTEM) as tx:
                await write(tx, tenant)
            counted.append((single, trips.count - before - single))
    trips.stop()
    assert counted[-1] == (1, 2)


async def test_failed_statement_leaves_nothing_and_one_after_it_is_a_transaction_of_its_own(
    database: Database, postgres: PostgresForTests, dsn: str
) -> None:
    owner, tenant = postgres.dsn(database_of(dsn)), new_tenant()
    for _ in range(2):
        async with database.service("tenants").system_once(SYSTEM) as tx:
            with pytest.raises(asyncpg.NotNullViolationError):
                await tx.execute(INSERT, tenant, IDS.new(), None)
            assert await write(tx, tenant) == 1
    assert await written(owner, tenant) == 2


async def test_cancelled_statement_is_taken_back_and_leaves_no_role(
    database: Database, postgres: PostgresForTests, dsn: str
) -> None:
    owner, tenant = postgres.dsn(database_of(dsn)), new_tenant()
    slow = "INSERT INTO tenants.outbox (tenant_id, id, body) SELECT $1, $2, pg_sleep($3)::text"
    db = database.service("tenants")
    for _ in range(2):
        async with db.system_once(SYSTEM) as tx:
            await tx.execute(slow, tenant, IDS.new(), 0.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), db.system_once(SYSTEM) as tx:
                await tx.execute(slow, tenant, IDS.new(), 30.0)
        assert (await session(database))[1:] in {("steward_app", ""), ("steward_app", None)}
        async with db.read(ctx_of(tenant)) as tx:
            assert (await who(tx))[1:3] == ("steward_tenants", str(tenant))
    assert await written(owner, tenant) == 2


async def test_rights_are_those_of_the_system_role(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.service("tenants").system_once(SYSTEM) as tx:
                await tx.fetch("SELECT * FROM tenants.quota_use")


async def test_events_and_audit_entries_do_not_go_with_it(database: Database) -> None:
    tenant = new_tenant()
    with pytest.raises(RuntimeError, match="use `tx`"):
        async with database.service("tenants").system_once(SYSTEM) as tx:
            tx.emit(Happened(what="never"), tenant=tenant)
    with pytest.raises(RuntimeError, match="use `tx`"):
        async with database.service("tenants").system_once(SYSTEM) as tx:
            tx.audit(Audit(action="test.done", resource="test/1"), tenant=tenant)
