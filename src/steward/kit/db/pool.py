"""The process's connection pool, and the check that its login role is harmless."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Protocol

import asyncpg
import msgspec
from msgspec import Meta

from steward.kit.clock import Clock
from steward.kit.db.connections import LOST, Connection, Connections
from steward.kit.db.errors import DatabaseUnavailable, RoleTooStrong
from steward.kit.db.service import ServiceDb
from steward.kit.outbox import StoredEvent, audits_of

CLOSE_SECONDS = 5.0


class DbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the connection pool."""

    pool_size: Annotated[int, Meta(ge=1, le=200, description="Most connections this process opens.")] = 10
    acquire_seconds: Annotated[float, Meta(gt=0, description="How long a call waits for a free connection.")] = 5.0
    slow_seconds: Annotated[float, Meta(gt=0, description="Statements slower than this are logged.")] = 1.0


class Observer(Protocol):
    """What is told of the database's work; telemetry implements it."""

    def transaction(self, service: str, tenant: str) -> AbstractContextManager[None]:
        """Entered around each transaction; sees the exception that ends it, if any."""
        ...

    def slow(self, service: str, statement: str, seconds: float) -> None:
        """Told of each statement over the limit, without its arguments."""
        ...

    def traceparent(self) -> str:
        """W3C Trace Context of the work at hand, to go with its events; empty where there is none."""
        ...


class NullObserver:
    """Watches nothing."""

    def transaction(self, service: str, tenant: str) -> AbstractContextManager[None]:  # noqa: ARG002 the port's shape
        return nullcontext()

    def slow(self, service: str, statement: str, seconds: float) -> None:
        """Ignore it."""

    def traceparent(self) -> str:
        return ""


class Database:
    """One pool of connections to one PostgreSQL database, logged in as the application's role."""

    def __init__(self, connections: Connections, settings: DbSettings, clock: Clock, observer: Observer) -> None:
        self._connections = connections
        self.settings = settings
        self.clock = clock
        self.observer = observer
        self._wakers: list[Callable[[str], None]] = []
        self._listeners: list[Callable[[StoredEvent], None]] = []
        self._services: dict[str, ServiceDb] = {}

    @classmethod
    async def open(cls, dsn: str, settings: DbSettings, clock: Clock, observer: Observer | None = None) -> "Database":
        """Connect; raises `RoleTooStrong` where the login role could get round row-level security."""
        connections = Connections(dsn, settings.pool_size, settings.acquire_seconds)
        database = cls(connections, settings, clock, observer or NullObserver())
        try:
            await database._refuse_strong_role()
        except BaseException:
            await database.close()
            raise
        return database

    def service(self, name: str) -> ServiceDb:
        """The database as one service may use it."""
        found = self._services.get(name)
        if found is None:
            found = self._services[name] = ServiceDb(self, name)
        return found

    def on_commit(self, wake: Callable[[str], None]) -> None:
        """Have `wake(service)` called after each commit that wrote events, `wake(audits_of(service))` for audits."""
        self._wakers.append(wake)

    def on_event(self, listener: Callable[[StoredEvent], None]) -> None:
        """Have `listener(event)` called with each event that this process commits, before its transaction returns.

        For forgetting at once what this process remembers; the bus tells it again, as it tells every other process.
        A listener must be quick and must not raise.
        """
        self._listeners.append(listener)

    def committed(self, service: str, events: Sequence[StoredEvent] = (), *, audited: bool = False) -> None:
        """Tell the bus what there is new of this service, and the listeners which events."""
        for wake in self._wakers:
            if events:
                wake(service)
            if audited:
                wake(audits_of(service))
        for listener in self._listeners:
            for event in events:
                listener(event)

    async def acquire(self) -> Connection:
        """A free connection; raises `DatabaseBusy` or `DatabaseUnavailable`."""
        return await self._connections.acquire()

    async def release(self, connection: Connection) -> None:
        self._connections.release(connection)

    async def check(self) -> None:
        """One round trip; raises `DatabaseUnavailable`."""
        connection = await self.acquire()
        try:
            await connection.execute("SELECT 1")
        except (*LOST, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailable from error
        finally:
            await self.release(connection)

    def connections(self) -> tuple[int, int]:
        """Connections open and idle."""
        return self._connections.count()

    async def close(self) -> None:
        """Close every connection, waiting at most 5 s for those in use."""
        await self._connections.close(CLOSE_SECONDS)

    async def _refuse_strong_role(self) -> None:
        connection = await self.acquire()
        try:
            row = await connection.fetchrow(_ROLE_CHECK)
        finally:
            await self.release(connection)
        if row is not None and row["problem"]:
            raise RoleTooStrong(
                f"refusing to start: the login role {row['name']!r} of DATABASE_URL {row['problem']}, so row-level "
                "security would not hold; log in as steward_app (NOSUPERUSER NOBYPASSRLS, owner of nothing) and give "
                "the owner's address in DATABASE_ADMIN_URL, for migrations only"
            )


_ROLE_CHECK = """
SELECT r.rolname AS name,
       CASE WHEN r.rolsuper THEN 'is a superuser'
            WHEN r.rolbypassrls THEN 'has BYPASSRLS'
            WHEN r.rolcreaterole THEN 'has CREATEROLE'
            WHEN r.rolreplication THEN 'has REPLICATION'
            WHEN EXISTS (SELECT 1 FROM pg_roles m WHERE pg_has_role(r.oid, m.oid, 'MEMBER')
                         AND (m.rolsuper OR m.rolbypassrls))
                 THEN 'may become a role that bypasses row-level security'
            WHEN EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE pg_has_role(r.oid, c.relowner, 'MEMBER') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                           AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
                 THEN 'owns a table'
            ELSE '' END AS problem
FROM pg_roles r WHERE r.rolname = session_user
"""
