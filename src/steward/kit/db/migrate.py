"""Brings a database to the newest schema with Alembic, under an advisory lock; `kit/db/schema.py` runs it.

`python -m steward.kit.db.migrate LOCATION…` with the owner's address in DATABASE_ADMIN_URL.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from steward.kit.db.schema import migrations_digest

LOCK = 7_236_128_541
"""Key of the advisory lock that lets one process migrate at a time."""


async def migrate(admin_dsn: str, locations: Sequence[Path]) -> None:
    """Upgrade every branch to its head, and note the digest of what was applied."""
    # asyncpg itself reads the address, as it does DATABASE_URL: SQLAlchemy knows neither `postgres://` nor `sslmode`.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(admin_dsn))
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
