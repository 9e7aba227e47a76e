"""Every query of a service names the tenant whose rows it means.

Row-level security is the wall; this is the second one, and it keeps plans on the primary key that `tenant_id` leads.
Work across tenants lives in classes named `…SystemRepository`, which run under the service's system role. A table is
global only if the service's migrations create it without a column `tenant_id`.
"""

import ast
import re
from collections.abc import Iterator

from lint.queries import TENANT, unscoped_queries
from lint.rules.sql_outside_repository import may_hold_sql
from lint.source import PLACEHOLDER, Finding, Project, Source
from lint.sql import is_sql, starts_as_sql

_SYSTEM_CLASS = "SystemRepository"
_COMMENT = re.compile(r"--[^\n]*")
_CREATE = re.compile(
    r"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.{}\"]+)\s*\(([^;]*)",
    re.IGNORECASE,
)


def check(source: Source) -> Iterator[Finding]:
    if not source.service or not may_hold_sql(source.path) or "/migrations/" in source.path:
        return
    global_tables = _global_tables(source.project, source.service)
    for text in source.texts:
        if not (is_sql(text.value) or starts_as_sql(text.value)) or _runs_as_system(source, text.node):
            continue
        for query in unscoped_queries(text.value, global_tables):
            table = "a table named at run time" if PLACEHOLDER in query.table else query.table
            yield source.find(
                text.node,
                f"{query.verb} on {table} does not name {TENANT}",
                f"add {TENANT} to its conditions or column list, or move it to a …{_SYSTEM_CLASS}",
            )


def _runs_as_system(source: Source, node: ast.AST) -> bool:
    return any(isinstance(at, ast.ClassDef) and at.name.endswith(_SYSTEM_CLASS) for at in source.ancestors(node))


def _global_tables(project: Project, service: str) -> frozenset[str]:
    """The tables of the service that no tenant owns, with and without the name of its schema."""
    folder = f"src/steward/services/{service}/migrations/"
    names: set[str] = set()
    for path, text in project.texts.items():
        if path.startswith(folder):
            for table, columns in _CREATE.findall(_COMMENT.sub("", text)):
                if TENANT not in columns:
                    name = table.replace('"', "").rpartition(".")[2]
                    names |= {name, f"{service}.{name}"}
    return frozenset(names)
