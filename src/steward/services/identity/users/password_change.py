"""Changing one's own password."""

from steward.kit.audit import Audit, Outcome
from steward.kit.context import Ctx
from steward.services.identity.api import Password, Secret, SessionId, UserId
from steward.services.identity.callers import require_self
from steward.services.identity.errors import WrongCredentials
from steward.services.identity.events import PasswordChanged
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.use_case import UseCase
from steward.services.identity.users.repository import PasswordRepository, UserRepository


class PasswordChange(UseCase):
    """Sets a new password for who knows the current one; guesses count as failed log-ins do."""

    async def change_password(self, ctx: Ctx, *, current: Secret, new: Password) -> None:
        user_id = require_self(ctx)
        stored, index = await self._stored(ctx, user_id)
        parts = self._parts
        await parts.lock_out.check(index)
        if not await parts.passwords.verify(current, stored):
            await self._refuse(ctx, user_id, index)
            raise WrongCredentials
        await parts.lock_out.succeeded(index)
        hashed = await parts.passwords.hash(new)
        keep = SessionId(ctx.session_id) if ctx.session_id else None
        now = parts.clock.now()
        async with parts.db.tx(ctx) as tx:
            if not await PasswordRepository(tx).replace(user_id, stored, hashed, now):
                raise WrongCredentials
            ended = await SessionRepository(tx).revoke_all(user_id, now, keep=keep)
            tx.audit(Audit(action="user.password_changed", resource=f"user/{user_id}"))
            tx.emit(PasswordChanged(user_id=user_id, session_ids=ended))

    async def _stored(self, ctx: Ctx, user_id: UserId) -> tuple[str, bytes]:
        async with self._parts.db.tx(ctx) as tx:
            stored = await PasswordRepository(tx).find(user_id)
            index = await UserRepository(tx).address_index(user_id)
        if stored is None or index is None:
            raise WrongCredentials
        return stored, index

    async def _refuse(self, ctx: Ctx, user_id: UserId, index: bytes) -> None:
        await self._parts.lock_out.failed(index)
        async with self._parts.db.tx(ctx) as tx:
            tx.audit(
                Audit(
                    action="user.password_changed",
                    resource=f"user/{user_id}",
                    outcome=Outcome.FAILED,
                    reason="wrong password",
                )
            )
