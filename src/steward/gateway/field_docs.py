"""The docstrings under the fields of structs, which Python itself does not keep."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, get_args, get_origin

import msgspec


def field_docs(types: Iterable[Any]) -> Mapping[str, Mapping[str, str]]:
    """For each struct in these types, at any depth, the docstrings of its fields, by class name and field."""
    found: dict[str, Mapping[str, str]] = {}
    todo = list(types)
    seen: set[Any] = set()
    while todo:
        hint = todo.pop()
        todo.extend(get_args(hint))
        cls = get_origin(hint) or hint
        if not isinstance(cls, type) or not issubclass(cls, msgspec.Struct) or cls in seen:
            continue
        seen.add(cls)
        found[cls.__name__] = _of_class(cls)
        todo.extend(field.type for field in msgspec.structs.fields(cls))
    return found


def _of_class(cls: type[msgspec.Struct]) -> Mapping[str, str]:
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            docs.update(_written(base))
    return docs


def _written(cls: type[msgspec.Struct]) -> Mapping[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except OSError:
        # Without sources, as in a frozen distribution, the document is poorer but right.
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for field, after in pairwise(body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = inspect.cleandoc(text)
            case _:
                pass
    return docs
