"""Transactions: committed or not at all, under the right role and tenant, never nested."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from steward.kit.audit import Audit
from steward.kit.context import SystemCtx
from steward.kit.db import Database, Tx, forbid_open_tx
from steward.kit.ids import TenantId
from steward.kit.outbox import DomainEvent
from tests.support.database import IDS, ctx_of, database_at, new_tenant

SYSTEM = SystemCtx(reason="test", service="tenants")


class Happened(DomainEvent, frozen=True, kw_only=True):
    what: str


@pytest.fixture(scope="module")
async def database(dsn: str) -> AsyncGenerator[Database]:
    async with database_at(dsn, pool_size=4) as opened:
        yield opened


async def hold(tx: Tx, tenant: TenantId, holder: int = 1) -> int:
    return await tx.execute(
        "INSERT INTO tenants.quota_hold (tenant_id, quota, holder, amount, held_at)"
        " VALUES ($1, 'users', ('00000000-0000-0000-0000-' || lpad($2::text, 12, '0'))::uuid, 1, now())",
        tenant,
        str(holder),
    )


async def holds(database: Database, tenant: TenantId) -> int:
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        return await tx.fetchval("SELECT count(*) FROM tenants.quota_hold WHERE tenant_id = $1", tenant)


async def test_block_that_ends_is_committed(database: Database) -> None:
    tenant = new_tenant()
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        assert await hold(tx, tenant) == 1
    assert await holds(database, tenant) == 1


async def test_listener_is_told_of_events_that_are_committed_and_of_no_other(database: Database) -> None:
    tenant, told = new_tenant(), list[tuple[TenantId, str, bytes]]()
    database.on_event(lambda event: told.append((event.tenant, event.type, bytes(event.payload))))
    tenants = database.service("tenants")
    with pytest.raises(KeyError):  # noqa: PT012 it is the block that raises
        async with tenants.tx(ctx_of(tenant)) as tx:
            tx.emit(Happened(what="never"))
            raise KeyError
    async with tenants.tx(ctx_of(tenant)) as tx:
        tx.audit(Audit(action="test.done", resource="test/1"))
    async with tenants.tx(ctx_of(tenant)) as tx:
        tx.emit(Happened(what="first"))
        tx.emit(Happened(what="second"))
        assert told == []
    # Told before the transaction has returned to its caller.
    assert told == [(tenant, "tenants.Happened", b'{"what":"%s"}' % what) for what in (b"first", b"second")]


async def test_block_that_raises_leaves_nothing_not_even_events(database: Database) -> None:
    tenant = new_tenant()
    with pytest.raises(KeyError):  # noqa: PT012 it is the block that raises
        async with database.service("tenants").tx(ctx_of(tenant)) as tx:
            await hold(tx, tenant)
            tx.emit(Happened(what="never"))
            tx.audit(Audit(action="test.done", resource="test/1"))
            raise KeyError
    assert await holds(database, tenant) == 0
    async with database.service("tenants").system_tx(SYSTEM) as tx:
        for table in ("outbox", "audit_outbox"):
            assert not await tx.fetch(f"SELECT id FROM tenants.{table} WHERE tenant_id = $1", tenant)


async def test_events_and_audits_are_written_with_the_commit(database: Database) -> None:
    tenant = new_tenant()
    woken: list[str] = []
    database.on_commit(woken.append)
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        tx.emit(Happened(what="this"))
        tx.audit(Audit(action="test.done", resource="test/1", after=Happened(what="that")))
        assert woken == []
    assert woken == ["tenants", "tenants:audit"]
    async with database.service("tenants").system_tx(SYSTEM) as tx:
        event = await tx.fetchval("SELECT body FROM tenants.outbox WHERE tenant_id = $1", tenant)
        entry = await tx.fetchval("SELECT body FROM tenants.audit_outbox WHERE tenant_id = $1", tenant)
    assert '"type":"tenants.Happened"' in event
    assert '"payload":{"what":"this"}' in event
    assert '"after":{"what":"that"}' in entry


async def test_audit_entries_alone_wake_no_reader_of_events(database: Database) -> None:
    woken: list[str] = []
    database.on_commit(woken.append)
    async with database.service("tenants").tx(ctx_of(new_tenant())) as tx:
        tx.audit(Audit(action="test.done", resource="test/1"))
    assert woken == ["tenants:audit"]


async def test_events_alone_wake_no_reader_of_audit_entries(database: Database) -> None:
    woken: list[str] = []
    database.on_commit(woken.append)
    async with database.service("tenants").tx(ctx_of(new_tenant())) as tx:
        tx.emit(Happened(what="this"))
    assert woken == ["tenants"]


async def test_transaction_that_wrote_no_event_wakes_nobody(database: Database) -> None:
    tenant = new_tenant()
    woken: list[str] = []
    database.on_commit(woken.append)
    async with database.service("tenants").tx(ctx_of(tenant)) as tx:
        await hold(tx, tenant)
    assert woken == []


async def test_transaction_that_goes_on_after_a_failed_statement_is_not_taken_for_committed(database: Database) -> None:
    tenant = new_tenant()
    with pytest.raises(RuntimeError, match="nothing of it"):  # noqa: PT012 it is the end of the block that raises
        async with database.service("tenants").tx(ctx_of(tenant)) as tx:
            await hold(tx, tenant)
            with pytest.raises(asyncpg.UniqueViolationError):
                await hold(tx, tenant)
    assert await holds(database, tenant) == 0


async def test_nested_transaction_refused_also_of_another_service(database: Database) -> None:
    ctx = ctx_of(new_tenant())
    async with database.service("tenants").tx(ctx):
        for service in ("tenants", "identity"):
            with pytest.raises(RuntimeError, match="transactions never nest"):
                async with database.service(service).tx(ctx):
                    pytest.fail("a transaction was opened inside another")
        with pytest.raises(RuntimeError, match="transactions never nest"):
            async with database.service("tenants").system_tx(SYSTEM):
                pytest.fail("a transaction was opened inside another")


async def test_outside_call_refused_only_while_a_transaction_is_open(database: Database) -> None:
    forbid_open_tx()
    with pytest.raises(RuntimeError, match="commit the intent first"):
        async with database.service("tenants").tx(ctx_of(new_tenant())):
            forbid_open_tx()
    forbid_open_tx()


async def test_transactions_of_two_tasks_are_no_nesting(database: Database) -> None:
    opened = asyncio.Barrier(2)

    async def work() -> None:
        async with database.service("tenants").tx(ctx_of(new_tenant())):
            await opened.wait()

    await asyncio.wait_for(asyncio.gather(work(), work()), timeout=10)


async def test_role_and_tenant_are_those_of_service_and_context(database: Database) -> None:
    tenant = new_tenant()
    asked = "SELECT current_user::text, session_user::text, current_setting('steward.tenant', true)"
    async with database.service("identity").tx(ctx_of(tenant)) as tx:
        assert tuple(await tx.fetchrow(asked) or ()) == ("steward_identity", "steward_app", str(tenant))
    async with database.service("identity").system_tx(SYSTEM) as tx:
        role, login, setting = tuple(await tx.fetchrow(asked) or ())
    assert (role, login) == ("steward_identity_system", "steward_app")
    assert not setting


@pytest.mark.parametrize("fails", [False, True])
async def test_nothing_of_a_transaction_sticks_to_its_connection(dsn: str, fails: bool) -> None:
    async with database_at(dsn, pool_size=1) as database:
        try:
            async with database.service("tenants").tx(ctx_of(new_tenant())) as tx:
                backend = await tx.fetchval("SELECT pg_backend_pid()")
                assert not fails or 1 // 0
        except ZeroDivisionError:
            assert fails
        connection = await database.acquire()
        row = await connection.fetchrow(
            "SELECT pg_backend_pid(), current_user::text, current_setting('steward.tenant', true)"
        )
        await database.release(connection)
        assert tuple(row or ()) == (backend, "steward_app", "")


async def test_rows_of_another_tenant_are_not_there(database: Database) -> None:
    mine, other = new_tenant(), new_tenant()
    async with database.service("tenants").tx(ctx_of(other)) as tx:
        await hold(tx, other)
    async with database.service("tenants").tx(ctx_of(mine)) as tx:
        assert await tx.fetch("SELECT holder FROM tenants.quota_hold WHERE tenant_id = $1", other) == []
        assert await tx.execute("UPDATE tenants.quota_hold SET amount = 9 WHERE tenant_id = $1", other) == 0
        assert await tx.execute("DELETE FROM tenants.quota_hold WHERE tenant_id = $1", other) == 0
    assert await holds(database, other) == 1


async def test_insert_for_another_tenant_refused_by_the_database(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.service("tenants").tx(ctx_of(new_tenant())) as tx:
            await hold(tx, new_tenant())


async def test_service_cannot_touch_the_schema_of_another(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="schema identity"):
        async with database.service("tenants").tx(ctx_of(new_tenant())) as tx:
            await tx.fetch("SELECT id FROM identity.user")


async def test_context_without_tenant_opens_no_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError, match="has no tenant"):
        async with database.service("tenants").tx(ctx_of(None)):
            pytest.fail("a transaction without a tenant was opened")


async def test_system_transaction_must_name_the_tenant_of_an_event(database: Database) -> None:
    tenant = new_tenant()
    with pytest.raises(RuntimeError, match="must name the tenant"):
        async with database.service("tenants").system_tx(SYSTEM) as tx:
            tx.emit(Happened(what="whose"))
    async with database.service("tenants").system_tx(SYSTEM) as tx:
        tx.emit(Happened(what="theirs"), tenant=tenant)
    async with database.service("tenants").system_tx(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(*) FROM tenants.outbox WHERE tenant_id = $1", tenant) == 1


async def test_error_of_the_block_itself_is_not_blamed_on_the_database(database: Database) -> None:
    before = database.connections()[0]
    with pytest.raises(FileNotFoundError):
        async with database.service("tenants").tx(ctx_of(new_tenant())):
            raise FileNotFoundError(IDS.new().hex)
    assert database.connections()[0] == before


def test_name_that_is_no_service_refused(database: Database) -> None:
    for name in ("", "Tenants", "x; DROP", "tenants-2", "a" * 40):
        with pytest.raises(ValueError, match="no service name"):
            database.service(name)
