"""Transactions begin and end in `kit/db` only.

A commit elsewhere would drop what `tx.emit` and `tx.audit` have buffered, lose the role and the tenant of the
transaction, or leave one open during a call to the outside.
"""

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Source, folded
from lint.sql import RUN_METHODS

_REMEDY = "use `async with self._db.tx(ctx) as tx`, which commits at its end and rolls back on an exception"
_METHODS = frozenset({"transaction", "commit", "rollback", "savepoint", "begin", "begin_nested"})
"""Of these, all but `transaction` count only without positional arguments: those of a transaction take none."""
_WORDS = r"BEGIN|COMMIT|ROLLBACK|ABORT|START\s+TRANSACTION|PREPARE\s+TRANSACTION|SAVEPOINT\s+\w+|RELEASE\s+SAVEPOINT"
_STATEMENT = re.compile(
    rf"(?:^|;)\s*(?:{_WORDS})\b(?:\s+(?:WORK|TRANSACTION|READ|ISOLATION|TO|PREPARED)\b[^;]*)?\s*(?:;|$)"
)
_RUN_STATEMENT = re.compile(_STATEMENT.pattern, re.IGNORECASE)


def check(source: Source) -> Iterator[Finding]:
    if not source.within("src/steward") or source.within("src/steward/kit/db"):
        return
    for call in source.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute):
            yield from _check_call(source, call, call.func.attr)
    for text in source.texts:
        if _STATEMENT.search(text.value):
            yield source.find(text.node, f"transaction statement {text.value.strip()[:40]!r} outside kit/db", _REMEDY)


def _check_call(source: Source, call: ast.Call, method: str) -> Iterator[Finding]:
    if method in _METHODS and (method == "transaction" or not call.args):
        yield source.find(call, f".{method}() outside kit/db", _REMEDY)
    elif method in RUN_METHODS and call.args:
        text = folded(call.args[0])
        if _RUN_STATEMENT.search(text) and not _STATEMENT.search(text):
            yield source.find(call, f"transaction statement {text.strip()[:40]!r} outside kit/db", _REMEDY)
