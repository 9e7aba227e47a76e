"""Transactions: begun, given role and tenant in one message, and ended with their events and audit entries."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec

from steward.kit.audit import Audit, masked
from steward.kit.context import Actor, ActorType, Ctx, SystemCtx
from steward.kit.db.connections import LOST, Connection
from steward.kit.db.errors import DatabaseUnavailable, TransactionConflict
from steward.kit.ids import Ids, TenantId
from steward.kit.outbox import AuditRecord, DomainEvent, StoredEvent

if TYPE_CHECKING:
    from steward.kit.db.pool import Database

SURELY_LOST = (asyncpg.PostgresError, asyncpg.InternalClientError, TimeoutError)

_SERVICE = re.compile(r"[a-z][a-z_]{0,30}")

_open: ContextVar["Tx | None"] = ContextVar("open_tx", default=None)


def forbid_open_tx() -> None:
    """Called before each outside call: a transaction must not wait for another service, HTTP or a model."""
    tx = _open.get()
    if tx is not None and not tx.ended:
        message = f"an outside call inside a transaction of {tx.service!r}: commit the intent first, then call"
        raise RuntimeError(message)


class Tx:
    """An open transaction. Rows come back as `asyncpg.Record`; repositories turn them into structs."""

    def __init__(
        self, connection: Connection, database: "Database", service: str, ctx: Ctx | SystemCtx, ids: Ids
    ) -> None:
        self._connection = connection
        self._database = database
        self._ids = ids
        self._events: list[StoredEvent] = []
        self._audits: list[AuditRecord] = []
        self.service = service
        self.ctx = ctx
        self.ended = False
        """A task that was started inside a transaction inherits it, and may outlive it."""

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        started = self._database.clock.monotonic()
        rows = await self._connection.fetch(sql, *args)
        self._watch(sql, started)
        return rows

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        started = self._database.clock.monotonic()
        row = await self._connection.fetchrow(sql, *args)
        self._watch(sql, started)
        return row

    async def fetchval(self, sql: str, *args: object) -> Any:
        started = self._database.clock.monotonic()
        value = await self._connection.fetchval(sql, *args)
        self._watch(sql, started)
        return value

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement; the number of rows it changed."""
        started = self._database.clock.monotonic()
        status = await self._connection.execute(sql, *args)
        self._watch(sql, started)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def emit(self, event: DomainEvent, *, tenant: TenantId | None = None) -> None:
        """Publish an event with the commit; a system transaction names the tenant."""
        self._events.append(
            StoredEvent(
                id=self._ids.new(),
                tenant=self._tenant(tenant),
                type=f"{self.service}.{type(event).__name__}",
                at=self._database.clock.now(),
                request_id=self._request_id(),
                actor=self._actor(),
                payload=msgspec.Raw(msgspec.json.encode(event)),
                traceparent=self._database.observer.traceparent(),
            )
        )

    def audit(self, entry: Audit, *, tenant: TenantId | None = None) -> None:
        """Write an audit entry with the commit; a system transaction names the tenant."""
        self._audits.append(
            AuditRecord(
                id=self._ids.new(),
                tenant=self._tenant(tenant),
                service=self.service,
                at=self._database.clock.now(),
                actor=self._actor(),
                request_id=self._request_id(),
                address=self.ctx.address if isinstance(self.ctx, Ctx) else "",
                action=entry.action,
                resource=entry.resource,
                outcome=entry.outcome,
                reason=entry.reason,
                before=masked(entry.before),
                after=masked(entry.after),
            )
        )

    async def flush(self) -> bool:
        """Write what was emitted and audited, in one round trip; whether there was anything."""
        if self._events and self._audits:
            await self._connection.execute(
                f"WITH events AS ({_insert(self.service, 'outbox', 1)}) {_insert(self.service, 'audit_outbox', 4)}",
                *_columns(self._events),
                *_columns(self._audits),
            )
        elif self._events:
            await self._connection.execute(_insert(self.service, "outbox", 1), *_columns(self._events))
        elif self._audits:
            await self._connection.execute(_insert(self.service, "audit_outbox", 1), *_columns(self._audits))
        return bool(self._events or self._audits)

    def _tenant(self, named: TenantId | None) -> TenantId:
        tenant = named or self.ctx.tenant
        if tenant is None:
            message = f"a system transaction of {self.service!r} must name the tenant of an event or audit entry"
            raise RuntimeError(message)
        return tenant

    def _actor(self) -> Actor:
        return self.ctx.actor if isinstance(self.ctx, Ctx) else Actor(ActorType.SERVICE, self.ctx.service)

    def _request_id(self) -> str:
        return self.ctx.request_id if isinstance(self.ctx, Ctx) else ""

    def _watch(self, sql: str, started: float) -> None:
        seconds = self._database.clock.monotonic() - started
        if seconds > self._database.settings.slow_seconds:
            self._database.observer.slow(self.service, sql, seconds)


