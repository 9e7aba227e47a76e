"""What is written in the source of structs and lost at run time: the docstrings under their fields."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, get_args, get_origin

import msgspec


def structs_in(types: Iterable[Any]) -> Mapping[str, type[msgspec.Struct]]:
    """The structs in these types, at any depth, by class name."""
    found: dict[str, type[msgspec.Struct]] = {}
    todo = list(types)
    while todo:
        hint = todo.pop()
        todo.extend(get_args(hint))
        cls = get_origin(hint) or hint
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct) and cls.__name__ not in found:
            found[cls.__name__] = cls
            todo.extend(field.type for field in msgspec.structs.fields(cls))
    return found


def field_docs(cls: type[msgspec.Struct]) -> Mapping[str, str]:
    """The docstrings of a struct's fields, inherited ones included."""
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
