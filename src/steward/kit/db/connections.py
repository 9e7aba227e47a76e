"""The connections of one process: opened when needed, kept, and handed out one user at a time.

asyncpg's own pool puts a proxy around every call and a task, a time-out and a reset around every release. None of that
is needed where each use is one transaction whose settings end with it; in a profile it was a tenth of a read's CPU.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg

from steward.kit.db.errors import DatabaseBusy, DatabaseUnavailable

if TYPE_CHECKING:
    from asyncpg.prepared_stmt import PreparedStatement

    Statement = PreparedStatement[asyncpg.Record]
    _AsyncpgConnection = asyncpg.Connection[asyncpg.Record]
else:
    # The types of the stubs take parameters, the classes do not.
    _AsyncpgConnection = asyncpg.Connection

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,
)
"""What asyncpg raises when the server or the connection is gone; the last when it goes in the middle of a message."""


STATEMENT_SECONDS = 60.0
"""How long a statement may take before its connection counts as lost, as after a cut cable; no request is so long."""


_MAX_STATEMENTS = 500
"""Statements that a connection keeps prepared; ours are the texts of the repositories, far fewer."""


class Connection(_AsyncpgConnection):
    """A connection that keeps the statements it has prepared, and lets messages go ahead of them.

    asyncpg sends a statement in one piece and takes the answers of Parse, Bind and Execute that come before its own for
    its own. It has no name for this, so `tests/kit/db/test_pipelining.py` holds it to that, and the lock file to its
    version.
    """

    def __init__(self, protocol: Any, transport: asyncio.WriteTransport, *more: Any) -> None:
        super().__init__(protocol, transport, *more)
        self._out = transport
        self._known: dict[str, Statement] = {}

    def prepared(self, sql: str) -> "Statement | None":
        """The statement, where this connection has met it before."""
        return self._known.get(sql)

    async def learn(self, sql: str) -> "Statement":
        """Prepare a statement; the role of the transaction must be allowed to see what it names."""
        if (known := self._known.get(sql)) is not None:
            return known
        statement = await self.prepare(sql)
        if len(self._known) >= _MAX_STATEMENTS:
            del self._known[next(iter(self._known))]
        self._known[sql] = statement
        return statement

    def forget(self) -> None:
        """Prepare everything anew, as after a migration."""
        self._known.clear()

    def send_ahead(self, messages: bytes) -> None:
        """Send what `kit/db/wire.py` makes; a prepared statement must follow at once, for its end is the end of these.

        Raises `asyncpg.ConnectionDoesNotExistError`.
        """
        if self.is_closed() or self._out.is_closing():
            raise asyncpg.ConnectionDoesNotExistError("the connection was closed")
        # The event loop puts this and the statement into one system call.
        self._out.write(messages)


class Connections:
    """At most `size` connections; the one used last is taken first, for its statements are the warmest."""

    def __init__(self, dsn: str, size: int, patience_s: float) -> None:
        self._dsn = dsn
        self._patience_s = patience_s
        self._size = size
        self._room = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._used: set[Connection] = set()
        self._closing = False

    async def acquire(self) -> Connection:
        """A connection that is open and in no transaction; raises `DatabaseBusy` and `DatabaseUnavailable`."""
        if self._closing:
            raise DatabaseUnavailable
        if not self._room.locked():
            # Does not wait, so that it cannot be cancelled half-way.
            await self._room.acquire()
            if (connection := self._take()) is not None:
                return connection
            return await self._connect()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.acquire()
        except TimeoutError as error:
            raise DatabaseBusy(self._patience_s) from error
        return self._take() or await self._connect()

    def release(self, connection: Connection) -> None:
        """Give a connection back; one that broke or was left in a transaction is ended."""
        self._used.discard(connection)
        self._room.release()
        if not connection.is_closed() and (connection.is_in_transaction() or self._closing):
            connection.terminate()
        if connection.is_closed():
            # Statements and connection hold each other.
            connection.forget()
            return
        self._idle.append(connection)

    def count(self) -> tuple[int, int]:
        """Connections open and idle."""
        return len(self._used) + len(self._idle), len(self._idle)

    async def close(self, patience_s: float) -> None:
        """Close every connection; those in use get so long to come back."""
        self._closing = True
        idle, self._idle = self._idle, []
        try:
            async with asyncio.timeout(patience_s):
                await asyncio.gather(*(connection.close() for connection in idle), return_exceptions=True)
                for _ in range(self._size):
                    await self._room.acquire()
        except TimeoutError:
            for connection in (*idle, *self._used):
                connection.terminate()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                self._used.add(connection)
                return connection
        return None

    async def _connect(self) -> Connection:
        """A new connection in the room that was taken for it."""
        try:
            connection = await asyncpg.connect(
                self._dsn,
                timeout=self._patience_s,
                command_timeout=STATEMENT_SECONDS,
                statement_cache_size=500,
                max_cached_statement_lifetime=0,
                connection_class=Connection,
                server_settings={"application_name": "steward"},
            )
        except (*LOST, asyncpg.InterfaceError, TimeoutError) as error:
            self._room.release()
            raise DatabaseUnavailable from error
        except BaseException:
            self._room.release()
            raise
        self._used.add(connection)
        return connection
