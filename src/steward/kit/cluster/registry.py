"""Announcing this process and finding the others."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from steward.kit.clock import Clock
from steward.kit.cluster import repository
from steward.kit.cluster.repository import ProcessRow
from steward.kit.context import SystemCtx
from steward.kit.db import Database
from steward.kit.errors import Unavailable
from steward.kit.ids import PLATFORM
from steward.kit.ratelimit import RateLimiter

_CTX = SystemCtx(reason="registry of processes", service="kit", tenant=PLATFORM)
_FRESH = timedelta(seconds=1)
_STRANGE_READS = 20
"""Reads a second that unknown key ids may cause: a fleet that starts causes fewer, and strangers cause no more."""
_NO_TIME = datetime.fromtimestamp(0).astimezone()


class ClusterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of discovery among the processes of an installation."""

    heartbeat_seconds: Annotated[float, Meta(gt=0, description="How often a process says that it lives.")] = 3.0
    gone_seconds: Annotated[float, Meta(gt=0, description="Silence after which a process counts as gone.")] = 10.0


class ProcessRegistry:
    """The live processes, read once a second and when a key id is met that is not known."""

    def __init__(
        self, database: Database, settings: ClusterSettings, clock: Clock, fixed: Mapping[str, Sequence[str]]
    ) -> None:
        """`fixed` are addresses by service that go before what processes announce."""
        self._db = database.service("kit")
        self._settings = settings
        self._gone = timedelta(seconds=settings.gone_seconds)
        self._clock = clock
        self._rows: Sequence[ProcessRow] = ()
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._read_at = _NO_TIME
        self._reads = 0
        """Reads begun so far, each of which sees what was there when it began."""
        self._reading = asyncio.Lock()
        self._strangers = RateLimiter(clock)
        self._task: asyncio.Task[None] | None = None
        self._me: ProcessRow | None = None
        self._fixed = fixed

    async def announce(self, process_id: UUID, services: Sequence[str], address: str, public_key: bytes) -> None:
        """Be found from now on, until `withdraw` or silence."""
        now = self._clock.now()
        self._me = ProcessRow(id=process_id, services=services, address=address, public_key=public_key, seen_at=now)
        async with self._db.tx(_CTX) as tx:
            await repository.delete_unseen(tx, now - timedelta(days=1))
            await repository.upsert(tx, self._me)
        self._task = asyncio.create_task(self._beat(), name="cluster-heartbeat")

    async def withdraw(self) -> None:
        """Be found no more; the first thing when a process drains."""
        if self._task is None or self._me is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        # Without a database nobody can be told; silence will tell the others within seconds.
        with suppress(Unavailable):
            async with self._db.tx(_CTX) as tx:
                await repository.delete(tx, self._me.id)

    async def addresses(self, service: str) -> Sequence[str]:
        """Where a service answers, `host:port` each; fixed peers first, else those that announced themselves."""
        if fixed := self._fixed.get(service):
            return fixed
        return [row.address for row in await self._live() if service in row.services and row.address]

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """The public key of a live process; None when there is none of this id."""
        if kid not in self._keys:
            await self._look_again(self._reads)
        elif self._clock.now() - self._read_at > self._gone:
            # It may have gone since.
            await self._live(self._gone)
        return self._keys.get(kid)

    async def _live(self, fresh: timedelta = _FRESH) -> Sequence[ProcessRow]:
        async with self._reading:
            if self._clock.now() - self._read_at > fresh:
                await self._read()
            return self._rows

    async def _look_again(self, reads: int) -> None:
        """Read the table at once for a process that may just have come, unless a read began since there were `reads`.

        One serves all who wait. A flood of ids that nobody has does not make us read for each: then a new process is
        found with the next read that the flood itself may cause.
        """
        async with self._reading:
            if self._reads == reads and self._strangers.take("kid", limit=_STRANGE_READS, window_s=1.0).allowed:
                await self._read()

    async def _read(self) -> None:
        self._reads += 1
        now = self._clock.now()
        async with self._db.tx(_CTX) as tx:
            self._rows = await repository.list_seen(tx, now - self._gone)
        self._read_at = now
        self._keys = {str(row.id): Ed25519PublicKey.from_public_bytes(row.public_key) for row in self._rows}

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(self._settings.heartbeat_seconds)
            if self._me is None:
                return
            row = msgspec.structs.replace(self._me, seen_at=self._clock.now())
            try:
                async with self._db.tx(_CTX) as tx:
                    await repository.upsert(tx, row)
            except (Unavailable, asyncpg.PostgresError):
                # The database is away, or refuses to write while it changes hands. The next beat tells the others;
                # until then they may count us as gone, which is true for the database.
                continue
