"""Imports stand at the top of a module.

One inside a function hides a dependency from readers and from import-linter, and is how import cycles are papered
over. Two cases are right: dispatch in `bootstrap/cli`, where a command must not pay for the others, and an optional
extra of `pyproject.toml`, guarded by `try … except ImportError`.
"""

import ast
import re
import tomllib
from collections.abc import Iterator

from lint.source import Finding, Project, Source

_REMEDY = "import at the top of the module; if that makes a cycle, one of the two modules holds too much"
_DYNAMIC = frozenset({"importlib.import_module", "__import__", "importlib.__import__"})
_GUARDS = frozenset({"ImportError", "ModuleNotFoundError"})


def check(source: Source) -> Iterator[Finding]:
    if source.within("src/steward/bootstrap/cli"):
        return
    for node in (*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)):
        if source.function_around(node) and not _is_guarded_extra(source, node):
            yield source.find(node, f"import of {_modules(node)[0]} inside a function", _REMEDY)
    if source.within("src/steward") and not source.within("src/steward/bootstrap"):
        for call in source.nodes(ast.Call):
            if source.dotted(call.func) in _DYNAMIC:
                yield source.find(call, "a module is imported by a name made at run time", _REMEDY)


def _modules(node: ast.Import | ast.ImportFrom) -> tuple[str, ...]:
    if isinstance(node, ast.ImportFrom):
        return ("." * node.level + (node.module or ""),)
    return tuple(alias.name for alias in node.names)


def _is_guarded_extra(source: Source, node: ast.Import | ast.ImportFrom) -> bool:
    around = source.parent(node)
    if not isinstance(around, ast.Try) or node not in around.body:
        return False
    caught = {source.dotted(at) for handler in around.handlers for at in _types(handler)}
    extras = _extras(source.project)
    return bool(caught & _GUARDS) and all(
        _normal(module.split(".")[0]) in extras
        or any(extra.startswith(_normal(module.split(".")[0]) + "-") for extra in extras)
        for module in _modules(node)
    )


def _types(handler: ast.ExceptHandler) -> list[ast.expr]:
    if isinstance(handler.type, ast.Tuple):
        return handler.type.elts
    return [handler.type] if handler.type else []


def _extras(project: Project) -> frozenset[str]:
    """The distributions that optional extras name."""
    optional = (
        tomllib.loads(project.texts.get("pyproject.toml", "")).get("project", {}).get("optional-dependencies", {})
    )
    return frozenset(
        _normal(found.group())
        for wanted in optional.values()
        for line in wanted
        if (found := re.match(r"[\w.-]+", line))
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
