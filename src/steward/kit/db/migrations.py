"""What migrations are written with: plain SQL, and the tables, roles and policies that every service has.

Imported by migrations only, which run in a process of their own.
"""

import re
from collections.abc import Sequence
from typing import Any

from alembic import op

_NAME = re.compile(r"[a-z][a-z0-9_]*")

TENANT = "nullif(current_setting('steward.tenant', true), '')::uuid"
"""The tenant of the transaction; null (which matches nothing) where none is set."""

SENSITIVE = "sensitive"
"""The comment of a column that is classed sensitive."""


def run_sql(sql: str) -> None:
    """Run SQL as it stands, several statements at once, in the migration's transaction."""

    async def execute(driver: Any) -> None:
        await driver.execute(sql)

    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(execute)


def create_service(service: str) -> None:
    """The schema and the two roles of a service, with its outboxes and its intents and replies."""
    _check(service)
    role, system = f"steward_{service}", f"steward_{service}_system"
    run_sql(f"""
        {create_role(role)}
        {create_role(system)}
        CREATE SCHEMA {service};
        GRANT USAGE ON SCHEMA {service} TO {role}, {system};
        CREATE TABLE {service}.outbox (
            tenant_id uuid NOT NULL, id uuid NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            body text NOT NULL, PRIMARY KEY (tenant_id, id));
        CREATE INDEX ON {service}.outbox (xid, id);
        CREATE TABLE {service}.audit_outbox (
            tenant_id uuid NOT NULL, id uuid NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
            body text NOT NULL, PRIMARY KEY (tenant_id, id));
        CREATE INDEX ON {service}.audit_outbox (xid, id);
        CREATE TABLE {service}.reply (
            tenant_id uuid NOT NULL, key_hash bytea NOT NULL, request_hash bytea NOT NULL,
            sealed bytea, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant_id, key_hash));
        CREATE INDEX ON {service}.reply (created_at);
        CREATE TABLE {service}.intent (
            tenant_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL, step int NOT NULL DEFAULT 0,
            undoing boolean NOT NULL DEFAULT false, attempts int NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL, sealed kit.sealed NOT NULL, PRIMARY KEY (tenant_id, id));
        CREATE INDEX ON {service}.intent (due_at);
    """)
    tenant_table(service, "outbox", "INSERT")
    tenant_table(service, "audit_outbox", "INSERT")
    tenant_table(service, "reply")
    tenant_table(service, "intent")
    sensitive_columns(service, "intent", "sealed")
    for table in ("outbox", "audit_outbox"):
        # A worker across tenants may write what it did too, and the relay reads and, after a while, deletes.
        system_access(service, table, "SELECT", ("tenant_id", "id", "xid", "body"))
        system_access(service, table, "INSERT", ("tenant_id", "id", "body"))
        system_access(service, table, "DELETE")
    system_access(service, "intent", "SELECT", ("tenant_id", "id", "due_at"))
    system_access(service, "intent", "UPDATE", ("due_at",))
    system_access(service, "reply", "SELECT", ("created_at",))
    system_access(service, "reply", "DELETE")


def create_role(role: str) -> str:
    """SQL that makes a role of the platform if it is missing and lets the application take it on."""
    _check(role)
    return f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT NOCREATEDB NOCREATEROLE;
            END IF;
        END $$;
        GRANT {role} TO steward_app WITH INHERIT FALSE, SET TRUE;
    """


def tenant_table(service: str, table: str, grants: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Put a table under row-level security, forced on its owner too.

    A permissive policy lets the tenant's rows through, and a restrictive one of the same condition holds even if
    somebody adds another permissive policy later.
    """
    _check(table)
    run_sql(f"""
        ALTER TABLE {service}.{table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {service}.{table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON {service}.{table} AS PERMISSIVE FOR ALL TO steward_{service}
            USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT});
        CREATE POLICY tenant_rows_only ON {service}.{table} AS RESTRICTIVE FOR ALL TO steward_{service}
            USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT});
        GRANT {grants} ON {service}.{table} TO steward_{service};
    """)


def system_access(service: str, table: str, command: str, columns: Sequence[str] = ()) -> None:
    """Let the service's system role do one thing across tenants: SELECT, INSERT or UPDATE of columns, or DELETE."""
    _check(table)
    listed = f" ({', '.join(columns)})" if columns else ""
    condition = {"INSERT": "WITH CHECK (true)", "UPDATE": "USING (true) WITH CHECK (true)"}.get(command, "USING (true)")
    run_sql(f"""
        CREATE POLICY system_{command.lower()} ON {service}.{table} AS PERMISSIVE FOR {command}
            TO steward_{service}_system {condition};
        GRANT {command}{listed} ON {service}.{table} TO steward_{service}_system;
    """)


def shared_table(service: str, table: str, grants: str) -> None:
    """A table that belongs to no tenant (keys of processes, cursors): granted, with no row policy."""
    _check(table)
    run_sql(f"GRANT {grants} ON {service}.{table} TO steward_{service};")


def sensitive_columns(service: str, table: str, *columns: str) -> None:
    """Class columns as sensitive: what they hold must be sealed, so each is of the domain `kit.sealed`.

    A test compares the class, which is kept as the column's comment, with the types and names of all columns.
    """
    for name in (table, *columns):
        _check(name)
    run_sql("".join(f"COMMENT ON COLUMN {service}.{table}.{column} IS '{SENSITIVE}';" for column in columns))


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for SQL: lower-case letters, digits and underscores"
        raise ValueError(message)
