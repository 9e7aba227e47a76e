"""Sessions in this process: kept between messages, and worked on one message at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from steward.kit.cache import Cache, View
from steward.kit.clock import Clock
from steward.kit.context import Ctx, SystemCtx
from steward.kit.db import ServiceDb
from steward.kit.ids import TenantId
from steward.services.support.conversations.records import Conversation
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.customers.owner import Owner
from steward.services.support.errors import SessionNotFound

KEPT_SECONDS: Final = 600.0
MAX_ENTRIES: Final = 20_000
MAX_BYTES: Final = 48 * 1024 * 1024
_BASE_BYTES: Final = 1200


class _Order:
    """Whose turn it is in a session, and how many wait or work."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Sessions:
    """What this process remembers of sessions may be old: whoever writes one checks its version in the database."""

    def __init__(self, db: ServiceDb, rows: ConversationsRepository, clock: Clock) -> None:
        self._db = db
        self._rows = rows
        cache = Cache(clock, max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES)
        self._kept: View[Conversation] = View(cache, "session", ttl_s=KEPT_SECONDS, size=_size)
        self._orders: dict[UUID, _Order] = {}

    async def of_owner(self, ctx: Ctx, session_id: UUID, owner: Owner) -> Conversation:
        """A session of this customer's or visitor's. Raises `SessionNotFound`."""
        conversation = await self.get(ctx, session_id)
        if conversation.owner != owner:
            raise SessionNotFound(session_id)
        return conversation

    async def get(self, ctx: Ctx | SystemCtx, session_id: UUID, *, fresh: bool = False) -> Conversation:
        """A session of the tenant, as remembered unless it is to be fresh. Raises `SessionNotFound`."""
        tenant = ctx.require_tenant()
        kept = None if fresh else self._kept.get(tenant, str(session_id))
        if kept is not None:
            return kept
        async with self._db.read(ctx) as tx:
            found = await self._rows.find(tx, tenant, session_id)
        if found is None:
            self.forget(tenant, session_id)
            raise SessionNotFound(session_id)
        self.keep(tenant, found)
        return found

    def keep(self, tenant: TenantId, conversation: Conversation) -> None:
        self._kept.put(tenant, str(conversation.id), conversation)

    def forget(self, tenant: TenantId, session_id: UUID) -> None:
        self._kept.drop(tenant, str(session_id))

    def forget_tenant(self, tenant: TenantId) -> None:
        self._kept.drop_all(tenant)

    @asynccontextmanager
    async def turn(self, session_id: UUID) -> AsyncGenerator[None]:
        """Wait until the messages that came before in this process are answered."""
        order = self._orders.get(session_id)
        if order is None:
            order = self._orders[session_id] = _Order()
        order.users += 1
        try:
            async with order.lock:
                yield
        finally:
            order.users -= 1
            if not order.users:
                del self._orders[session_id]


def _size(conversation: Conversation) -> int:
    return _BASE_BYTES + 4 * sum(map(len, conversation.recent))
