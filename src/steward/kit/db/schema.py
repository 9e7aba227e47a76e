"""Whether a database has the schema of these migrations, and having it brought up to date by a process of its own.

A digest of all migration files is kept in the database, so that a start with nothing to do costs one SELECT. Alembic
lives in that other process only (`kit/db/migrate.py`): importing it takes longer than all the rest of a start.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from steward.kit.db.errors import DatabaseUnreachable, MigrationFailed

_HAS_DIGEST = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'kit' AND c.relname = 'schema_digest' AND has_schema_privilege(n.oid, 'USAGE'))
"""
"""Asked of the catalog, for a migration that was cut short may have left a schema that only its owner may use."""


def migrations_digest(locations: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of every migration."""
    digest = hashlib.sha256()
    for path in sorted(file for location in locations for file in location.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


async def schema_is_current(dsn: str, digest: str) -> bool:
    """Whether the database was last migrated with these very files; any role may ask. Raises `DatabaseUnreachable`."""
    connection = await _connect("DATABASE_URL", dsn)
    try:
        if not await connection.fetchval(_HAS_DIGEST):
            return False
        return await connection.fetchval("SELECT digest FROM kit.schema_digest") == digest
    finally:
        await connection.close()


async def migrate_in_subprocess(admin_dsn: str, locations: Sequence[Path]) -> None:
    """Migrate the locations in another process; raises `MigrationFailed` with what it printed when it fails.

    Raises `DatabaseUnreachable` before, for a process that cannot connect could only print a traceback.
    """
    await (await _connect("DATABASE_ADMIN_URL", admin_dsn)).close()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "steward.kit.db.migrate",
        *(str(location) for location in locations),
        env={**os.environ, "DATABASE_ADMIN_URL": admin_dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise MigrationFailed(
            f"the migrations failed with exit code {process.returncode}:\n{output.decode(errors='replace')}"
        )


async def _connect(variable: str, dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection by the address in this variable. Raises `DatabaseUnreachable`."""
    try:
        return await asyncpg.connect(dsn)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise DatabaseUnreachable(variable, error) from error
