"""The schema as PostgreSQL has it: isolation of every tenant table, rights of the system roles, sealed columns."""

import os
from pathlib import Path

import pytest

from tests.support.database import as_owner, database_of, values
from tests.support.postgres import PostgresForTests

GOLDEN = Path(__file__).parent / "golden" / "system_grants.txt"
REWRITE = "STEWARD_REWRITE_GOLDEN"
"""Set it to write the golden file anew, then read the difference with care."""

SERVICE_SCHEMAS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND n.nspname !~ '^pg_'"

SHARED = {
    "audit.collected": "how far the collector has read each service's outbox",
    "audit.signing_key": "the installation's keys",
    "costs.holder": "processes that hold reservations, by when they were last heard of",
    "identity.login_attempt": "found by address before it is known whose it is",
    "identity.signing_key": "the installation's keys",
    "kit.bus_cursor": "how far consumers have read",
    "kit.migration": "Alembic's",
    "kit.process": "the processes of the installation",
    "kit.schema_digest": "what was migrated last",
}
"""Every table without tenant_id, and why it needs none."""

NO_POLICY = {"kit.bus_parked": "events that no consumer could handle; only the bus of the kit and operators read it"}
"""Tables that name a tenant but are not the tenant's."""

NOT_SENSITIVE = {
    "costs.budget.name": "what a tenant calls a budget",
    "identity.api_key.name": "the label that its maker gave a key",
    "identity.api_key.secret_hash": "SHA-256 of 32 random bytes",
    "identity.invitation.secret_hash": "SHA-256 of 32 random bytes",
    "identity.password.hash": "argon2id, which must be verified without the tenant's key",
    "identity.refresh_token.secret_hash": "SHA-256 of 32 random bytes",
    "identity.login_attempt.email_index": "a keyed hash, by which failures are counted",
    "identity.user.email_index": "a keyed hash, by which the sealed address is found",
    "kit.process.address": "host and port of a process of the installation",
    "models.alias.name": "what callers ask a model for",
    "models.connection.name": "what a tenant calls a provider",
    "support.playbook.name": "the name of a dialogue, of letters and digits",
    "tenants.tenant.name": "the name of an organisation, shown to operators in lists",
}
"""Columns whose name or table sounds sensitive, and why they are not."""

SOUNDS_SENSITIVE = "(^|_)(e?mail|name|address|user_agent|phone|password|secret|token|private|birth|ip)(_|$)"


@pytest.fixture(scope="module")
def owner(postgres: PostgresForTests, dsn: str) -> str:
    return postgres.dsn(database_of(dsn))


async def lines(owner: str, sql: str) -> list[str]:
    return [" ".join(str(part) for part in row if part != "") for row in values(await as_owner(owner, sql))]


async def test_every_table_is_a_tenants_or_is_listed_with_its_reason(owner: str) -> None:
    without = await lines(
        owner,
        f"SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ('r', 'p') AND {SERVICE_SCHEMAS} AND NOT EXISTS (SELECT FROM pg_attribute a"
        f" WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') ORDER BY 1",
    )
    assert without == sorted(SHARED)


TENANT_TABLES = f"""
    SELECT n.nspname || '.' || c.relname,
           CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced' ELSE 'NOT FORCED' END,
           (SELECT string_agg(CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, ' and '
                              ORDER BY p.polpermissive DESC)
            FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
              AND p.polroles = ARRAY[to_regrole('steward_' || n.nspname)::oid]
              AND pg_get_expr(p.polqual, c.oid) = pg_get_expr(p.polwithcheck, c.oid)
              AND pg_get_expr(p.polqual, c.oid)
                  = '(tenant_id = (NULLIF(current_setting(''steward.tenant''::text, true), ''''::text))::uuid)')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND {SERVICE_SCHEMAS}
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
    ORDER BY 1"""


async def test_every_tenant_table_forces_both_policies(owner: str) -> None:
    found = await lines(owner, TENANT_TABLES)
    loose = [line for line in found if not line.endswith(" forced permissive and restrictive")]
    assert {line.split()[0] for line in loose} == set(NO_POLICY)
    assert len(found) > 25


async def test_tenant_leads_the_primary_key_of_every_tenant_table(owner: str) -> None:
    others = await lines(
        owner,
        f"SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        f" LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        f" WHERE c.relkind IN ('r', 'p') AND {SERVICE_SCHEMAS} AND (a.attnotnull AND i.indkey[0] = a.attnum)"
        f" IS NOT TRUE ORDER BY 1",
    )
    assert set(others) == set(NO_POLICY)


