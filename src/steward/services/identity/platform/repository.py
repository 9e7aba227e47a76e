"""The SQL that identity runs across tenants, as its system role, on the columns that role was granted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.identity.records import Attempt, Candidate, SigningKeyRow

_SIGNING_KEY = "kid, public_key, private_key, created_at, signs_from, expires_at"


class LoginSystemRepository:
    """Who is meant by an address, and how its log-ins went."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def candidates(self, email_index: bytes, tenant: TenantId | None, limit: int) -> Sequence[Candidate]:
        """Active users with this address, in one tenant or in any."""
        rows = await self._tx.fetch(
            """SELECT tenant_id, id FROM identity.user
               WHERE email_index = $1 AND ($2::uuid IS NULL OR tenant_id = $2) AND state = 'active'
               ORDER BY tenant_id LIMIT $3""",
            email_index,
            tenant,
            limit,
        )
        return [Candidate(row["tenant_id"], row["id"]) for row in rows]

    async def attempt(self, email_index: bytes) -> Attempt | None:
        row = await self._tx.fetchrow(
            "SELECT failures, locked_until FROM identity.login_attempt WHERE email_index = $1", email_index
        )
        return None if row is None else msgspec.convert(dict(row), Attempt)

    async def fail(self, email_index: bytes, now: datetime, limit: int, locked_until: datetime) -> Attempt | None:
        """Count a failure, and lock at the limit; None where log-in is locked, which the failure then does not touch.

        One statement on one row, so that failures at the same time are counted one by one.
        """
        row = await self._tx.fetchrow(
            """INSERT INTO identity.login_attempt AS a (email_index, failures, last_at) VALUES ($1, 1, $2)
               ON CONFLICT (email_index) DO UPDATE SET
                   failures = CASE WHEN a.locked_until IS NULL THEN a.failures + 1 ELSE 1 END,
                   locked_until = CASE WHEN a.locked_until IS NULL AND a.failures + 1 >= $3 THEN $4::timestamptz END,
                   last_at = $2
               WHERE a.locked_until IS NULL OR a.locked_until <= $2
               RETURNING failures, locked_until""",
            email_index,
            now,
            limit,
            locked_until,
        )
        return None if row is None else msgspec.convert(dict(row), Attempt)

    async def succeed(self, email_index: bytes, now: datetime) -> Attempt | None:
        """Forget the failures of an address; the attempt that stands where log-in was locked meanwhile."""
        forgotten = await self._tx.execute(
            """DELETE FROM identity.login_attempt
               WHERE email_index = $1 AND (locked_until IS NULL OR locked_until <= $2)""",
            email_index,
            now,
        )
        return None if forgotten else await self.attempt(email_index)


class SigningKeySystemRepository:
    """The keys that sign access tokens; they belong to the installation, not to a tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def list_all(self) -> Sequence[SigningKeyRow]:
        """Oldest first."""
        rows = await self._tx.fetch(f"SELECT {_SIGNING_KEY} FROM identity.signing_key ORDER BY signs_from, kid")
        return [msgspec.convert(dict(row), SigningKeyRow) for row in rows]

    async def lock(self) -> None:
        """Let one process at a time decide about keys, until its transaction ends."""
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('identity signing keys', 0))")

    async def insert(self, key: SigningKeyRow) -> None:
        await self._tx.execute(
            f"INSERT INTO identity.signing_key ({_SIGNING_KEY}) VALUES ($1, $2, $3, $4, $5, $6)",
            key.kid,
            key.public_key,
            key.private_key,
            key.created_at,
            key.signs_from,
            key.expires_at,
        )

    async def expire_older(self, kid: str, at: datetime) -> None:
        """Have every key but this one forgotten at `at`, unless it is to be sooner."""
        await self._tx.execute(
            "UPDATE identity.signing_key SET expires_at = $2 WHERE kid <> $1 AND expires_at IS NULL", kid, at
        )

    async def delete_expired(self, now: datetime) -> int:
        return await self._tx.execute("DELETE FROM identity.signing_key WHERE expires_at <= $1", now)


class UseSystemRepository:
    """When keys and sessions were last used."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def touch_keys(self, used: Mapping[tuple[TenantId, UUID], datetime]) -> None:
        await self._touch("api_key", used)

    async def touch_sessions(self, used: Mapping[tuple[TenantId, UUID], datetime]) -> None:
        await self._touch("session", used)

    async def _touch(self, table: str, used: Mapping[tuple[TenantId, UUID], datetime]) -> None:
        # Rows are taken in the order of their key, so that two processes cannot wait for each other.
        await self._tx.execute(
            f"""UPDATE identity.{table} t SET last_used_at = u.at
                FROM (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS u (tenant_id, id, at)
                      ORDER BY 1, 2) u
                WHERE t.tenant_id = u.tenant_id AND t.id = u.id
                  AND (t.last_used_at IS NULL OR t.last_used_at < u.at)""",
            [tenant for tenant, _ in used],
            [key for _, key in used],
            list(used.values()),
        )


class SweepSystemRepository:
    """Removal of what has expired, a bounded number of rows a call."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def sessions(self, before: datetime, limit: int) -> int:
        """Sessions that expired or were revoked before, with their refresh tokens."""
        return await self._tx.execute(
            """DELETE FROM identity.session WHERE (tenant_id, id) IN (
                   SELECT tenant_id, id FROM identity.session
                   WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)""",
            before,
            limit,
        )

    async def live_sessions(self, now: datetime) -> int:
        """How many sessions are neither expired nor revoked, of all tenants."""
        return await self._tx.fetchval(
            "SELECT count(*) FROM identity.session WHERE expires_at > $1 AND revoked_at IS NULL", now
        )

    async def refresh_tokens(self, before: datetime, limit: int) -> int:
        return await self._expired("refresh_token", before, limit)

    async def invitations(self, before: datetime, limit: int) -> int:
        return await self._expired("invitation", before, limit)

    async def login_attempts(self, before: datetime, limit: int) -> int:
        """Failures that were long ago and lock nothing."""
        return await self._tx.execute(
            """DELETE FROM identity.login_attempt WHERE email_index IN (
                   SELECT email_index FROM identity.login_attempt WHERE last_at < $1 LIMIT $2)""",
            before,
            limit,
        )

    async def _expired(self, table: str, before: datetime, limit: int) -> int:
        return await self._tx.execute(
            f"""DELETE FROM identity.{table} WHERE (tenant_id, id) IN (
                    SELECT tenant_id, id FROM identity.{table} WHERE expires_at < $1 LIMIT $2)""",
            before,
            limit,
        )
