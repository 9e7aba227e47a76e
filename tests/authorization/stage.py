"""Who calls in a walk over the operations, whose resources the call names, and making those resources."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec

from steward.services.identity.api import ApiKeyId, IdentityApi, Role, UserId
from tests.support.house import House, Member
from tests.support.platform import PLATFORM_SCOPE, TestTenant


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One caller before the resources of one tenant, its own or another's."""

    house: House
    caller: Member
    tenant: TestTenant

    def unique(self) -> str:
        return self.house.installation.foundation.ids.new().hex

    async def somebody(self, *roles: Role) -> UserId:
        """A new, invited user of the tenant; the invitation is open."""
        return (await self._invited(*roles))[0]

    async def invitation(self) -> str:
        """The token of an open invitation."""
        return (await self._invited())[1]

    async def key(self) -> ApiKeyId:
        """A new API key of the tenant."""
        made = await self.house.installation.api(IdentityApi).create_api_key(
            self.tenant.owner, name="probe", scopes=["user:read"]
        )
        return made.api_key.id

    async def session(self) -> UUID:
        """A new session of the tenant's owner."""
        session = (await self.house.logged_in(self.tenant.id, self.tenant.owner_email)).ctx.session_id
        assert session is not None
        return session

    async def governed(self) -> TestTenant:
        """A tenant for operators to act on: a new one for an operator, for anybody else the tenant at hand."""
        if PLATFORM_SCOPE in self.caller.ctx.scopes:
            return await self.house.installation.tenant()
        return self.tenant

    async def _invited(self, *roles: Role) -> tuple[UserId, str]:
        invited = await self.house.installation.api(IdentityApi).invite_user(
            self.house.inviting(self.tenant),
            email=f"{self.unique()}@probe.example",
            name="Probe",
            roles=list(roles or (Role.VIEWER,)),
        )
        return invited.user.id, invited.token


Rows = Mapping[str, Sequence[str]]
"""Every row of a tenant as text, by table."""


class Behind:
    """The database as its owner sees it."""

    def __init__(self, connection: asyncpg.Connection, tables: Sequence[str]) -> None:
        self.connection = connection
        self._tables = tables

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Behind":
        found = await connection.fetch(
            "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND EXISTS"
            " (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') ORDER BY 1"
        )
        return cls(connection, [row["name"] for row in found])

    async def mark_of(self, tenant: UUID) -> str:
        """Another one as soon as any row that belongs to a tenant is."""
        return await self.connection.fetchval(
            "SELECT concat_ws(' ', count(*), sum(hashtextextended(name || row, 0)), sum(hashtextextended(row, 1)))"
            f" FROM ({self._rows()}) found",
            tenant,
        )

    async def rows_of(self, tenant: UUID) -> Rows:
        """All rows that belong to a tenant, of all services."""
        found = await self.connection.fetch(f"{self._rows()} ORDER BY 1, 2", tenant)
        rows: dict[str, list[str]] = {}
        for name, row in found:
            rows.setdefault(name, []).append(row)
        return rows

    def _rows(self) -> str:
        return " UNION ALL ".join(
            f"SELECT '{table}' AS name, t::text AS row FROM {table} t WHERE tenant_id = $1" for table in self._tables
        )

    async def all_sealed(self, tenant: UUID) -> bool:
        """Whether no audit record of a tenant waits for the collector."""
        outboxes = [table for table in self._tables if table.endswith(".audit_outbox")]
        waiting = " UNION ALL ".join(f"SELECT id FROM {table} WHERE tenant_id = $1" for table in outboxes)
        return await self.connection.fetchval(
            f"SELECT count(*) = 0 FROM ({waiting}) o WHERE id NOT IN (SELECT id FROM audit.entry WHERE tenant_id = $1)",
            tenant,
        )

    async def denials(self, requests: Sequence[str]) -> set[str]:
        """Which of these requests left an `access.denied` behind."""
        outboxes = [table for table in self._tables if table.endswith(".audit_outbox")]
        union = " UNION ALL ".join(f"SELECT body FROM {table}" for table in outboxes)
        found = await self.connection.fetch(
            f"WITH o AS (SELECT body::jsonb AS o FROM ({union}) t) SELECT o ->> 'request_id' AS request FROM o"
            " WHERE o ->> 'action' = 'access.denied' AND o ->> 'outcome' = 'denied' AND o ->> 'request_id' = ANY($1)",
            list(requests),
        )
        return {row["request"] for row in found}


def difference(before: Rows, after: Rows) -> str:
    """What has changed between two looks at a tenant's rows; empty for nothing."""
    lines: list[str] = []
    for table in sorted({*before, *after}):
        old, new = set(before.get(table, ())), set(after.get(table, ()))
        lines += [f"- {table} {row[:200]}" for row in sorted(old - new)]
        lines += [f"+ {table} {row[:200]}" for row in sorted(new - old)]
    return "\n".join(lines)
