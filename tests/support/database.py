"""Databases for tests of the kit: opened as the platform opens them, looked into as their owner."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from steward.kit.clock import Clock, SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.db import Database, DbSettings, Observer
from steward.kit.ids import Ids, TenantId

IDS = Ids(SystemClock())


def new_tenant() -> TenantId:
    return TenantId(IDS.new())


def ctx_of(tenant: TenantId | None, *, user: str = "u", idempotency_key: str | None = None) -> Ctx:
    """The context of a user of a tenant."""
    return Ctx(
        tenant=tenant,
        actor=Actor(ActorType.USER, user),
        scopes=frozenset(),
        request_id="test",
        deadline=SystemClock().now() + timedelta(seconds=30),
        idempotency_key=idempotency_key,
    )


def database_of(dsn: str) -> str:
    """The name of the database in an address."""
    return urlsplit(dsn).path.removeprefix("/")


@asynccontextmanager
async def database_at(
    dsn: str, *, clock: Clock | None = None, observer: Observer | None = None, **settings: Any
) -> AsyncGenerator[Database]:
    """A database opened for a while."""
    database = await Database.open(dsn, DbSettings(**settings), clock or SystemClock(), observer)
    try:
        yield database
    finally:
        await database.close()


async def as_owner(dsn: str, sql: str, *args: object) -> list[asyncpg.Record]:
    """Run SQL beside the platform; without arguments it may be several statements."""
    connection = await asyncpg.connect(dsn)
    try:
        if not args:
            statement = sql.strip().upper()
            if not statement.startswith(("SELECT", "WITH")):
                await connection.execute(sql)
                return []
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


class Trips:
    """A way to a PostgreSQL that counts round trips: what a client sends up to each answer `ready for query`.

    Of the frontend's messages (PostgreSQL 18, "Message Formats") `Query` and `Sync` are those that are answered so.
    """

    def __init__(self, directory: str, database: str, user: str) -> None:
        self._target = f"{directory}/.s.PGSQL.5432"
        self._database = database
        self._user = user
        self._server: asyncio.Server | None = None
        self.count = 0

    async def start(self) -> str:
        """Listen; the address to connect to."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"postgresql://{self._user}@127.0.0.1:{port}/{self._database}?sslmode=disable"

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_unix_connection(self._target)
        answers = asyncio.create_task(_copy(back, writer))
        try:
            start = await reader.readexactly(4)
            there.write(start + await reader.readexactly(int.from_bytes(start, "big") - 4))
            while True:
                head = await reader.readexactly(5)
                there.write(head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4))
                self.count += head[:1] in (b"Q", b"S")
        except asyncio.IncompleteReadError:
            there.close()
        finally:
            await answers


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
    target.close()


def values(rows: Sequence[asyncpg.Record]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]
