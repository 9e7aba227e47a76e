"""Probes of row-level security: rows of two tenants in every tenant table, and attempts to reach the other's."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from steward.kit.ids import TenantId

OPEN_TO_THE_KIT = frozenset({"kit.bus_parked"})
"""Tables that name a tenant but are not the tenant's; see the test of the schema."""

_TABLES = """
SELECT n.nspname || '.' || quote_ident(c.relname) AS name, n.nspname AS service,
       array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
       (SELECT array_agg(command) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) command
        WHERE has_table_privilege('steward_' || n.nspname, c.oid, command)) AS granted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND to_regrole('steward_' || n.nspname) IS NOT NULL AND EXISTS
      (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
GROUP BY n.nspname, c.oid, c.relname ORDER BY 1
"""

_VALUES: Mapping[str, str] = {
    "uuid": "gen_random_uuid()",
    "text": "gen_random_uuid()::text",
    "text[]": "'{}'",
    "bytea": "sha256(gen_random_uuid()::text::bytea)",
    "kit.sealed": "'\\x01'::bytea || decode(repeat('00', 60), 'hex')",
    "uuid[]": "'{}'",
    "date": "'2026-01-01'",
    "timestamp with time zone[]": "'{}'",
    "integer": "1",
    "integer[]": "'{}'",
    "jsonb": "'{}'",
    "double precision": "0.5",
    "bigint": "(random() * 1000000000)::bigint",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "xid8": "'1'::xid8",
}
_CHECKED: Mapping[str, str] = {
    "tenants.tenant.plan": "'free'",
    "tenants.tenant.state": "'active'",
    'identity."user".state': "'active'",
    "identity.api_key.kind": "'secret'",
    "kit.data_key.use": "'seal'",
    "costs.budget.period": "'month'",
    "costs.ledger.call_id": "uuidv7()",
    "knowledge.source.kind": "'faq'",
    "support.session.owner_kind": "'customer'",
    "support.session.state": "'active'",
    "support.message.message_id": "uuidv7()",
    "support.message.sender": "'user'",
    "support.ticket.state": "'open'",
    "models.batch.state": "'completed'",
    "models.batch_line.state": "'done'",
    "models.batch_submission.state": "'ended'",
    "support.ticket.priority": "'normal'",
    "support.intent_set.state": "'ready'",
}
"""Columns that take only some values, and the one that messages are partitioned by."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant table and what its service's role may do with it."""

    name: str
    service: str
    columns: Sequence[str]
    types: Sequence[str]
    granted: Sequence[str] | None

    def insert(self, tenant: TenantId) -> str:
        """A statement that inserts some row of a tenant."""
        values = [
            f"'{tenant}'" if column == "tenant_id" else _CHECKED.get(f"{self.name}.{column}", _VALUES[kind])
            for column, kind in zip(self.columns, self.types, strict=True)
        ]
        names = ", ".join(f'"{column}"' for column in self.columns)
        return f"INSERT INTO {self.name} ({names}) VALUES ({', '.join(values)})"


async def tenant_tables(connection: Any) -> Sequence[Table]:
    """Every table that holds rows of tenants."""
    rows = await connection.fetch(_TABLES)
    return [Table(**row) for row in rows if row["name"] not in OPEN_TO_THE_KIT]


async def seed(owner: Any, tables: Sequence[Table], tenants: Sequence[TenantId]) -> None:
    """A row of each tenant in each table, past foreign keys and policies."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        for table in tables:
            for tenant in tenants:
                await owner.execute(table.insert(tenant))


class Probe:
    """Acts as one tenant, in the role of a table's service, and tells what it should not have been able to do."""

    def __init__(self, connection: Any, mine: TenantId, other: TenantId) -> None:
        self._connection = connection
        self._mine = mine
        self._other = other

    async def findings(self, table: Table) -> list[str]:
        """What is wrong with a table's isolation, if anything; all that is done is rolled back."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._connection.execute(
                f"SET LOCAL ROLE steward_{table.service}; SET LOCAL steward.tenant = '{self._mine}'"
            )
            found: list[str] = []
            for command in table.granted or ():
                found += [f"{table.name}: {what}" for what in await self._try(command, table)]
            return found
        finally:
            await transaction.rollback()

    async def _try(self, command: str, table: Table) -> list[str]:
        match command:
            case "SELECT":
                return await self._select(table)
            case "INSERT":
                return await self._insert(table)
            case _:
                return await self._change(command, table)

    async def _select(self, table: Table) -> list[str]:
        of_whom = f"SELECT count(*) FROM {table.name} WHERE tenant_id = $1"
        found: list[str] = []
        if await self._connection.fetchval(of_whom, self._other):
            found.append("another tenant's rows are seen")
        if await self._connection.fetchval(f"SELECT count(*) FROM {table.name} WHERE tenant_id <> $1", self._mine):
            found.append("a query without a tenant sees others")
        if not await self._connection.fetchval(of_whom, self._mine):
            found.append("one's own rows are not seen")
        return found

    async def _insert(self, table: Table) -> list[str]:
        found: list[str] = []
        if not await self._refused(table.insert(self._other)):
            found.append("a row was inserted for another tenant")
        if await self._refused(table.insert(self._mine)):
            found.append("a row of one's own is refused")
        return found

    async def _change(self, command: str, table: Table) -> list[str]:
        found: list[str] = []
        what = f"UPDATE {table.name} SET tenant_id = tenant_id" if command == "UPDATE" else f"DELETE FROM {table.name}"
        if await self._changed(f"{what} WHERE tenant_id = '{self._other}'"):
            found.append(f"{command} reached another tenant's rows")
        if not await self._changed(f"{what} WHERE tenant_id = '{self._mine}'"):
            found.append(f"{command} does not reach one's own rows")
        if command == "UPDATE":
            move = f"UPDATE {table.name} SET tenant_id = '{self._other}' WHERE tenant_id = '{self._mine}'"
            if not await self._refused(move):
                found.append("a row was moved to another tenant")
        return found

    async def _changed(self, sql: str) -> int:
        """How many rows a statement changes; what becomes of it is rolled back."""
        inner = self._connection.transaction()
        await inner.start()
        try:
            return int((await self._connection.execute(sql)).rpartition(" ")[2])
        except asyncpg.IntegrityConstraintViolationError:
            return 1
        finally:
            await inner.rollback()

    async def _refused(self, sql: str) -> bool:
        """Whether row-level security refuses a statement; another constraint is judged later than the policies."""
        try:
            await self._changed(sql)
        except asyncpg.InsufficientPrivilegeError:
            return True
        return False
