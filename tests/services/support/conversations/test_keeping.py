"""What is kept of conversations: months of messages, and nothing of a tenant that was deleted."""

from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import msgspec
import pytest

from steward.kit.context import SystemCtx
from steward.kit.outbox import StoredEvent
from steward.services.support import erasing
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk
from tests.support.database import as_owner, database_of, values
from tests.support.postgres import PostgresForTests

TABLES = ("session", "message", "pending", "ticket", "ticket_counter")


async def rows_of(owner: str, desk: Desk) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in TABLES:
        rows = await as_owner(owner, f"SELECT count(*) FROM support.{table} WHERE tenant_id = $1", desk.tenant)
        found[table] = rows[0][0]
    return found


async def test_deleted_tenant_leaves_nothing_and_its_neighbour_everything(
    new_desk: NewDesk, postgres: PostgresForTests, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = postgres.dsn(database_of(dsn))
    gone, stays = await new_desk(), await new_desk()
    for desk in (gone, stays):
        for number in range(5):
            await desk.say("person please", user=f"u{number}")
        desk.script.broken = True
        await desk.say("break")
    before = await rows_of(owner, stays)
    assert before == await rows_of(owner, gone)
    assert min(before.values()) > 0
    monkeypatch.setattr(erasing, "AT_A_TIME", 2)
    await delete(gone)
    await delete(gone)
    assert set((await rows_of(owner, gone)).values()) == {0}
    assert await rows_of(owner, stays) == before


async def delete(desk: Desk) -> None:
    """What the consumer does when the tenant is deleted."""
    subscriptions = desk.installation.serving.local["support"].subscriptions
    foundation = desk.installation.foundation
    await next(one for one in subscriptions if one.name == "support-erasing").handler(
        StoredEvent(
            id=foundation.ids.new(),
            tenant=desk.tenant,
            type="tenants.TenantDeleted",
            at=foundation.clock.now(),
            request_id="",
            actor=desk.ctx().actor,
            payload=msgspec.Raw(b"{}"),
        )
    )


async def test_messages_have_partitions_for_a_year_and_the_months_follow_one_another(
    new_desk: NewDesk, postgres: PostgresForTests, dsn: str
) -> None:
    owner = postgres.dsn(database_of(dsn))
    bounds = values(
        await as_owner(
            owner,
            "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE i.inhparent = 'support.message'::regclass ORDER BY c.relname",
        )
    )
    edges = [[UUID(edge) for edge in line[0].split("'")[1::2]] for line in bounds]
    assert len(edges) >= 14
    assert all(one[1] == following[0] for one, following in pairwise(edges))
    starts = [datetime.fromtimestamp((edge[0].int >> 80) / 1000, UTC) for edge in edges]
    assert all((start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0) for start in starts)
    desk = await new_desk()
    jobs = desk.installation.serving.local["support"].jobs
    await next(job for job in jobs if job.name == "support-months").run()
    assert (await desk.say("hello")).message == "hello"


async def test_no_role_of_the_platform_reaches_a_partition_but_by_the_table(
    postgres: PostgresForTests, dsn: str
) -> None:
    granted = await as_owner(
        postgres.dsn(database_of(dsn)),
        "SELECT c.relname, r.rolname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid, pg_roles r"
        " WHERE i.inhparent = 'support.message'::regclass AND r.rolname ~ '^steward_'"
        " AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')",
    )
    assert granted == []


async def test_only_the_system_role_may_make_months(new_desk: NewDesk, dsn: str, postgres: PostgresForTests) -> None:
    desk = await new_desk()
    db = desk.installation.foundation.database.service("support")
    async with db.system_tx(SystemCtx(reason="tests", service="support")) as tx:
        assert await tx.fetchval("SELECT support.make_months(12)") == 0
    allowed = await as_owner(
        postgres.dsn(database_of(dsn)),
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^steward_'"
        " AND has_function_privilege(oid, 'support.make_months(int)', 'EXECUTE')",
    )
    assert [row[0] for row in allowed] == ["steward_support_system"]


async def test_active_conversations_are_counted(new_desk: NewDesk) -> None:
    desk = await new_desk()
    await desk.say("hello")
    jobs = desk.installation.serving.local["support"].jobs
    await next(job for job in jobs if job.name == "support-active").run()
    shown = desk.installation.foundation.telemetry.metrics.exposition().decode()
    line = next(line for line in shown.splitlines() if line.startswith("steward_active_conversations "))
    assert float(line.split()[1]) >= 1
    assert 'steward_chat_duration_seconds_count{outcome="answered"} 1.0' in shown
