"""Isolation of rows: each tenant table probed as another tenant, and each way to loosen a policy seen by the probe."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from steward.kit.ids import TenantId
from tests.support.database import new_tenant
from tests.support.isolation import Probe, Table, seed, tenant_tables
from tests.support.postgres import PostgresForTests

MUTATIONS = {
    "the permissive policy lets all through and the restrictive one is gone": """
        DROP POLICY tenant_rows_only ON {table};
        ALTER POLICY tenant_rows ON {table} USING (true) WITH CHECK (true)""",
    "row-level security is off": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "the permissive policy is gone": "DROP POLICY tenant_rows ON {table}",
    "the restrictive policy refuses everything": """
        ALTER POLICY tenant_rows_only ON {table} USING (false) WITH CHECK (false)""",
    "the policies do not look at the tenant but at the role": """
        ALTER POLICY tenant_rows ON {table} USING (current_user IS NOT NULL) WITH CHECK (current_user IS NOT NULL);
        ALTER POLICY tenant_rows_only ON {table} USING (current_user IS NOT NULL)
            WITH CHECK (current_user IS NOT NULL)""",
    "what is written is not checked": """
        ALTER POLICY tenant_rows ON {table} WITH CHECK (true);
        ALTER POLICY tenant_rows_only ON {table} WITH CHECK (true)""",
}
OF_WRITES = "what is written is not checked"
"""A mutation that changes nothing for a table which its service may only read."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A database with rows of two tenants in every table."""

    app: Any
    owner: Any
    tables: Sequence[Table]
    one: TenantId
    two: TenantId


@pytest_asyncio.fixture(scope="module")
async def ground(postgres: PostgresForTests) -> AsyncGenerator[Ground]:
    name = await postgres.clone()
    app = await asyncpg.connect(postgres.dsn(name, "steward_app"))
    owner = await asyncpg.connect(postgres.dsn(name))
    tables = await tenant_tables(owner)
    one, two = new_tenant(), new_tenant()
    await seed(owner, tables, (one, two))
    yield Ground(app=app, owner=owner, tables=tables, one=one, two=two)
    await app.close()
    await owner.close()
    await postgres.drop(name)


async def test_no_table_gives_one_tenant_anything_of_another(ground: Ground) -> None:
    found: list[str] = []
    for mine, other in ((ground.one, ground.two), (ground.two, ground.one)):
        for table in ground.tables:
            found += await Probe(ground.app, mine, other).findings(table)
    assert found == []
    assert len(ground.tables) > 25


async def test_every_service_is_probed_with_every_command(ground: Ground) -> None:
    probed = {(table.service, command) for table in ground.tables for command in table.granted or ()}
    services = {service for service, _ in probed}
    assert services == {"audit", "costs", "identity", "kit", "knowledge", "models", "support", "tenants"}
    assert probed == {
        (service, command) for service in services for command in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }


async def test_without_a_tenant_nothing_is_seen(ground: Ground) -> None:
    for table in ground.tables:
        if "SELECT" not in (table.granted or ()):
            continue
        for tenant in ("", None):
            async with ground.app.transaction():
                await ground.app.execute(f"SET LOCAL ROLE steward_{table.service}")
                if tenant is not None:
                    await ground.app.execute(f"SET LOCAL steward.tenant = '{tenant}'")
                assert await ground.app.fetchval(f"SELECT count(*) FROM {table.name}") == 0


async def test_owner_that_is_no_superuser_is_held_too(ground: Ground) -> None:
    """FORCE ROW LEVEL SECURITY is for whoever owns the tables and does not bypass."""
    transaction = ground.owner.transaction()
    await transaction.start()
    try:
        await ground.owner.execute("CREATE ROLE plain_owner NOSUPERUSER NOBYPASSRLS")
        for table in ground.tables:
            await ground.owner.execute(f"GRANT USAGE, CREATE ON SCHEMA {table.service} TO plain_owner")
            await ground.owner.execute(f"ALTER TABLE {table.name} OWNER TO plain_owner")
        await ground.owner.execute("SET LOCAL ROLE plain_owner")
        seen = {
            table.name: await ground.owner.fetchval(f"SELECT count(*) FROM {table.name}") for table in ground.tables
        }
        assert {name: count for name, count in seen.items() if count} == {}
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_probe_sees_that(ground: Ground, mutation: str) -> None:
    """For each table in turn: whatever is done to its policies, the probe of that table tells."""
    unseen: list[str] = []
    for table in ground.tables:
        if mutation == OF_WRITES and not {"INSERT", "UPDATE"} & set(table.granted or ()):
            continue
        transaction = ground.owner.transaction()
        await transaction.start()
        try:
            await ground.owner.execute(MUTATIONS[mutation].format(table=table.name))
            if not await Probe(ground.owner, ground.one, ground.two).findings(table):
                unseen.append(table.name)
        finally:
            await transaction.rollback()
    assert unseen == []
    assert [await Probe(ground.owner, ground.one, ground.two).findings(table) for table in ground.tables] == [
        [] for _ in ground.tables
    ]
