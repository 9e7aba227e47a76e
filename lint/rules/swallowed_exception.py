"""Whoever catches everything passes it on or logs it: a defect must never vanish.

An `except` of `Exception`, `BaseException` or of all must raise, log the exception with its traceback or its value, or
hand the exception itself to other code (a future, an observer, a failure that is returned); looking at it (`str`,
`isinstance`, …) is not handing it on. `contextlib.suppress` of such a class has no right form.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Source

_BROAD = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "aerror", "awarning"})
_WITH_TRACEBACK = frozenset({"exception", "aexception"})
_LOOKS_ONLY = frozenset(
    {"str", "repr", "print", "isinstance", "issubclass", "type", "format", "id", "hash", "bool", "getattr", "hasattr"}
)
_REMEDY = "catch the class you can act on, or re-raise, or log it with `.exception(…)`"


def check(source: Source) -> Iterator[Finding]:
    for handler in source.nodes(ast.ExceptHandler):
        if _is_broad(source, handler) and not any(_passes_on(source, at, handler.name) for at in _own_nodes(handler)):
            yield source.find(handler, "an exception of any class is swallowed here", _REMEDY)
    for call in source.nodes(ast.Call):
        if source.dotted(call.func) == "contextlib.suppress" and any(source.dotted(at) in _BROAD for at in call.args):
            yield source.find(call, "contextlib.suppress of every exception", "name the class that may be ignored")


def _is_broad(source: Source, handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(source.dotted(at) in _BROAD for at in types)


def _own_nodes(handler: ast.ExceptHandler) -> Iterator[ast.AST]:
    """The nodes that run when the handler runs: those of functions made in it are left out."""
    todo: list[ast.AST] = list(handler.body)
    while todo:
        node = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def _passes_on(source: Source, node: ast.AST, caught: str | None) -> bool:
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and "log" in source.dotted(node.func.value).lower():
        return node.func.attr in _WITH_TRACEBACK or (node.func.attr in _LEVELS and _tells_cause(node, caught))
    return source.dotted(node.func) not in _LOOKS_ONLY and any(_is_caught(given, caught) for given in _given(node))


def _tells_cause(call: ast.Call, caught: str | None) -> bool:
    return any(keyword.arg == "exc_info" for keyword in call.keywords) or any(
        _is_caught(at, caught) for given in _given(call) for at in ast.walk(given)
    )


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _is_caught(node: ast.AST, caught: str | None) -> bool:
    return isinstance(node, ast.Name) and node.id == caught
