"""The SQL of API keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.kit.db import Tx
from steward.services.identity.api import ApiKeyId, KeyKind
from steward.services.identity.records import ApiKeyRow, KeyHolderRow
from steward.services.identity.users.repository import ROLES

_API_KEY = "id, name, kind, scopes, created_by, created_at, expires_at, last_used_at, revoked_at"


class ApiKeyRepository:
    """API keys."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.ctx.require_tenant()

    async def insert(self, key: ApiKeyRow, secret_hash: bytes) -> None:
        await self._tx.execute(
            """INSERT INTO identity.api_key
                   (tenant_id, id, name, kind, secret_hash, scopes, created_by, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
            self._tenant,
            key.id,
            key.name,
            key.kind,
            secret_hash,
            key.scopes,
            key.created_by,
            key.created_at,
            key.expires_at,
        )

    async def holder(self, key_id: UUID, kind: KeyKind) -> KeyHolderRow | None:
        """What decides whether a key counts and for what, in one round trip."""
        row = await self._tx.fetchrow(
            f"""SELECT k.kind, k.secret_hash, k.scopes, k.created_by, k.expires_at, k.last_used_at, k.revoked_at,
                       u.state AS creator_state, {ROLES}
                FROM identity.api_key k
                JOIN identity.user u ON u.tenant_id = k.tenant_id AND u.id = k.created_by
                WHERE k.tenant_id = $1 AND k.id = $2 AND k.kind = $3""",
            self._tenant,
            key_id,
            kind,
        )
        return None if row is None else msgspec.convert(dict(row), KeyHolderRow)

    async def page(self, after: UUID | None, limit: int) -> Sequence[ApiKeyRow]:
        rows = await self._tx.fetch(
            f"""SELECT {_API_KEY} FROM identity.api_key
                WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3""",
            self._tenant,
            after,
            limit,
        )
        return [msgspec.convert(dict(row), ApiKeyRow) for row in rows]

    async def find(self, key_id: UUID) -> ApiKeyRow | None:
        row = await self._tx.fetchrow(
            f"SELECT {_API_KEY} FROM identity.api_key WHERE tenant_id = $1 AND id = $2", self._tenant, key_id
        )
        return None if row is None else msgspec.convert(dict(row), ApiKeyRow)

    async def lock(self, key_id: ApiKeyId) -> ApiKeyRow | None:
        row = await self._tx.fetchrow(
            f"SELECT {_API_KEY} FROM identity.api_key WHERE tenant_id = $1 AND id = $2 FOR UPDATE",
            self._tenant,
            key_id,
        )
        return None if row is None else msgspec.convert(dict(row), ApiKeyRow)

    async def live_ids(self, created_by: UUID) -> Sequence[UUID]:
        rows = await self._tx.fetch(
            """SELECT id FROM identity.api_key
               WHERE tenant_id = $1 AND created_by = $2 AND revoked_at IS NULL ORDER BY id""",
            self._tenant,
            created_by,
        )
        return [row["id"] for row in rows]

    async def all_ids(self, created_by: UUID) -> Sequence[UUID]:
        """Every key of a user, revoked or not."""
        rows = await self._tx.fetch(
            "SELECT id FROM identity.api_key WHERE tenant_id = $1 AND created_by = $2 ORDER BY id",
            self._tenant,
            created_by,
        )
        return [row["id"] for row in rows]

    async def revoke(self, key_ids: Sequence[UUID], at: datetime) -> None:
        await self._tx.execute(
            """UPDATE identity.api_key SET revoked_at = $3
               WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND revoked_at IS NULL""",
            self._tenant,
            key_ids,
            at,
        )
