"""SQL stands in repositories only: what a service asks of the database is read, and reviewed, in one file.

Allowed places: a module `repository.py` (or modules of a package `repository/`), `kit/db`, migrations,
`bootstrap/embedded` (it makes the server and its roles) and `kit/testing`. Tests and benchmarks are not looked at.
"""

import ast
from collections.abc import Iterator

from lint.source import PLACEHOLDER, Finding, Source, folded
from lint.sql import RUN_METHODS, is_sql, starts_as_sql

_REMEDY = "move the statement into a method of the service's repository.py"
_EXEMPT = ("src/steward/kit/db", "src/steward/bootstrap/embedded", "src/steward/kit/testing")


def check(source: Source) -> Iterator[Finding]:
    if not source.within("src/steward") or source.within(*_EXEMPT) or may_hold_sql(source.path):
        return
    for text in source.texts:
        if is_sql(text.value) or (_is_run(source, text.node) and starts_as_sql(text.value)):
            yield source.find(text.node, f"SQL outside a repository: {_shown(text.value)!r}", _REMEDY)
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "join" and call.args:
            yield from _check_joined(source, call)


def may_hold_sql(path: str) -> bool:
    *folders, name = path.split("/")
    return name == "repository.py" or "repository" in folders or "migrations" in folders


def _is_run(source: Source, node: ast.expr) -> bool:
    """Whether the string is the statement of a call that runs SQL."""
    call = source.parent(node)
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in RUN_METHODS
        and call.args[:1] == [node]
    )


def _check_joined(source: Source, call: ast.Call) -> Iterator[Finding]:
    """`" ".join(["SELECT", …])`: pieces of SQL put together at run time."""
    pieces = call.args[0]
    if isinstance(pieces, ast.List | ast.Tuple):
        text = " ".join(folded(piece) for piece in pieces.elts)
        if is_sql(text) and not any(is_sql(folded(piece)) for piece in pieces.elts):
            yield source.find(call, f"SQL outside a repository: {_shown(text)!r}", _REMEDY)


def _shown(text: str) -> str:
    return " ".join(text.replace(PLACEHOLDER, "…").split())[:60]
