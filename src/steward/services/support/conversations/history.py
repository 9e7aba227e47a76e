"""What was said: reading it, clearing it, and which sessions there are."""

from uuid import UUID

from steward.kit.audit import Audit
from steward.kit.authz import Authz, allows
from steward.kit.clock import Clock
from steward.kit.context import Ctx
from steward.kit.db import ServiceDb
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.support.api import ChatSession, Message
from steward.services.support.conversations.records import Conversation
from steward.services.support.conversations.repository import ConversationsRepository
from steward.services.support.conversations.sessions import Sessions
from steward.services.support.customers.door import Door
from steward.services.support.events import SessionCleared
from steward.services.support.ports import DialogueState

READ = "conversation:read"


class History:
    """The use cases of sessions that are there."""

    def __init__(
        self,
        db: ServiceDb,
        authz: Authz,
        rows: ConversationsRepository,
        sessions: Sessions,
        door: Door,
        clock: Clock,
    ) -> None:
        self._db = db
        self._authz = authz
        self._rows = rows
        self._sessions = sessions
        self._door = door
        self._clock = clock

    async def get_history(
        self,
        ctx: Ctx,
        *,
        session_id: UUID,
        user_id: str | None = None,
        customer_token: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Message]:
        if not allows(ctx, READ):
            await self._authz.require(ctx, "conversation:write", f"session/{session_id}")
        await self._visible(ctx, session_id, user_id, customer_token)
        after = decode_cursor(cursor, UUID)
        async with self._db.read(ctx) as tx:
            found = await self._rows.history(tx, ctx.require_tenant(), session_id, after, limit + 1)
        more = len(found) > limit
        return Page(found[:limit], encode_cursor(found[limit - 1].id) if more else None)

    async def clear_session(
        self, ctx: Ctx, *, session_id: UUID, user_id: str | None = None, customer_token: str | None = None
    ) -> None:
        await self._authz.require(ctx, "conversation:write", f"session/{session_id}")
        session = await self._visible(ctx, session_id, user_id, customer_token)
        tenant = ctx.require_tenant()
        async with self._db.tx(ctx) as tx:
            kept = DialogueState(language=session.dialogue.language)
            await self._rows.clear(tx, tenant, session_id, kept, self._clock.now())
            tx.audit(Audit(action="session.cleared", resource=f"session/{session_id}"))
            tx.emit(SessionCleared(session_id=session_id))
        self._sessions.forget(tenant, session_id)

    async def list_chat_sessions(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[ChatSession]:
        await self._authz.require(ctx, READ, "session")
        before = decode_cursor(cursor, UUID)
        async with self._db.read(ctx) as tx:
            found = await self._rows.list_before(tx, ctx.require_tenant(), before, limit + 1)
        more = len(found) > limit
        shown = [conversation.shown() for conversation in found[:limit]]
        return Page(shown, encode_cursor(found[limit - 1].id) if more else None)

    async def _visible(
        self, ctx: Ctx, session_id: UUID, user_id: str | None, customer_token: str | None
    ) -> Conversation:
        """The session, if it is the customer's who is named; unnamed, any for who may read conversations."""
        if allows(ctx, READ) and user_id is None and customer_token is None:
            return await self._sessions.get(ctx, session_id)
        owner = await self._door.owner(ctx, user_id, customer_token)
        return await self._sessions.of_owner(ctx, session_id, owner)
