"""Which types of the project have values that never change: frozen structs and dataclasses, enums, tuples, ids."""

import ast
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

_FROZEN_BASES = frozenset({"NamedTuple", "Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"})


class ClassShape(NamedTuple):
    """What a definition says of its instances."""

    name: str
    bases: frozenset[str]
    says_frozen: bool


def class_shapes(nodes: Iterable[ast.ClassDef]) -> tuple[ClassShape, ...]:
    return tuple(ClassShape(node.name, frozenset(map(_base, node.bases)), _says_frozen(node)) for node in nodes)


def new_types(nodes: Iterable[ast.Assign]) -> tuple[ClassShape, ...]:
    """`TenantId = NewType("TenantId", UUID)`: what it makes is the value it is given."""
    return tuple(
        ClassShape(target.id, frozenset(), says_frozen=True)
        for node in nodes
        if isinstance(node.value, ast.Call) and _base(node.value.func) == "NewType"
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def frozen_classes(found: Iterable[ClassShape], known: AbstractSet[str] = frozenset()) -> frozenset[str]:
    """Names of which every definition is frozen, by its own word or by a base; names are taken without modules.

    `known` are names that are frozen already, of other modules.
    """
    by_name: dict[str, list[ClassShape]] = {}
    for shape in found:
        by_name.setdefault(shape.name, []).append(shape)
    frozen: frozenset[str] = frozenset()
    while (grown := _step(by_name, known | frozen)) != frozen:
        frozen = grown
    return frozen


def _step(by_name: Mapping[str, list[ClassShape]], frozen: AbstractSet[str]) -> frozenset[str]:
    known = _FROZEN_BASES | frozen
    return frozenset(
        name for name, same in by_name.items() if all(shape.says_frozen or shape.bases & known for shape in same)
    )


def _base(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _base(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _says_frozen(node: ast.ClassDef) -> bool:
    calls = [at for at in node.decorator_list if isinstance(at, ast.Call)]
    return any(
        keyword.arg == "frozen" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in (*node.keywords, *(given for call in calls for given in call.keywords))
    )
