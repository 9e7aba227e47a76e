"""The material rules read: a project of texts, and Python sources that are parsed and walked once for all rules."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple, TypeVar, cast

from lint.frozen import ClassShape, class_shapes, frozen_classes, new_types

N = TypeVar("N", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef

PLACEHOLDER = "{}"
"""Stands in a folded text for each part that is only known at run time."""


class Finding(NamedTuple):
    """A place that breaks a rule, and what to do instead."""

    path: str
    line: int
    message: str
    remedy: str


class Text(NamedTuple):
    """A string of the code, with concatenations and f-strings folded into one; never a docstring."""

    node: ast.expr
    value: str


class Source:
    """One Python file: its text, tree, and indexes of the tree that rules share."""

    def __init__(self, path: str, text: str, project: "Project") -> None:
        self.path = path
        self.text = text
        self.project = project
        self.tree = ast.parse(text, path)
        self._by_type: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self._parents: dict[ast.AST, ast.AST] = {}
        self._index()

    def _index(self) -> None:
        todo: list[ast.AST] = [self.tree]
        while todo:
            node = todo.pop()
            self._by_type[type(node)].append(node)
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
                todo.append(child)

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def service(self) -> str:
        """The service whose folder the file lies in, or nothing."""
        parts = self.path.split("/")
        return parts[3] if parts[:3] == ["src", "steward", "services"] and len(parts) > 4 else ""  # noqa: PLR2004 the depth of a file in a service's folder

    def within(self, *folders: str) -> bool:
        """Whether the file is one of these, or lies below one of these."""
        return any(self.path == folder or self.path.startswith(folder + "/") for folder in folders)

    def find(self, node: ast.AST | int, message: str, remedy: str) -> Finding:
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Finding(self.path, line, message, remedy)

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type."""
        return cast("list[N]", self._by_type[kind])

    @property
    def functions(self) -> list[Function]:
        return [*self.nodes(ast.FunctionDef), *self.nodes(ast.AsyncFunctionDef)]

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        at = self._parents.get(node)
        while at is not None:
            yield at
            at = self._parents.get(at)

    def function_around(self, node: ast.AST) -> Function | None:
        return next((at for at in self.ancestors(node) if isinstance(at, Function)), None)

    @cached_property
    def imported(self) -> Mapping[str, str]:
        """What each imported name stands for, in full: `{"now": "time.monotonic"}`."""
        names: dict[str, str] = {}
        for node in self.nodes(ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        for origin in self.nodes(ast.ImportFrom):
            for alias in origin.names:
                names[alias.asname or alias.name] = f"{'.' * origin.level}{origin.module or ''}.{alias.name}"
        return names

    def dotted(self, node: ast.AST) -> str:
        """The full name an expression refers to, imports resolved; calls in it are shown as `()`."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.dotted(node.value)}.{node.attr}"
        if isinstance(node, ast.Call):
            return f"{self.dotted(node.func)}()"
        if isinstance(node, ast.Subscript):
            return self.dotted(node.value)
        return ""

    @cached_property
    def frozen_classes(self) -> frozenset[str]:
        """The classes, as this file names them, whose instances never change: its own go before the project's."""
        own = class_shapes(self.nodes(ast.ClassDef))
        others = self.project.frozen_classes - {shape.name for shape in own}
        return others | frozen_classes(own, known=others)

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """The strings of the code, docstrings left out."""
        return tuple(
            Text(node, folded(node, self._constants))
            for node in (*self.nodes(ast.Constant), *self.nodes(ast.JoinedStr), *self.nodes(ast.BinOp))
            if _has_text(node) and not self._is_part_or_docstring(node)
        )

    @cached_property
    def _constants(self) -> Mapping[str, str]:
        """The texts that the module gives names to, so that `f"SELECT {_COLUMNS} …"` is read as it runs."""
        return {
            target.id: folded(node.value)
            for node in self.tree.body
            if isinstance(node, ast.Assign) and _has_text(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def _is_part_or_docstring(self, node: ast.AST) -> bool:
        around = self.parent(node)
        return isinstance(around, ast.Expr | ast.JoinedStr | ast.FormattedValue) or (
            isinstance(around, ast.BinOp) and isinstance(around.op, ast.Add)
        )


class Project:
    """The files of the project by path, relative to its root and with forward slashes."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

        self._sources: dict[str, Source] = {}

    def source(self, path: str) -> Source:
        """The file, parsed once; raises SyntaxError."""
        if path not in self._sources:
            self._sources[path] = Source(path, self.texts[path], self)
        return self._sources[path]

    @cached_property
    def frozen_classes(self) -> frozenset[str]:
        """The project's classes whose instances never change."""
        return frozen_classes(shape for path in self.texts if path.startswith("src/") for shape in self._shapes(path))

    def _shapes(self, path: str) -> tuple[ClassShape, ...]:
        if not path.endswith(".py") or path.startswith("src/steward_proto/"):
            return ()
        try:
            source = self.source(path)
        except SyntaxError:  # reported where the file itself is checked
            return ()
        return class_shapes(source.nodes(ast.ClassDef)) + new_types(source.nodes(ast.Assign))

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, directly or deeper."""
        return frozenset(str(folder) for path in self.texts for folder in PurePosixPath(path).parents)


def folded(node: ast.expr, constants: Mapping[str, str] = MappingProxyType({})) -> str:
    """The text of a string expression, with a placeholder for what only run time knows.

    `constants` are texts by the name the module gives them.
    """
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else PLACEHOLDER
    if isinstance(node, ast.Name):
        return constants.get(node.id, PLACEHOLDER)
    if isinstance(node, ast.FormattedValue):
        return folded(node.value, constants) if isinstance(node.value, ast.Name) else PLACEHOLDER
    if isinstance(node, ast.JoinedStr):
        return "".join(folded(part, constants) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return folded(node.left, constants) + folded(node.right, constants)
    return PLACEHOLDER


def last_name(dotted: str) -> str:
    """`json.Decoder` → `Decoder`."""
    return dotted.rpartition(".")[2]


def _has_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and (_has_text(node.left) or _has_text(node.right))
    return isinstance(node, ast.JoinedStr)
