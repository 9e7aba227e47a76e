"""The function that asks the index all tenants share, in the rights of a system role: it knows one tenant only."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from steward.kit.ids import TenantId
from tests.support.database import new_tenant
from tests.support.postgres import PostgresForTests

CALLS = (
    "candidates('{1,2}', '{}', 100)",
    "candidates('{}', '{1,2}', 100)",
    "candidates('{1}', '{2}', 100)",
)
OWN, OTHER = [1, 2], [3, 4]
UNBOUND = {
    "no condition at all": "RETURN QUERY SELECT c.number FROM knowledge.chunk c WHERE c.terms && '{1,2}'::int[];",
    "the tenant of an argument": "RETURN QUERY SELECT c.number FROM knowledge.chunk c WHERE c.number > most - 100;",
}
"""Bodies that do not hold the tenant's condition, which the probe must see."""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Two tenants, each with two chunks of the same terms, under numbers that tell whose they are."""

    connection: Any
    owner: Any
    one: TenantId
    two: TenantId


@pytest_asyncio.fixture(scope="module")
async def ground(postgres: PostgresForTests) -> AsyncGenerator[Ground]:
    name = await postgres.clone()
    connection = await asyncpg.connect(postgres.dsn(name, "steward_app"))
    owner = await asyncpg.connect(postgres.dsn(name))
    one, two = new_tenant(), new_tenant()
    for tenant, numbers in ((one, OWN), (two, OTHER)):
        for number in numbers:
            await owner.execute(
                "INSERT INTO knowledge.chunk (tenant_id, number, source_id, terms, vector, text_terms, title_terms)"
                " VALUES ($1, $2, 'probe', '{1,2}', '', 1, 1)",
                tenant,
                number,
            )
    yield Ground(connection=connection, owner=owner, one=one, two=two)
    await connection.close()
    await owner.close()
    await postgres.drop(name)


async def found(connection: Any, call: str, tenant: TenantId | None, role: str = "steward_knowledge") -> Sequence[int]:
    """What a role finds that has said to be of this tenant; what it set is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL ROLE {role}; SET LOCAL steward.tenant = '{tenant or ''}'")
        return sorted([row[0] for row in await connection.fetch(f"SELECT * FROM knowledge.{call}")])
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("call", CALLS)
async def test_only_the_own_chunks_are_found(ground: Ground, call: str) -> None:
    assert await found(ground.connection, call, ground.one) == OWN
    assert await found(ground.connection, call, ground.two) == OTHER


@pytest.mark.parametrize("call", CALLS)
async def test_without_a_tenant_or_with_an_unknown_one_nothing_is_found(ground: Ground, call: str) -> None:
    assert await found(ground.connection, call, None) == []
    assert await found(ground.connection, call, new_tenant()) == []


async def test_other_roles_may_not_ask(ground: Ground) -> None:
    for role in ("steward_support", "steward_support_system", "steward_app"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await found(ground.connection, CALLS[0], ground.one, role)


async def test_objects_of_the_callers_do_not_come_between(ground: Ground) -> None:
    """A temporary table and operator of the caller's own are not taken for those of the service."""
    transaction = ground.owner.transaction()
    await transaction.start()
    try:
        await ground.owner.execute(
            "CREATE TEMPORARY TABLE chunk AS SELECT gen_random_uuid() AS tenant_id, 99::bigint AS number;"
            "CREATE FUNCTION pg_temp.always(int[], int[]) RETURNS boolean LANGUAGE sql RETURN true;"
            "CREATE OPERATOR pg_temp.&& (LEFTARG = int[], RIGHTARG = int[], FUNCTION = pg_temp.always);"
            "SET LOCAL search_path = pg_temp, public;"
        )
        assert await found(ground.owner, "candidates('{7}', '{}', 100)", ground.one) == []
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("mutation", UNBOUND)
async def test_probe_sees_that_there_is(ground: Ground, mutation: str) -> None:
    transaction = ground.owner.transaction()
    await transaction.start()
    try:
        await ground.owner.execute(
            "CREATE OR REPLACE FUNCTION knowledge.candidates(any_of int[], all_of int[], most int) RETURNS SETOF bigint"
            f" LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$"
            f" BEGIN {UNBOUND[mutation]} END $$"
        )
        assert await found(ground.owner, CALLS[0], ground.one) != OWN
    finally:
        await transaction.rollback()
