"""Transactions: begun, given role and tenant in one message, and ended with their events and audit entries."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from steward.kit.audit import Audit, masked
from steward.kit.context import Actor, ActorType, Ctx, SystemCtx
from steward.kit.db.connections import LOST, Connection
from steward.kit.db.wire import execution
from steward.kit.ids import Ids, TenantId
from steward.kit.outbox import AuditRecord, DomainEvent, StoredEvent

if TYPE_CHECKING:
    from steward.kit.db.connections import Statement
    from steward.kit.db.pool import Database

T = TypeVar("T")

open_tx: ContextVar["Tx | None"] = ContextVar("open_tx", default=None)
"""The innermost transaction of the task at hand; it may have ended."""


def forbid_open_tx() -> None:
    """Called before each outside call: a transaction must not wait for another service, HTTP or a model."""
    tx = open_tx.get()
    if tx is not None and not tx.ended:
        message = f"an outside call inside a transaction of {tx.service!r}: commit the intent first, then call"
        raise RuntimeError(message)


class Opening(NamedTuple):
    """What a transaction begins with: role and tenant, that hold until its end."""

    messages: bytes
    """To go ahead of the first statement of a transaction; where each is one by itself, ahead of each."""
    sql: str
    """The same as SQL of its own, for a statement that the connection has still to prepare."""
    single: bool
    """Whether each statement is a transaction by itself, which PostgreSQL ends at its `Sync`."""


class Tx:
    """An open transaction. Rows come back as `asyncpg.Record`; repositories turn them into structs."""

    def __init__(
        self,
        connection: Connection,
        database: "Database",
        service: str,
        ctx: Ctx | SystemCtx,
        ids: Ids,
        opening: Opening,
    ) -> None:
        self._connection = connection
        self._database = database
        self._ids = ids
        self._opening = opening
        self._events: list[StoredEvent] = []
        self._audits: list[AuditRecord] = []
        self._begun = False
        """Whether a BEGIN was sent."""
        self._busy = False
        self._cut_short = False
        """Whether a statement was cancelled, so that its answer may still be under way."""
        self._torn = False
        """Whether messages were sent ahead of a statement that was not sent itself."""
        self.service = service
        self.ctx = ctx
        self.ended = False
        """A task that was started inside a transaction inherits it, and may outlive it."""

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        return await self._run(sql, lambda statement: statement.fetch(*args))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        return await self._run(sql, lambda statement: statement.fetchrow(*args))

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self._run(sql, lambda statement: statement.fetchval(*args))

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement; the number of rows it changed."""

        async def run(statement: "Statement") -> str:
            await statement.fetch(*args)
            return statement.get_statusmsg() or ""

        count = (await self._run(sql, run)).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def emit(self, event: DomainEvent, *, tenant: TenantId | None = None, by: Ctx | None = None) -> None:
        """Publish an event with the commit; a system transaction names the tenant.

        `by` is whose doing it is, where one transaction writes for several callers.
        """
        self._must_write()
        who = by or self.ctx
        self._events.append(
            StoredEvent(
                id=self._ids.new(),
                tenant=self._tenant(tenant),
                type=f"{self.service}.{type(event).__name__}",
                at=self._database.clock.now(),
                request_id=_request_id(who),
                actor=_actor(who),
                payload=msgspec.Raw(msgspec.json.encode(event)),
                traceparent=self._database.observer.traceparent(),
            )
        )

    def audit(self, entry: Audit, *, tenant: TenantId | None = None, by: Ctx | None = None) -> None:
        """Write an audit entry with the commit; `tenant` and `by` as in `emit`."""
        self._must_write()
        who = by or self.ctx
        self._audits.append(
            AuditRecord(
                id=self._ids.new(),
                tenant=self._tenant(tenant),
                service=self.service,
                at=self._database.clock.now(),
                actor=_actor(who),
                request_id=_request_id(who),
                address=who.address if isinstance(who, Ctx) else "",
                action=entry.action,
                resource=entry.resource,
                outcome=entry.outcome,
                reason=entry.reason,
                before=masked(entry.before),
                after=masked(entry.after),
            )
        )

    @property
    def events(self) -> Sequence[StoredEvent]:
        """What was emitted so far."""
        return self._events

    @property
    def audited(self) -> bool:
        """Whether there are audit entries."""
        return bool(self._audits)

    async def finish(self) -> bool:
        """Write what was emitted and audited and commit, in one message; whether there was anything to write."""
        if self._events or self._audits:
            await self._write_and_commit()
            return True
        if self._begun:
            _check_committed(await self._connection.execute("COMMIT"), self.service)
        elif self._torn:
            self._connection.terminate()
        return False

    async def abandon(self) -> None:
        """Have the server take everything back, where it began with anything."""
        connection = self._connection
        if connection.is_closed():
            return
        if self._torn:
            # Without a statement the server still waits for the end of what it got, role and tenant included.
            connection.terminate()
        elif self._begun:
            await _clear(connection, "ROLLBACK")
        elif self._cut_short:
            # Waits until the cancelled statement has ended.
            await _clear(connection, "SELECT 1")

    async def _run(self, sql: str, act: "Callable[[Statement], Awaitable[T]]") -> T:
        if self._busy:
            message = f"two statements at once in a transaction of {self.service!r}: await one, then send the other"
            raise RuntimeError(message)
        self._busy = True
        started = self._database.clock.monotonic()
        try:
            statement = await self._known(sql)
            if not self._begun:
                await self._open()
            done = await act(statement)
        except (asyncio.CancelledError, TimeoutError):
            self._cut_short, self._torn = True, False
            raise
        except asyncpg.PostgresError as error:
            # The driver raises these for arguments that it could not send, too; only the server's have a severity.
            self._torn = self._torn and error.severity is None
            if isinstance(error, asyncpg.InvalidCachedStatementError):
                self._connection.forget()
            raise
        finally:
            self._busy = False
        self._torn = False
        self._watch(sql, started)
        return done

    async def _open(self) -> None:
        """Send role and tenant ahead of a statement that follows at once."""
        if self._cut_short:
            await _clear(self._connection, "SELECT 1")
        self._connection.send_ahead(self._opening.messages)
        self._torn = True
        self._begun = not self._opening.single

    async def _learn(self, sql: str) -> "Statement":
        """Prepare a statement under the role that it is for; once for each connection."""
        if not self._begun:
            await self._connection.execute(self._opening.sql)
            self._begun = True
        try:
            return await self._connection.learn(sql)
        finally:
            if self._opening.single:
                await _clear(self._connection, "ROLLBACK")
                self._begun = False

    async def _write_and_commit(self) -> None:
        rows = [(_insert(self.service, "outbox"), row) for row in self._events]
        rows += [(_insert(self.service, "audit_outbox"), row) for row in self._audits]
        names = {sql: (await self._known(sql)).get_name() for sql in {sql for sql, _ in rows}}
        commit = await self._known("COMMIT")
        messages = [execution(names[sql], str(row.tenant), str(row.id), _encode(row)) for sql, row in rows]
        self._connection.send_ahead(b"".join(messages if self._begun else [self._opening.messages, *messages]))
        self._begun = True
        await commit.fetch()
        _check_committed(commit.get_statusmsg(), self.service)

    async def _known(self, sql: str) -> "Statement":
        return self._connection.prepared(sql) or await self._learn(sql)

    def _must_write(self) -> None:
        if self._opening.single:
            message = f"a read or single statement of {self.service!r} leaves no events and no audit entries: use `tx`"
            raise RuntimeError(message)

    def _tenant(self, named: TenantId | None) -> TenantId:
        tenant = named or self.ctx.tenant
        if tenant is None:
            message = f"a system transaction of {self.service!r} must name the tenant of an event or audit entry"
            raise RuntimeError(message)
        return tenant

    def _watch(self, sql: str, started: float) -> None:
        seconds = self._database.clock.monotonic() - started
        if seconds > self._database.settings.slow_seconds:
            self._database.observer.slow(self.service, sql, seconds)


