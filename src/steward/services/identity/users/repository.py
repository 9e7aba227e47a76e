"""The SQL of users: their rows, roles, passwords and invitations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.services.identity.api import Role, UserState
from steward.services.identity.records import InvitationRow, NewUser, UserRow

ROLES = """ARRAY(SELECT r.role FROM identity.user_role r
    WHERE r.tenant_id = u.tenant_id AND r.user_id = u.id ORDER BY r.role) AS roles"""
"""The roles of the user `u` as a column."""

_USER = f"u.id, u.email, u.name, u.state, u.created_at, u.last_login_at, u.version, {ROLES}"


class UserRepository:
    """Users and the roles assigned to them."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def insert(self, user: NewUser) -> bool:
        """Insert an invited user with their roles; False where the address or the id is taken."""
        inserted = await self._tx.execute(
            """INSERT INTO identity.user (tenant_id, id, email, email_index, name, state, created_at)
               VALUES ($1, $2, $3, $4, $5, 'invited', $6) ON CONFLICT DO NOTHING""",
            self._tenant,
            user.id,
            user.email,
            user.email_index,
            user.name,
            user.created_at,
        )
        if inserted:
            await self._tx.execute(
                """INSERT INTO identity.user_role (tenant_id, user_id, role, assigned_at)
                   SELECT $1, $2, role, $4 FROM unnest($3::text[]) AS role""",
                self._tenant,
                user.id,
                user.roles,
                user.created_at,
            )
        return inserted == 1

    async def find(self, user_id: UUID) -> UserRow | None:
        row = await self._tx.fetchrow(
            f"SELECT {_USER} FROM identity.user u WHERE u.tenant_id = $1 AND u.id = $2 AND u.state <> 'deleted'",
            self._tenant,
            user_id,
        )
        return None if row is None else msgspec.convert(dict(row), UserRow)

    async def lock(self, user_id: UUID) -> UserRow | None:
        """The user, whom nobody else changes before the transaction ends.

        Locked and read by two statements: one statement that waits for a lock reads roles as they were before.
        """
        await self._tx.execute(
            "SELECT 1 FROM identity.user WHERE tenant_id = $1 AND id = $2 FOR UPDATE", self._tenant, user_id
        )
        return await self.find(user_id)

    async def page(self, after: UUID | None, limit: int) -> Sequence[UserRow]:
        rows = await self._tx.fetch(
            f"""SELECT {_USER} FROM identity.user u
                WHERE u.tenant_id = $1 AND u.state <> 'deleted' AND ($2::uuid IS NULL OR u.id > $2)
                ORDER BY u.id LIMIT $3""",
            self._tenant,
            after,
            limit,
        )
        return [msgspec.convert(dict(row), UserRow) for row in rows]

    async def has_address(self, email_index: bytes) -> bool:
        return await self._tx.fetchval(
            "SELECT EXISTS (SELECT FROM identity.user WHERE tenant_id = $1 AND email_index = $2)",
            self._tenant,
            email_index,
        )

    async def address_index(self, user_id: UUID) -> bytes | None:
        """The blind index of a user's address."""
        return await self._tx.fetchval(
            "SELECT email_index FROM identity.user WHERE tenant_id = $1 AND id = $2", self._tenant, user_id
        )

    async def set_name(self, user_id: UUID, name: bytes) -> None:
        await self._tx.execute(
            "UPDATE identity.user SET name = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
            self._tenant,
            user_id,
            name,
        )

    async def set_state(self, user_id: UUID, state: UserState) -> None:
        await self._tx.execute(
            "UPDATE identity.user SET state = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
            self._tenant,
            user_id,
            state,
        )

    async def note_login(self, user_id: UUID, at: datetime) -> UserRow | None:
        """Note a log-in of an active user and hold their row; None where they are not active."""
        updated = await self._tx.execute(
            "UPDATE identity.user SET last_login_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'active'",
            self._tenant,
            user_id,
            at,
        )
        return await self.find(user_id) if updated else None

    async def erase(self, user_id: UUID) -> None:
        """Remove a user's personal data, password, roles and invitations; the bare row stays."""
        for table in ("password", "user_role", "invitation"):
            await self._tx.execute(
                f"DELETE FROM identity.{table} WHERE tenant_id = $1 AND user_id = $2", self._tenant, user_id
            )
        await self._tx.execute(
            """UPDATE identity.user SET state = 'deleted', email = NULL, email_index = NULL, name = NULL,
               version = version + 1 WHERE tenant_id = $1 AND id = $2""",
            self._tenant,
            user_id,
        )

    async def erase_all(self) -> int:
        """Delete every user of the tenant with all that hangs on them; how many there were."""
        return await self._tx.execute("DELETE FROM identity.user WHERE tenant_id = $1", self._tenant)

    async def add_role(self, user_id: UUID, role: Role, at: datetime) -> bool:
        added = await self._tx.execute(
            """INSERT INTO identity.user_role (tenant_id, user_id, role, assigned_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            self._tenant,
            user_id,
            role,
            at,
        )
        return await self._bumped(user_id) if added else False

    async def remove_role(self, user_id: UUID, role: Role) -> bool:
        removed = await self._tx.execute(
            "DELETE FROM identity.user_role WHERE tenant_id = $1 AND user_id = $2 AND role = $3",
            self._tenant,
            user_id,
            role,
        )
        return await self._bumped(user_id) if removed else False

    async def another_owner(self, user_id: UUID) -> bool:
        """Whether another active owner remains; nobody else can take one away before the transaction ends."""
        await self._tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('identity owners ' || $1::text, 0))", str(self._tenant)
        )
        return await self._tx.fetchval(
            """SELECT EXISTS (SELECT FROM identity.user_role r
                   JOIN identity.user u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
                   WHERE r.tenant_id = $1 AND r.role = 'owner' AND u.state = 'active' AND u.id <> $2)""",
            self._tenant,
            user_id,
        )

    async def _bumped(self, user_id: UUID) -> bool:
        await self._tx.execute(
            "UPDATE identity.user SET version = version + 1 WHERE tenant_id = $1 AND id = $2", self._tenant, user_id
        )
        return True


class PasswordRepository:
    """Password hashes and the invitations that lead to them."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def find(self, user_id: UUID) -> str | None:
        """The password hash of an active user."""
        return await self._tx.fetchval(
            """SELECT p.hash FROM identity.password p
               JOIN identity.user u ON u.tenant_id = p.tenant_id AND u.id = p.user_id
               WHERE p.tenant_id = $1 AND p.user_id = $2 AND u.state = 'active'""",
            self._tenant,
            user_id,
        )

    async def put(self, user_id: UUID, hashed: str, at: datetime) -> None:
        await self._tx.execute(
            """INSERT INTO identity.password (tenant_id, user_id, hash, changed_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant_id, user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at""",
            self._tenant,
            user_id,
            hashed,
            at,
        )

    async def replace(self, user_id: UUID, old: str, new: str, at: datetime) -> bool:
        """Change the hash unless somebody else changed it meanwhile."""
        changed = await self._tx.execute(
            """UPDATE identity.password SET hash = $4, changed_at = $5
               WHERE tenant_id = $1 AND user_id = $2 AND hash = $3""",
            self._tenant,
            user_id,
            old,
            new,
            at,
        )
        return changed == 1

    async def insert_invitation(self, invitation: InvitationRow) -> None:
        await self._tx.execute(
            """INSERT INTO identity.invitation (tenant_id, id, user_id, secret_hash, expires_at)
               VALUES ($1, $2, $3, $4, $5)""",
            self._tenant,
            invitation.id,
            invitation.user_id,
            invitation.secret_hash,
            invitation.expires_at,
        )

    async def find_invitation(self, invitation_id: UUID) -> InvitationRow | None:
        """An open invitation, held until the transaction ends."""
        row = await self._tx.fetchrow(
            """SELECT id, user_id, secret_hash, expires_at FROM identity.invitation
               WHERE tenant_id = $1 AND id = $2 FOR UPDATE""",
            self._tenant,
            invitation_id,
        )
        return None if row is None else msgspec.convert(dict(row), InvitationRow)

    async def delete_invitations(self, user_id: UUID) -> None:
        await self._tx.execute(
            "DELETE FROM identity.invitation WHERE tenant_id = $1 AND user_id = $2", self._tenant, user_id
        )
