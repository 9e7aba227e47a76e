"""Every search is recorded, off its path: gathered for 50 ms and written together."""

import asyncio
from collections import deque
from typing import Final

from steward.kit.clock import Clock
from steward.kit.context import SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.errors import Unavailable
from steward.kit.telemetry import Telemetry
from steward.services.knowledge.records import RecordedQuery
from steward.services.knowledge.repository import QuestionSystemRepository

GATHER_S: Final = 0.05
_MOST: Final = 50_000
"""Queries that wait for a database that does not answer; the oldest are given up then."""
_BATCH: Final = 5_000


class Recorder:
    """Gathers and writes. What cannot be written waits for the next search or flush."""

    def __init__(self, db: ServiceDb, clock: Clock, telemetry: Telemetry) -> None:
        self._db = db
        self._clock = clock
        self._log = telemetry.log
        self._waiting: deque[RecordedQuery] = deque(maxlen=_MOST)
        self._rows = QuestionSystemRepository()
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def add(self, query: RecordedQuery) -> None:
        """Note a search; it is written within 50 ms or so."""
        self._waiting.append(query)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_soon(), name="knowledge-recorder")

    async def flush(self) -> None:
        """Write all that waits. Raises `Unavailable` when the database does not answer; then it goes on waiting."""
        async with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                try:
                    async with self._db.system_tx(SystemCtx(reason="queries made", service="knowledge")) as tx:
                        await self._rows.record(tx, batch)
                except BaseException:
                    self._waiting.extendleft(reversed(batch[-(_MOST - len(self._waiting)) :]))
                    raise

    async def stop(self) -> None:
        """Write what waits and do no more."""
        # Not while it writes: whoever is interrupted then cannot know whether it is written.
        async with self._writing:
            if self._task is not None and not self._task.done():
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()

    async def _flush_soon(self) -> None:
        await self._clock.sleep(GATHER_S)
        try:
            await self.flush()
        except Unavailable as error:
            self._log.warning("queries were not recorded yet", waiting=len(self._waiting), exc_info=error)
