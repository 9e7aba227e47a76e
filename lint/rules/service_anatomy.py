"""Every service has the same anatomy, so that who knows one knows them all.

Each folder of `services/` holds the files of the design; its docstring gives purpose, invariants and pitfalls. In
`api.py` nothing is `Any`, all structs are frozen, and every method of a Protocol is asynchronous, documented, takes
`ctx` first and the rest by keyword.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Function, Project, Source, last_name

_ROOT = "src/steward/services"
_FILES = ("api", "service", "repository", "http", "rpc", "errors", "events", "module")
_SECTIONS = ("invariants", "pitfalls")


def check(source: Source) -> Iterator[Finding]:
    if source.path == f"{_ROOT}/__init__.py":
        yield from _check_folders(source)
    elif source.service and source.path == f"{_ROOT}/{source.service}/__init__.py":
        yield from _check_docstring(source)
    elif source.service and source.path == f"{_ROOT}/{source.service}/api.py":
        yield from _check_any(source)
        yield from _check_structs(source)
        yield from _check_protocols(source)


def _check_folders(source: Source) -> Iterator[Finding]:
    depth = _ROOT.count("/") + 1
    for folder in sorted(source.project.folders):
        if not folder.startswith(_ROOT + "/") or folder.count("/") != depth:
            continue
        if f"{folder}/__init__.py" not in source.project.texts:
            yield Finding(folder, 1, "no __init__.py", "add one whose docstring gives purpose, invariants and pitfalls")
        for name in _FILES:
            if not _has_part(source.project, folder, name):
                yield Finding(folder, 1, f"no {name}.py", "see the table of a service's folder in ARCHITECTURE.md")
        if f"{folder}/migrations" not in source.project.folders:
            yield Finding(folder, 1, "no migrations/", "add the service's Alembic branch")


def _has_part(project: Project, folder: str, name: str) -> bool:
    """Whether a service has a part: a file, a folder of that name, or for SQL a file in the folder of a use case."""
    if f"{folder}/{name}.py" in project.texts or f"{folder}/{name}" in project.folders:
        return True
    return name == "repository" and any(
        path.startswith(f"{folder}/") and path.endswith("/repository.py") for path in project.texts
    )


def _check_docstring(source: Source) -> Iterator[Finding]:
    text = (ast.get_docstring(source.tree) or "").lower()
    missing = [section for section in _SECTIONS if section not in text]
    if missing:
        yield source.find(
            1, f"the service's docstring says nothing of {' and '.join(missing)}", "add what must hold, and what bites"
        )


def _check_any(source: Source) -> Iterator[Finding]:
    for node in (*source.nodes(ast.Name), *source.nodes(ast.Attribute)):
        if source.dotted(node) == "typing.Any":
            yield source.find(node, "Any in a contract", "give the type; `msgspec.Raw` for JSON that passes through")


def _check_structs(source: Source) -> Iterator[Finding]:
    for node in source.nodes(ast.ClassDef):
        is_struct = any(last_name(source.dotted(base)) == "Struct" for base in node.bases)
        if is_struct and node.name not in source.frozen_classes:
            yield source.find(node, f"struct {node.name} is not frozen", "add frozen=True")


def _check_protocols(source: Source) -> Iterator[Finding]:
    for node in source.nodes(ast.ClassDef):
        if any(last_name(source.dotted(base)) == "Protocol" for base in node.bases):
            for method in node.body:
                if isinstance(method, Function):
                    yield from _check_method(source, method)


def _check_method(source: Source, method: Function) -> Iterator[Finding]:
    signature = method.args
    positional = [*signature.posonlyargs, *signature.args]
    has_ctx = len(positional) > 1 and positional[1].arg == "ctx"
    if not has_ctx:
        yield source.find(method, f"{method.name} does not take ctx first", "make it `(self, ctx: Ctx, *, …)`")
    if len(positional) > 1 + has_ctx or signature.vararg or signature.kwarg:
        yield source.find(method, f"{method.name} takes more than ctx by position", "put `*` after ctx")
    if not isinstance(method, ast.AsyncFunctionDef) and not _is_stream(source, method):
        yield source.find(
            method, f"{method.name} is not asynchronous", "make it `async def`, or return an AsyncIterator"
        )
    if ast.get_docstring(method) is None:
        yield source.find(method, f"{method.name} has no docstring", "give meaning, units, errors and permission")


def _is_stream(source: Source, method: Function) -> bool:
    return method.returns is not None and last_name(source.dotted(method.returns)) in {"AsyncIterator", "AsyncIterable"}
