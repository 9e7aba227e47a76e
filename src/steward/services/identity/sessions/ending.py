"""Sessions as their users see them: listed and ended."""

from collections.abc import Sequence

from steward.kit.audit import Audit
from steward.kit.authz import allows
from steward.kit.context import Ctx
from steward.services.identity.api import Session, SessionId, UserId
from steward.services.identity.callers import own_id, require_self
from steward.services.identity.errors import SessionNotFound, UserNotFound
from steward.services.identity.events import SessionRevoked
from steward.services.identity.records import SessionRow
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.trail import SessionTrail
from steward.services.identity.use_case import UseCase
from steward.services.identity.users.repository import UserRepository

_MOST = 100


class Ending(UseCase):
    """Lists sessions and ends them."""

    async def logout(self, ctx: Ctx) -> None:
        require_self(ctx)
        if ctx.session_id is None:
            raise SessionNotFound(None)
        session = await self._find(ctx, SessionId(ctx.session_id))
        if session is not None:
            await self._end(ctx, session, "log-out")

    async def list_sessions(self, ctx: Ctx, *, user_id: UserId | None = None) -> Sequence[Session]:
        own = own_id(ctx)
        of = user_id or require_self(ctx)
        if of != own:
            await self._parts.authz.require(ctx, "session:read", f"user/{of}")
        async with self._parts.db.tx(ctx) as tx:
            if await UserRepository(tx).find(of) is None:
                raise UserNotFound(of)
            rows = await SessionRepository(tx).list_live(of, self._parts.clock.now(), _MOST)
        tenant = ctx.require_tenant()
        current = SessionId(ctx.session_id) if ctx.session_id else None
        return [await self._parts.people.session(tenant, row, current=current) for row in rows]

    async def revoke_session(self, ctx: Ctx, *, session_id: SessionId) -> None:
        resource = f"session/{session_id}"
        own = own_id(ctx)
        if own is None:
            await self._parts.authz.require(ctx, "session:revoke", resource)
        session = await self._find(ctx, session_id)
        if session is None:
            raise SessionNotFound(session_id)
        if session.user_id != own:
            if not allows(ctx, "session:read") and not allows(ctx, "session:revoke"):
                await self._parts.authz.refused(ctx, "session:read", resource)
                raise SessionNotFound(session_id)
            await self._parts.authz.require(ctx, "session:revoke", resource)
        await self._end(ctx, session, "revoked")

    async def _find(self, ctx: Ctx, session_id: SessionId) -> SessionRow | None:
        async with self._parts.db.tx(ctx) as tx:
            return await SessionRepository(tx).find_live(session_id, self._parts.clock.now())

    async def _end(self, ctx: Ctx, session: SessionRow, reason: str) -> None:
        async with self._parts.db.tx(ctx) as tx:
            if await SessionRepository(tx).revoke(session.id, self._parts.clock.now()):
                before = SessionTrail(user_id=session.user_id, expires_at=session.expires_at)
                tx.audit(
                    Audit(action="session.revoked", resource=f"session/{session.id}", before=before, reason=reason)
                )
                tx.emit(SessionRevoked(user_id=session.user_id, session_id=session.id))
