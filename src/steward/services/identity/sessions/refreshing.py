"""Refreshing: a refresh token is traded for new tokens, once."""

import msgspec

from steward.kit.audit import Audit, Outcome
from steward.kit.context import Ctx
from steward.kit.crypto.secrets import Credential, CredentialKind, parse_credential
from steward.kit.db import Tx
from steward.services.identity.api import Secret, Tokens, UserState
from steward.services.identity.callers import as_user
from steward.services.identity.errors import InvalidCredential
from steward.services.identity.events import SessionRevoked
from steward.services.identity.records import RefreshRow, SpendableRow
from steward.services.identity.sessions.issuing import Issuing
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.trail import SessionTrail
from steward.services.identity.users.repository import UserRepository


class Refreshing(Issuing):
    """Rotates refresh tokens and ends the session of one that is used twice (RFC 9700 section 4.14.2)."""

    async def refresh(self, ctx: Ctx, *, refresh_token: Secret) -> Tokens:
        spent = parse_credential(refresh_token)
        if spent is None or spent.kind is not CredentialKind.REFRESH_TOKEN:
            raise InvalidCredential
        async with self._parts.db.tx(ctx.for_tenant(spent.tenant)) as tx:
            user_id = await SessionRepository(tx).user_of_token(spent.id)
        if user_id is None:
            raise InvalidCredential
        await self._require_open(ctx, spent.tenant)
        acting = as_user(ctx, spent.tenant, user_id)
        async with self._parts.db.tx(acting) as tx:
            traded = await self._trade(tx, spent)
        # Raised only now: the end of a session that was found in two hands must be committed.
        if traded is None:
            raise InvalidCredential
        session, successor = traded
        return await self._tokens(acting, session.user_id, session.session_id, session.roles, successor)

    async def _trade(self, tx: Tx, spent: Credential) -> tuple[SpendableRow, Credential] | None:
        rows = SessionRepository(tx)
        session = await rows.spendable(spent.id)
        if session is None or not spent.matches(session.secret_hash):
            return None
        now = self._parts.clock.now()
        if session.spent_at is not None:
            await self._end_reused(tx, session)
            return None
        live = session.revoked_at is None and session.user_state is UserState.ACTIVE
        if not live or session.expires_at <= now:
            return None
        user = await UserRepository(tx).find(session.user_id)
        if user is None:
            return None
        successor, row = self._refresh_token(spent.tenant, session.session_id, session.ends_at)
        await rows.rotate(spent.id, row, now)
        self._audit_refresh(tx, session, row)
        return msgspec.structs.replace(session, roles=user.roles), successor

    async def _end_reused(self, tx: Tx, session: SpendableRow) -> None:
        """Of the two who hold the token one is a thief; who is who cannot be told, so both are out."""
        ended = await SessionRepository(tx).revoke(session.session_id, self._parts.clock.now())
        tx.audit(
            Audit(
                action="session.reuse_detected",
                resource=f"session/{session.session_id}",
                outcome=Outcome.FAILED,
                reason="a refresh token was used twice" + ("; the session has ended" if ended else ""),
            )
        )
        if ended:
            tx.emit(SessionRevoked(user_id=session.user_id, session_id=session.session_id))

    def _audit_refresh(self, tx: Tx, session: SpendableRow, successor: RefreshRow) -> None:
        tx.audit(
            Audit(
                action="session.refreshed",
                resource=f"session/{session.session_id}",
                before=SessionTrail(user_id=session.user_id, expires_at=session.expires_at),
                after=SessionTrail(user_id=session.user_id, expires_at=successor.expires_at),
            )
        )