def _actor(ctx: Ctx | SystemCtx) -> Actor:
    return ctx.actor if isinstance(ctx, Ctx) else Actor(ActorType.SERVICE, ctx.service)


def _request_id(ctx: Ctx | SystemCtx) -> str:
    return ctx.request_id if isinstance(ctx, Ctx) else ""


@cache
def _insert(service: str, table: str) -> str:
    return f"INSERT INTO {service}.{table} (tenant_id, id, body) VALUES ($1, $2, $3)"  # noqa: S608 the names are ours


def _encode(row: StoredEvent | AuditRecord) -> str:
    return msgspec.json.encode(row).decode()


def _check_committed(status: str | None, service: str) -> None:
    # After a failed statement PostgreSQL answers COMMIT with a roll-back, which must not pass for success.
    if status != "COMMIT":
        message = f"a transaction of {service!r} went on after a failed statement, and nothing of it was committed"
        raise RuntimeError(message)


async def _clear(connection: Connection, command: str) -> None:
    """Bring a connection out of what was left undone, or end it."""
    try:
        await connection.execute(command)
    except (*LOST, asyncpg.InterfaceError):
        connection.terminate()
    except BaseException:
        # Cancelled again: nobody waits for the answer any more, and the server rolls back what has no client.
        connection.terminate()
        raise