def _insert(service: str, table: str, first: int) -> str:
    """SQL that inserts rows given as three arrays, from this parameter on."""
    return (
        f"INSERT INTO {service}.{table} (tenant_id, id, body)"  # noqa: S608 the names are ours
        f" SELECT * FROM unnest(${first}::uuid[], ${first + 1}::uuid[], ${first + 2}::text[])"
    )


def _columns(rows: Sequence[StoredEvent] | Sequence[AuditRecord]) -> tuple[list[UUID], list[UUID], list[str]]:
    return (
        [row.tenant for row in rows],
        [row.id for row in rows],
        [msgspec.json.encode(row).decode() for row in rows],
    )


class ServiceDb:
    """The database as one service sees it: its own roles, its own schema."""

    def __init__(self, database: "Database", name: str) -> None:
        if not _SERVICE.fullmatch(name):
            message = f"{name!r} is no service name: lower-case letters and underscores"
            raise ValueError(message)
        self._database = database
        self._ids = Ids(database.clock)
        self.name = name

    def tx(self, ctx: Ctx | SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """A transaction as this service, on the rows of the context's tenant only.

        Commits when the block ends, rolls back when it raises. Raises `DatabaseUnavailable` and `DatabaseBusy`.
        """
        tenant = ctx.require_tenant()
        begin = f"BEGIN; SET LOCAL ROLE steward_{self.name}; SET LOCAL steward.tenant = '{UUID(int=tenant.int)}'"
        return self._run(ctx, begin, str(tenant))

    def system_tx(self, ctx: SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """A transaction across tenants, on the tables and columns that the service's system role was granted."""
        return self._run(ctx, f"BEGIN; SET LOCAL ROLE steward_{self.name}_system", "")

    @asynccontextmanager
    async def _run(self, ctx: Ctx | SystemCtx, begin: str, tenant: str) -> AsyncGenerator[Tx]:
        if (outer := _open.get()) is not None and not outer.ended:
            message = f"a transaction of {self.name!r} inside one of {outer.service!r}: transactions never nest"
            raise RuntimeError(message)
        database = self._database
        with database.observer.transaction(self.name, tenant):
            connection = await database.acquire()
            tx = Tx(connection, database, self.name, ctx, self._ids)
            token = _open.set(tx)
            try:
                await connection.execute(begin)
                yield tx
                wrote = await tx.flush()
                await _commit(connection, self.name)
            except (*LOST, asyncpg.InterfaceError) as error:
                # Outside the database these are no loss of it: an OSError may be the block's own, and InterfaceError
                # is the driver's word for a wrong call too.
                if not (connection.is_closed() or isinstance(error, SURELY_LOST)):
                    await _roll_back(connection)
                    raise
                connection.terminate()
                raise DatabaseUnavailable from error
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                await _roll_back(connection)
                raise TransactionConflict from error
            except BaseException:
                await _roll_back(connection)
                raise
            finally:
                tx.ended = True
                _open.reset(token)
                await database.release(connection)
        if wrote:
            database.committed(self.name)


async def _commit(connection: Connection, service: str) -> None:
    # After a failed statement PostgreSQL answers COMMIT with a roll-back, which must not pass for success.
    if await connection.execute("COMMIT") != "COMMIT":
        message = f"a transaction of {service!r} went on after a failed statement, and nothing of it was committed"
        raise RuntimeError(message)


async def _roll_back(connection: Connection) -> None:
    try:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
    except (*LOST, asyncpg.InterfaceError):
        connection.terminate()
    except BaseException:
        # Cancelled again: nobody waits for the answer any more, and the server rolls back what has no client.
        connection.terminate()
        raise
