"""Migrations: once, by one at a time, and not at all where there is nothing to do."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from steward.bootstrap.modules import migration_locations
from steward.kit.db.errors import MigrationFailed
from steward.kit.db.migrate import LOCK
from steward.kit.db.schema import migrate_in_subprocess, migrations_digest, schema_is_current
from tests.conftest import NewDatabase
from tests.support.database import as_owner, values
from tests.support.postgres import PostgresForTests

HEADS = "SELECT version_num FROM kit.migration ORDER BY 1"
TABLES = "SELECT relname, relnatts FROM pg_class WHERE relkind IN ('r', 'p') ORDER BY oid"
ALL_HEADS = (
    "audit_0001",
    "costs_0004",
    "identity_0001",
    "knowledge_0001",
    "models_0003",
    "support_0001",
    "tenants_0001",
)


@pytest.fixture
async def empty(postgres: PostgresForTests) -> AsyncGenerator[str]:
    """The owner's address of a database with nothing in it."""
    await as_owner(postgres.dsn("postgres"), "CREATE DATABASE steward_empty")
    yield postgres.dsn("steward_empty")
    await postgres.drop("steward_empty")


async def test_migrating_twice_changes_nothing(new_database: NewDatabase) -> None:
    app, owner = await new_database()
    before = values(await as_owner(owner, TABLES))
    assert await schema_is_current(app, migrations_digest(migration_locations()))
    await migrate_in_subprocess(owner, migration_locations())
    assert values(await as_owner(owner, TABLES)) == before
    assert values(await as_owner(owner, HEADS)) == [(head,) for head in ALL_HEADS]


async def test_two_migrations_at_once_take_turns(empty: str) -> None:
    await asyncio.gather(*(migrate_in_subprocess(empty, migration_locations()) for _ in range(2)))
    assert len(await as_owner(empty, HEADS)) == len(ALL_HEADS)
    assert await schema_is_current(empty, migrations_digest(migration_locations()))
    assert (
        await as_owner(empty, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1", LOCK % 2**32) == []
    )


@pytest.mark.parametrize("written", ["postgres://postgres@", "postgresql://postgres@"])
async def test_every_address_that_the_platform_takes_is_taken(new_database: NewDatabase, written: str) -> None:
    _, owner = await new_database()
    address = f"{owner.replace('postgresql://postgres@', written)}&sslmode=disable&application_name=migration"
    await migrate_in_subprocess(address, migration_locations())


async def test_failed_migration_says_what_went_wrong_and_is_not_noted(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    app, owner = await new_database()
    (tmp_path / "broken_0001.py").write_text(
        "from steward.kit.db.migrations import run_sql\n"
        'revision = "broken_0001"\ndown_revision = None\nbranch_labels = ("broken",)\n'
        'def upgrade(): run_sql("CREATE TABLE public.half (a int); SELECT 1 FROM no_such_table")\n'
    )
    locations = [*migration_locations(), tmp_path]
    with pytest.raises(MigrationFailed, match="no_such_table"):
        await migrate_in_subprocess(owner, locations)
    assert await as_owner(owner, "SELECT 1 WHERE to_regclass('public.half') IS NOT NULL") == []
    assert not await schema_is_current(app, migrations_digest(locations))
    assert await schema_is_current(app, migrations_digest(migration_locations()))


def test_digest_tells_any_change_of_a_migration(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one")
    first = migrations_digest([tmp_path])
    assert migrations_digest([tmp_path]) == first
    (tmp_path / "a.py").write_text("two")
    second = migrations_digest([tmp_path])
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, migrations_digest([tmp_path])}) == 3


async def test_database_without_or_with_half_a_schema_is_not_current(empty: str) -> None:
    app = empty.replace("postgres@", "steward_app@")
    assert not await schema_is_current(app, "digest")
    for half in ("CREATE SCHEMA kit", "CREATE TABLE kit.schema_digest AS SELECT true AS one, 'digest' AS digest"):
        await as_owner(empty, half)
        assert not await schema_is_current(app, "digest"), "and it says so to a role that may use nothing of it"
