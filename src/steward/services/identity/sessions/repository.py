"""The SQL of sessions and their refresh tokens."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.services.identity.api import SessionId, UserId
from steward.services.identity.records import RefreshRow, SessionHolderRow, SessionRow, SpendableRow
from steward.services.identity.users.repository import ROLES

_SESSION = "id, user_id, created_at, last_used_at, expires_at, ends_at, address, user_agent"


class SessionRepository:
    """Sessions and their refresh tokens."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def insert(self, session: SessionRow, token: RefreshRow) -> None:
        await self._tx.execute(
            f"INSERT INTO identity.session (tenant_id, {_SESSION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            self._tenant,
            session.id,
            session.user_id,
            session.created_at,
            session.last_used_at,
            session.expires_at,
            session.ends_at,
            session.address,
            session.user_agent,
        )
        await self._insert_token(token)

    async def user_of_token(self, token_id: UUID) -> UserId | None:
        """Whose session a refresh token belongs to."""
        return await self._tx.fetchval(
            """SELECT s.user_id FROM identity.refresh_token t
               JOIN identity.session s ON s.tenant_id = t.tenant_id AND s.id = t.session_id
               WHERE t.tenant_id = $1 AND t.id = $2""",
            self._tenant,
            token_id,
        )

    async def spendable(self, token_id: UUID) -> SpendableRow | None:
        """A refresh token with its session, both locked: of two that come at once, the second sees the first's work."""
        row = await self._tx.fetchrow(
            """SELECT t.session_id, s.user_id, t.secret_hash, t.expires_at, t.spent_at, s.ends_at, s.revoked_at,
                      u.state AS user_state
               FROM identity.refresh_token t
               JOIN identity.session s ON s.tenant_id = t.tenant_id AND s.id = t.session_id
               JOIN identity.user u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
               WHERE t.tenant_id = $1 AND t.id = $2 FOR UPDATE OF s, t""",
            self._tenant,
            token_id,
        )
        return None if row is None else msgspec.convert(dict(row), SpendableRow)

    async def rotate(self, spent: UUID, successor: RefreshRow, at: datetime) -> None:
        await self._tx.execute(
            "UPDATE identity.refresh_token SET spent_at = $3 WHERE tenant_id = $1 AND id = $2", self._tenant, spent, at
        )
        await self._insert_token(successor)
        await self._tx.execute(
            "UPDATE identity.session SET last_used_at = $3, expires_at = $4 WHERE tenant_id = $1 AND id = $2",
            self._tenant,
            successor.session_id,
            at,
            successor.expires_at,
        )

    async def holder(self, session_id: UUID, user_id: UUID, now: datetime) -> SessionHolderRow | None:
        """What an access token of this session and user is worth now; None where the session or user is not live."""
        row = await self._tx.fetchrow(
            f"""SELECT s.expires_at, s.last_used_at, {ROLES} FROM identity.session s
                JOIN identity.user u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
                WHERE s.tenant_id = $1 AND s.id = $2 AND s.user_id = $3 AND s.revoked_at IS NULL
                  AND s.expires_at > $4 AND u.state = 'active'""",
            self._tenant,
            session_id,
            user_id,
            now,
        )
        return None if row is None else msgspec.convert(dict(row), SessionHolderRow)

    async def find_live(self, session_id: UUID, now: datetime) -> SessionRow | None:
        row = await self._tx.fetchrow(
            f"""SELECT {_SESSION} FROM identity.session
                WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3""",
            self._tenant,
            session_id,
            now,
        )
        return None if row is None else msgspec.convert(dict(row), SessionRow)

    async def list_live(self, user_id: UUID, now: datetime, limit: int) -> Sequence[SessionRow]:
        """Newest first."""
        rows = await self._tx.fetch(
            f"""SELECT {_SESSION} FROM identity.session
                WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3
                ORDER BY id DESC LIMIT $4""",
            self._tenant,
            user_id,
            now,
            limit,
        )
        return [msgspec.convert(dict(row), SessionRow) for row in rows]

    async def live_ids(self, user_id: UUID, now: datetime) -> Sequence[UUID]:
        rows = await self._tx.fetch(
            """SELECT id FROM identity.session
               WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3 ORDER BY id""",
            self._tenant,
            user_id,
            now,
        )
        return [row["id"] for row in rows]

    async def revoke(self, session_id: UUID, now: datetime) -> bool:
        """End a session; False where it had ended already."""
        revoked = await self._tx.execute(
            """UPDATE identity.session SET revoked_at = $3
               WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > $3""",
            self._tenant,
            session_id,
            now,
        )
        return revoked == 1

    async def revoke_all(self, user_id: UUID, now: datetime, *, keep: SessionId | None = None) -> Sequence[UUID]:
        """End a user's sessions but `keep`; the ids of those that ended."""
        rows = await self._tx.fetch(
            """UPDATE identity.session SET revoked_at = $3
               WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND ($4::uuid IS NULL OR id <> $4)
               RETURNING id""",
            self._tenant,
            user_id,
            now,
            keep,
        )
        return [row["id"] for row in rows]

    async def _insert_token(self, token: RefreshRow) -> None:
        await self._tx.execute(
            """INSERT INTO identity.refresh_token (tenant_id, id, session_id, secret_hash, expires_at)
               VALUES ($1, $2, $3, $4, $5)""",
            self._tenant,
            token.id,
            token.session_id,
            token.secret_hash,
            token.expires_at,
        )
