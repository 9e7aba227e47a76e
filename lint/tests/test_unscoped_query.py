"""The rule `unscoped-query` and the reading of SQL below it."""

import pytest

from lint.queries import unscoped_queries
from lint.rules.unscoped_query import check
from lint.source import Project
from lint.tests.samples import lines_found, marked

REPOSITORY = "src/steward/services/tenants/repository.py"
MIGRATIONS = {
    "src/steward/services/tenants/migrations/tenants_0001.py": '''
        run_sql("""
            CREATE TABLE tenants.tenant (tenant_id uuid PRIMARY KEY, slug text);
            -- One row for the installation; tenant_id has no place here.
            CREATE TABLE tenants.plan (name text PRIMARY KEY);
            CREATE INDEX tenant_slug ON tenants.tenant (slug, tenant_id);
        """)
    '''
}

BAD = """
_COLUMNS = "slug, name"
_BASE = "SELECT tenant_id FROM tenants.tenant"  # bad


class TenantsRepository:
    async def all(self, tx, table, tenant_id):
        await tx.fetch("SELECT slug FROM tenants.tenant WHERE slug = $1")  # bad
        await tx.fetch(f"SELECT tenant_id FROM {table}")  # bad
        await tx.execute(f"INSERT INTO tenants.tenant ({_COLUMNS}) VALUES ($1, $2)")  # bad
"""

GOOD = """
_COLUMNS = "tenant_id, slug"


class TenantsRepository:
    async def some(self, tx, tenant_id):
        await tx.fetch(f"SELECT {_COLUMNS} FROM tenants.tenant WHERE tenant_id = $1")
        await tx.execute(f"INSERT INTO tenants.tenant ({_COLUMNS}) VALUES ($1, $2)")
        await tx.fetch("SELECT name FROM tenants.plan")


class TenantsSystemRepository:
    async def all(self, tx):
        return await tx.fetch("SELECT tenant_id FROM tenants.tenant ORDER BY tenant_id")
"""


def test_queries_without_the_tenant_are_found() -> None:
    assert lines_found(check, BAD, REPOSITORY, MIGRATIONS) == marked(BAD)


def test_scoped_global_and_system_queries_pass() -> None:
    assert lines_found(check, GOOD, REPOSITORY, MIGRATIONS) == []


@pytest.mark.parametrize(
    "path",
    [
        "src/steward/services/tenants/service.py",
        "src/steward/services/tenants/migrations/tenants_0002.py",
        "src/steward/kit/bus/repository.py",
        "tests/services/tenants/repository.py",
    ],
)
def test_only_repositories_of_services_are_looked_at(path: str) -> None:
    assert lines_found(check, BAD, path, MIGRATIONS) == []


def test_small_letters_and_tables_named_at_run_time_are_read() -> None:
    assert lines_found(check, 'SQL = "select a from tenants.tenant where a = $1"', REPOSITORY, MIGRATIONS) == [1]
    project = Project({REPOSITORY: 'SQL = f"DELETE FROM {table}"'})
    (finding,) = check(project.source(REPOSITORY))
    assert finding.message == "DELETE on a table named at run time does not name tenant_id"


def test_a_table_unknown_to_the_migrations_is_a_tenants_table() -> None:
    assert lines_found(check, 'SQL = "SELECT a FROM elsewhere"', REPOSITORY) == [1]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT tenant_id FROM t", [("SELECT", "t")]),
        ("SELECT a FROM t ORDER BY tenant_id", [("SELECT", "t")]),
        ("SELECT DISTINCT ON (tenant_id) a FROM t", [("SELECT", "t")]),
        ("SELECT a FROM t WHERE note = 'tenant_id = 1'", [("SELECT", "t")]),
        ("SELECT a FROM t -- tenant_id\nWHERE a = 1", [("SELECT", "t")]),
        ("SELECT a FROM t WHERE tenant_id = $1 UNION SELECT b FROM u", [("SELECT", "u")]),
        ("SELECT a FROM t WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM u WHERE u.a = t.a)", [("SELECT", "u")]),
        ("SELECT a FROM (SELECT a FROM t) x", [("SELECT", "t")]),
        ("WITH c AS (SELECT a FROM t) SELECT a FROM c", [("SELECT", "t")]),
        ("UPDATE t SET tenant_id = $1 WHERE a = $2", [("UPDATE", "t")]),
        ("DELETE FROM t WHERE a = $1 RETURNING tenant_id", [("DELETE", "t")]),
        ("INSERT INTO t VALUES ($1)", [("INSERT", "t")]),
        ("INSERT INTO t (tenant_id, a) SELECT $1, a FROM u", [("SELECT", "u")]),
        ("INSERT INTO t (a) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING", [("INSERT", "t")]),
        ("DELETE FROM t; SELECT 1 WHERE tenant_id = 1", [("DELETE", "t")]),
        ("SELECT a FROM f($1), t", [("SELECT", "t")]),
        ("SELECT a FROM LATERAL f($1), ONLY t", [("SELECT", "t")]),
        ("INSERT INTO t (tenant_id) SELECT a FROM u ON CONFLICT (tenant_id) DO NOTHING", [("SELECT", "u")]),
        ("SELECT a FROM t WHERE a IN (SELECT a FROM u WHERE tenant_id = $1) LIMIT 1", [("SELECT", "t")]),
        ("INSERT INTO t (a) VALUES ((SELECT a FROM u WHERE tenant_id = $1), $2)", [("INSERT", "t")]),
    ],
)
def test_each_query_answers_for_its_own_tables(sql: str, expected: list[tuple[str, str]]) -> None:
    assert list(unscoped_queries(sql, frozenset())) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t WHERE t.tenant_id = $1 FOR UPDATE SKIP LOCKED",
        "SELECT a FROM t JOIN u USING (tenant_id, id)",
        "SELECT a FROM t JOIN u ON u.tenant_id = t.tenant_id AND u.id = t.id",
        "SELECT a FROM t WHERE (tenant_id, id) IN (($1, $2))",
        "SELECT pg_advisory_xact_lock($1)",
        "SELECT a FROM unnest($1::uuid[]) AS given (a)",
        "SELECT EXTRACT(EPOCH FROM at) FROM t WHERE tenant_id = $1 AND a IS DISTINCT FROM $2",
        "WITH c AS (SELECT a FROM t WHERE tenant_id = $1), d (x) AS (SELECT 1) SELECT a FROM c, d",
        "INSERT INTO t (tenant_id, a) VALUES ($1, $2) ON CONFLICT (tenant_id, a) DO UPDATE SET b = 1 RETURNING a",
        "INSERT INTO t AS x (tenant_id, a) SELECT $1, b FROM unnest($2::int[]) AS b",
        "UPDATE t SET a = 1 FROM u WHERE t.tenant_id = $1 AND u.tenant_id = $1",
        "MERGE INTO t USING u ON t.tenant_id = u.tenant_id WHEN MATCHED THEN UPDATE SET a = 1",
    ],
)
def test_scoped_statements_pass(sql: str) -> None:
    assert list(unscoped_queries(sql, frozenset())) == []
