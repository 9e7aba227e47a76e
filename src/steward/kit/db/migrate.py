"""Brings a database to the newest schema: Alembic, under an advisory lock, in a process of its own.

`python -m steward.kit.db.migrate LOCATION…` with the owner's address in DATABASE_ADMIN_URL. A digest of all migration
files is kept in the database, so that a start with nothing to do costs one SELECT and no Alembic.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

LOCK = 7_236_128_541
"""Key of the advisory lock that lets one process migrate at a time."""

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
    """Whether the database was last migrated with these very files; any role may ask."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval(_HAS_DIGEST):
            return False
        return await connection.fetchval("SELECT digest FROM kit.schema_digest") == digest
    finally:
        await connection.close()


async def migrate_in_subprocess(admin_dsn: str, locations: Sequence[Path]) -> None:
    """Run this module for the locations; raises RuntimeError with what it printed when it fails."""
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
        message = f"the migrations failed with exit code {process.returncode}:\n{output.decode(errors='replace')}"
        raise RuntimeError(message)


async def migrate(admin_dsn: str, locations: Sequence[Path]) -> None:
    """Upgrade every branch to its head, and note the digest of what was applied."""
    engine = create_async_engine(admin_dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            await connection.execute(text("CREATE SCHEMA IF NOT EXISTS kit"))
            await connection.commit()
            await connection.run_sync(_upgrade, locations)
            await connection.execute(
                text(
                    "INSERT INTO kit.schema_digest (one, digest) VALUES (true, :digest)"
                    " ON CONFLICT (one) DO UPDATE SET digest = excluded.digest"
                ),
                {"digest": migrations_digest(locations)},
            )
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, locations: Sequence[Path]) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(location) for location in locations))
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    connection.commit()


if __name__ == "__main__":
    asyncio.run(migrate(os.environ["DATABASE_ADMIN_URL"], [Path(argument) for argument in sys.argv[1:]]))
