"""Connections that are kept for the next call."""

import asyncio

from steward.services.models.upstream.http1.connecting import Connector, Target
from steward.services.models.upstream.http1.connection import Connection

_IDLE_SECONDS = 50.0
"""Shorter than the idle time after which the usual providers and their proxies hang up."""
_MOST_STALE = 64


class HangsUp(Exception):
    """The provider closes every connection before anything is said."""


class Pool:
    """Gives each call a connection of its own; how many calls are made at a time is not decided here."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._idle: dict[Target, list[Connection]] = {}
        self._open: dict[Connection, Target] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()

    def idle(self, target: Target) -> Connection | None:
        """A connection that is there and not stale, the last used first, or None."""
        idle = self._idle.get(target)
        while idle:
            connection = idle.pop()
            if not connection.stale:
                return connection
            connection.close()
        return None

    async def opened(self, target: Target) -> Connection:
        """A new connection. Raises `NotConnected`, `HangsUp`, and what refuses the address."""
        for _ in range(_MOST_STALE):
            connection = await self._connector.connect(target, self._lost)
            if not connection.stale:
                self._open[connection] = target
                return connection
            connection.close()
        raise HangsUp

    def give_back(self, connection: Connection) -> None:
        """The call is over; the connection is kept or closed."""
        if not connection.finish():
            return
        target = self._open.get(connection)
        if target is None:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        idle = self._idle.get(target)
        if idle is None:
            idle = self._idle[target] = []
        idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(_IDLE_SECONDS, self._sweep)

    async def close(self) -> None:
        """Close every connection, those in use too; a later call opens new ones."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle = {}
        self._connector.forget()
        for connection in list(self._open):
            connection.close()
        while self._open:
            self._closed.clear()
            await self._closed.wait()

    def _lost(self, connection: Connection) -> None:
        target = self._open.pop(connection, None)
        idle = self._idle.get(target) if target is not None else None
        if idle is not None and connection in idle:
            idle.remove(connection)
        self._closed.set()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time() - _IDLE_SECONDS
        kept: dict[Target, list[Connection]] = {}
        for target, idle in self._idle.items():
            for connection in idle:
                if connection.idle_since > before:
                    kept.setdefault(target, []).append(connection)
                else:
                    connection.close()
        self._idle = kept
        oldest = min((idle[0].idle_since for idle in kept.values()), default=None)
        self._sweeper = None if oldest is None else loop.call_at(oldest + _IDLE_SECONDS, self._sweep)