async def test_no_role_of_the_platform_can_pass_by_the_policies(owner: str) -> None:
    assert (
        await lines(
            owner,
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^steward_' AND (rolsuper OR rolbypassrls OR rolcreaterole"
            " OR rolreplication OR rolinherit)",
        )
        == []
    )


async def test_no_foreign_key_crosses_services(owner: str) -> None:
    assert (
        await lines(
            owner,
            "SELECT k.conname FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid"
            " JOIN pg_class b ON b.oid = k.confrelid WHERE k.contype = 'f' AND a.relnamespace <> b.relnamespace",
        )
        == []
    )


GRANTS = f"""
    SELECT 'grant', n.nspname || '.' || c.relname, '', g.privilege_type, 'to', g.grantee::regrole::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) g
    WHERE c.relkind <> 'i' AND {SERVICE_SCHEMAS} AND g.grantee::regrole::text ~ '^steward_.*_system$'
    UNION ALL
    SELECT 'grant', n.nspname || '.' || c.relname, '(' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')',
           g.privilege_type, 'to', g.grantee::regrole::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
         aclexplode(a.attacl) g
    WHERE g.grantee::regrole::text ~ '^steward_.*_system$'
    GROUP BY n.nspname, c.relname, g.privilege_type, g.grantee
    ORDER BY 2, 4, 6"""

POLICIES = """
    SELECT 'policy', n.nspname || '.' || c.relname, p.polname,
           CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END,
           CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'to', r.rolname,
           'using ' || coalesce(pg_get_expr(p.polqual, c.oid), '-'),
           'check ' || coalesce(pg_get_expr(p.polwithcheck, c.oid), '-')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
         unnest(p.polroles) role LEFT JOIN pg_roles r ON r.oid = role
    WHERE role = 0 OR r.rolname !~ '^steward_' OR r.rolname ~ '_system$'
    ORDER BY 2, 3, 7"""


FUNCTIONS = f"""
    SELECT 'function', p.oid::regprocedure::text, 'as',
           CASE WHEN r.rolname ~ '^steward_' THEN r.rolname ELSE 'the owner of the schema' END,
           'with', array_to_string(p.proconfig, '; '), 'for',
           (SELECT string_agg(CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END, ', ' ORDER BY 1)
            FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g WHERE g.grantee <> p.proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.prosecdef AND {SERVICE_SCHEMAS} ORDER BY 2"""
"""What runs with the rights of another role than the caller's."""


async def test_function_with_other_rights_looks_nothing_up_by_a_path_and_is_not_for_all(owner: str) -> None:
    found = await lines(owner, FUNCTIONS)
    assert len(found) > 1
    assert [line for line in found if "search_path=pg_catalog, pg_temp" not in line or "PUBLIC" in line] == []


PARTITIONS = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relispartition"""
"""Their names have the month in which they were made; that each is under both policies is another test's."""


async def test_what_system_roles_may_do_is_what_was_agreed(owner: str) -> None:
    """Rights across tenants are reviewed: each is a line of the golden file."""
    partitions = set(await lines(owner, PARTITIONS))
    found = "\n".join(
        [
            "# What the system roles may do across tenants, and which tables are under row-level security.",
            *await lines(owner, GRANTS),
            *await lines(owner, POLICIES),
            *await lines(owner, FUNCTIONS),
            *(
                f"tenant table {line}"
                for line in await lines(owner, TENANT_TABLES)
                if line.split()[0] not in partitions
            ),
            "",
        ]
    )
    if os.environ.get(REWRITE):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text(), f"if this is meant, run with {REWRITE}=1 and review the difference"


COLUMNS = f"""
    SELECT n.nspname || '.' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
           coalesce(col_description(c.oid, a.attnum), ''), a.attname ~ '{SOUNDS_SENSITIVE}' OR c.relname = 'password'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {SERVICE_SCHEMAS} ORDER BY 1"""
INNOCENT = ("tenant_id", "user_id", "changed_at", "first_token_ms")


async def test_every_sensitive_column_is_sealed(owner: str) -> None:
    found = values(await as_owner(owner, COLUMNS))
    classed = {name for name, _, comment, _ in found if comment == "sensitive"}
    sealed = {name for name, kind, _, _ in found if kind == "kit.sealed"}
    assert classed == sealed
    assert len(classed) >= 8


async def test_column_that_sounds_sensitive_is_classed_so_or_listed_with_its_reason(owner: str) -> None:
    found = values(await as_owner(owner, COLUMNS))
    doubtful = {
        name for name, _, comment, sounds in found if sounds and comment != "sensitive" and not name.endswith(INNOCENT)
    }
    assert doubtful == set(NOT_SENSITIVE)
