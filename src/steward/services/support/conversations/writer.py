"""Group commit: what concurrent requests of a tenant want written goes into one transaction.

While one transaction of a tenant is under way, what comes meanwhile gathers for the next. A write that the database
refuses is found by trying each of its group alone, so that it does not fail its neighbours.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb, Tx
from steward.kit.errors import Unavailable
from steward.kit.ids import TenantId
from steward.services.support.conversations.records import Accepted, Completed
from steward.services.support.conversations.repository import ConversationsRepository

MAX_ROWS: Final = 200


class _Write:
    """One request's write and who waits for it."""

    __slots__ = ("ctx", "done", "record")

    def __init__(self, ctx: Ctx, record: Accepted | Completed, done: "asyncio.Future[bool]") -> None:
        self.ctx = ctx
        self.record = record
        self.done = done

    def settle(self, *, written: bool) -> None:
        if not self.done.done():
            self.done.set_result(written)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class TurnWriter:
    """Writes accepted messages and answered ones."""

    def __init__(self, db: ServiceDb, rows: ConversationsRepository) -> None:
        self._db = db
        self._rows = rows
        self._waiting: dict[TenantId, list[_Write]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, ctx: Ctx, record: Accepted | Completed) -> bool:
        """Whether it was written; not where the session is at another version than the one it was read at.

        At most one `Completed` of a session may be under way in this process. Raises what the database raises. When
        the caller is cancelled the write goes on.
        """
        tenant = ctx.require_tenant()
        write = _Write(ctx, record, asyncio.get_running_loop().create_future())
        waiting = self._waiting.get(tenant)
        if waiting is not None:
            waiting.append(write)
        else:
            self._waiting[tenant] = [write]
            task = asyncio.create_task(self._drain(tenant))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await write.done

    async def stop(self) -> None:
        """Wait until everything is written."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _drain(self, tenant: TenantId) -> None:
        waiting = self._waiting[tenant]
        while waiting:
            group = waiting[:MAX_ROWS]
            del waiting[:MAX_ROWS]
            await self._commit(tenant, group)
        del self._waiting[tenant]

    async def _commit(self, tenant: TenantId, group: Sequence[_Write]) -> None:
        try:
            written = await self._transact(tenant, group)
        except Exception as error:  # noqa: BLE001 - each of those who wait is told
            if len(group) == 1 or (isinstance(error, Unavailable)):
                for write in group:
                    write.fail(error)
                return
            for write in group:
                await self._commit(tenant, [write])
        else:
            for write in group:
                write.settle(written=write.record.__class__ is Accepted or _message_id(write) in written)

    async def _transact(self, tenant: TenantId, group: Sequence[_Write]) -> set[UUID]:
        """Write all of the group; the messages whose answers were written."""
        accepted = [write.record for write in group if isinstance(write.record, Accepted)]
        completed = [write.record for write in group if isinstance(write.record, Completed)]
        ctx = SystemCtx(reason="messages of several customers", service="support", tenant=tenant)
        async with self._db.tx(ctx) as tx:
            if accepted:
                await self._rows.accept(tx, tenant, accepted)
            if not completed:
                return set()
            written = await self._rows.complete(tx, tenant, completed)
            _tell(tx, group, written)
        return written


def _tell(tx: Tx, group: Sequence[_Write], written: set[UUID]) -> None:
    """The audit entries of what was written, each by its own caller."""
    for write in group:
        if isinstance(write.record, Completed) and _message_id(write) in written:
            session = f"session/{write.record.conversation.id}"
            tx.audit(Audit(action="message.answered", resource=session), by=write.ctx)


def _message_id(write: _Write) -> UUID:
    record = write.record
    return record.answered.message_id if isinstance(record, Completed) else record.message_id
