"""`assert` never judges input: it is stripped by `python -O` and answers 500 where the caller deserves a clear 4xx.

None at all in a service's `http.py` and in the gateway; elsewhere none whose condition reads a parameter of the
function. An assertion about what the function itself computed, for the type checker, is fine.
"""

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Function, Source

_EDGE = re.compile(r"src/steward/(?:gateway/|services/[^/]+/http(?:\.py|/))")
_REMEDY = "raise an AppError that names the field, the value and what to do, or let the type say it"


def check(source: Source) -> Iterator[Finding]:
    if not source.within("src/steward"):
        return
    for node in source.nodes(ast.Assert):
        if _EDGE.match(source.path):
            yield source.find(node, "assert at the edge", _REMEDY)
        elif parameter := _judged_parameter(source, node):
            yield source.find(node, f"assert on the parameter {parameter!r}", _REMEDY)


def _judged_parameter(source: Source, node: ast.Assert) -> str:
    function = source.function_around(node)
    names = _parameters(function) if function else frozenset[str]()
    read = (at.id for at in ast.walk(node.test) if isinstance(at, ast.Name))
    return next((name for name in read if name in names), "")


def _parameters(function: Function) -> frozenset[str]:
    signature = function.args
    everything = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs, signature.vararg, signature.kwarg]
    return frozenset(each.arg for each in everything if each) - {"self", "cls"}
