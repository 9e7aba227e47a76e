"""The database as one service uses it: transactions and reads under its roles, on its tenant's rows."""

import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from steward.kit.context import Ctx, SystemCtx
from steward.kit.db.connections import LOST
from steward.kit.db.errors import DatabaseUnavailable, TransactionConflict
from steward.kit.db.tx import Opening, Tx, open_tx
from steward.kit.db.wire import command
from steward.kit.ids import Ids

if TYPE_CHECKING:
    from steward.kit.db.pool import Database

SURELY_LOST = (asyncpg.PostgresError, asyncpg.InternalClientError, TimeoutError)

_SERVICE = re.compile(r"[a-z][a-z_]{0,30}")


class _Openings:
    """Makes the openings of one role."""

    def __init__(self, role: str, *, reads_only: bool = False, single: bool = False) -> None:
        self._single = reads_only or single
        # A read has no BEGIN: PostgreSQL ends it at the `Sync` of its statement. Something harmless goes first, for in
        # the first place of such a transaction SET LOCAL takes effect and earns a warning in the log all the same.
        begin = ["RESET ROLE"] if self._single else ["BEGIN"]
        begin += ["SET LOCAL transaction_read_only = on"] if reads_only else []
        self._messages = b"".join(map(command, [*begin, f"SET LOCAL ROLE {role}"]))
        self._sql = f"BEGIN{' READ ONLY' if reads_only else ''}; SET LOCAL ROLE {role}"
        self.system = Opening(self._messages, self._sql, self._single)

    def of(self, tenant: UUID) -> Opening:
        """The opening for this tenant's rows."""
        sql = f"SET LOCAL steward.tenant = '{UUID(int=tenant.int)}'"
        return Opening(self._messages + command(sql), f"{self._sql}; {sql}", self._single)


class ServiceDb:
    """The database as one service sees it: its own roles, its own schema."""

    def __init__(self, database: "Database", name: str) -> None:
        if not _SERVICE.fullmatch(name):
            message = f"{name!r} is no service name: lower-case letters and underscores"
            raise ValueError(message)
        self._database = database
        self._ids = Ids(database.clock)
        self._writing = _Openings(f"steward_{name}")
        self._reading = _Openings(f"steward_{name}", reads_only=True)
        self._system_writing = _Openings(f"steward_{name}_system").system
        self._system_reading = _Openings(f"steward_{name}_system", reads_only=True).system
        self._system_single = _Openings(f"steward_{name}_system", single=True).system
        self.name = name

    def tx(self, ctx: Ctx | SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """A transaction as this service, on the rows of the context's tenant only.

        Commits when the block ends, rolls back when it raises. Raises `DatabaseUnavailable` and `DatabaseBusy`.
        """
        tenant = ctx.require_tenant()
        return self._run(ctx, self._writing.of(tenant), str(tenant))

    def read(self, ctx: Ctx | SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """Like `tx`, for statements that change nothing: each goes to the database in one message, and none commits.

        Each sees what was committed when it began, as in `tx`, and no transaction is open between two of them. The
        database refuses statements that write. Raises `DatabaseUnavailable` and `DatabaseBusy`.
        """
        tenant = ctx.require_tenant()
        return self._run(ctx, self._reading.of(tenant), str(tenant))

    def system_tx(self, ctx: SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """A transaction across tenants, on the tables and columns that the service's system role was granted."""
        return self._run(ctx, self._system_writing, "")

    def system_read(self, ctx: SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """Like `system_tx`, for statements that change nothing; see `read`."""
        return self._run(ctx, self._system_reading, "")

    def system_once(self, ctx: SystemCtx) -> AbstractAsyncContextManager[Tx]:
        """Like `system_tx`, for one statement that is a transaction by itself: sent in one message, and committed.

        It is durable when its answer is there. Where the answer is lost or no longer waited for, it may be committed
        or not; events and audit entries do not go with it. A second statement is a transaction of its own.
        """
        return self._run(ctx, self._system_single, "")

    @asynccontextmanager
    async def _run(self, ctx: Ctx | SystemCtx, opening: Opening, tenant: str) -> AsyncGenerator[Tx]:
        if (outer := open_tx.get()) is not None and not outer.ended:
            message = f"a transaction of {self.name!r} inside one of {outer.service!r}: transactions never nest"
            raise RuntimeError(message)
        database = self._database
        with database.observer.transaction(self.name, tenant):
            connection = await database.acquire()
            tx = Tx(connection, database, self.name, ctx, self._ids, opening)
            token = open_tx.set(tx)
            try:
                yield tx
                wrote = await tx.finish()
            except (*LOST, asyncpg.InterfaceError) as error:
                # Outside the database these are no loss of it: an OSError may be the block's own, and InterfaceError
                # is the driver's word for a wrong call too.
                if not (connection.is_closed() or isinstance(error, SURELY_LOST)):
                    await tx.abandon()
                    raise
                connection.terminate()
                raise DatabaseUnavailable from error
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                await tx.abandon()
                raise TransactionConflict from error
            except BaseException:
                await tx.abandon()
                raise
            finally:
                tx.ended = True
                open_tx.reset(token)
                await database.release(connection)
        if wrote:
            database.committed(self.name, tx.events, audited=tx.audited)
