"""A module holds no state: nothing that outlives a call and can change is made by an import.

State at module level cannot be given a test's value, is shared by tenants and tests, and starts before settings are
read. Collaborators come through `__init__`. Allowed are immutable values, classes whose instances are frozen (known
from the whole project), stateless codecs, and constants annotated with a read-only type (`Mapping`, `Sequence`, …).
`module.py` may make its `Module(…)`, `rpc.py` its `RpcService(…)`.
"""

import ast
from collections.abc import Iterator

from lint.source import Finding, Function, Source, last_name

_REMEDY = (
    "make it in bootstrap and pass it through `__init__`, or annotate a constant as Mapping, Sequence or frozenset"
)
_READ_ONLY = frozenset(
    {
        "Mapping",
        "Sequence",
        "Collection",
        "Iterable",
        "Set",
        "AbstractSet",
        "frozenset",
        "tuple",
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "complex",
        "UUID",
        "datetime",
        "timedelta",
        "Decimal",
        "Path",
        "PurePosixPath",
        "Pattern",
        "Callable",
        "MappingProxyType",
        "TypeAlias",
        "type",
        "Type",
    }
)
_MADE_IMMUTABLE = frozenset(
    {
        "NewType",
        "TypeVar",
        "ParamSpec",
        "TypeVarTuple",
        "TypeAliasType",
        "NamedTuple",
        "namedtuple",
        "TypedDict",
        "StrEnum",
        "IntEnum",
        "Enum",
        "Flag",
        "IntFlag",
        "compile",
        "frozenset",
        "tuple",
        "MappingProxyType",
        "Encoder",
        "Decoder",
        "Struct",
        "Raw",
        "timedelta",
        "timezone",
        "ZoneInfo",
        "date",
        "datetime",
        "Decimal",
        "Fraction",
        "UUID",
        "Path",
        "PurePath",
        "PurePosixPath",
        "Meta",
        "ContextVar",
        "object",
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "len",
        "min",
        "max",
        "sum",
        "abs",
        "round",
        "ord",
        "chr",
        "pow",
        "range",
        "slice",
        "repr",
        "ip_network",
        "ip_address",
        "IPv4Network",
        "IPv6Network",
        "IPv4Address",
        "IPv6Address",
        "attrgetter",
        "itemgetter",
        "methodcaller",
        "partial",
        "files",
        "defstruct",
        "version",
    }
)
_PURE_METHODS = frozenset(
    {
        "encode",
        "decode",
        "strip",
        "lstrip",
        "rstrip",
        "lower",
        "upper",
        "format",
        "join",
        "hex",
        "fromhex",
        "from_bytes",
        "to_bytes",
        "removeprefix",
        "removesuffix",
        "replace",
        "translate",
        "union",
        "intersection",
        "difference",
        "total_seconds",
        "bit_length",
        "resolve",
        "absolute",
        "joinpath",
        "with_suffix",
        "with_name",
        "as_posix",
        "fromtimestamp",
        "astimezone",
        "fromisoformat",
        "combine",
        "urlsplit",
    }
)
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_MADE_IN = frozenset({("Module", "module.py"), ("RpcService", "rpc.py")})
# Typer gathers commands by decorators on an object of the module; one folder is dispatch and nothing else.
_COMMANDS = "src/steward/bootstrap/cli/commands"
_CACHES = frozenset({"functools.cache", "functools.lru_cache"})


def check(source: Source) -> Iterator[Finding]:
    # The peers of a benchmark are written as their own frameworks want it.
    if not source.within("src/steward", "lint", "bench") or source.within("lint/tests", "bench/peers"):
        return
    for statement in _module_level(source.tree.body):
        yield from _check_statement(source, statement)
    for node in source.nodes(ast.Global):
        yield source.find(
            node, f"global {', '.join(node.names)}", "keep it in an object that is passed to whoever needs it"
        )
    for function in source.functions:
        yield from _check_cache(source, function)


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.For):
            for part in ("body", "orelse", "finalbody"):
                yield from _module_level(getattr(statement, part, []))


def _check_statement(source: Source, statement: ast.stmt) -> Iterator[Finding]:
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return
    if isinstance(statement, ast.AnnAssign) and _is_read_only(source, statement.annotation):
        return
    name = ast.unparse(targets[0])
    if any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets):
        yield source.find(statement, f"{name} is changed by an import", _REMEDY)
    elif name != "__all__" and (culprit := _mutable(source, value)):
        yield source.find(statement, f"{name} holds {culprit} at module level", _REMEDY)


def _is_read_only(source: Source, annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.BinOp):
        return _is_read_only(source, annotation.left) and _is_read_only(source, annotation.right)
    name = last_name(source.dotted(annotation))
    if isinstance(annotation, ast.Subscript) and name in {"Final", "Annotated", "ClassVar"}:
        inner = annotation.slice
        return _is_read_only(source, inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
    return name in _READ_ONLY or (isinstance(annotation, ast.Constant) and annotation.value is None)


def _mutable(source: Source, value: ast.expr) -> str:
    """What in a value can change, in words, or nothing."""
    if isinstance(value, _DISPLAYS):
        return "a mutable collection"
    if isinstance(value, ast.Call):
        return "" if _makes_immutable(source, value) else f"the result of {source.dotted(value.func) or 'a call'}()"
    parts: list[ast.expr] = []
    if isinstance(value, ast.Tuple):
        parts = value.elts
    elif isinstance(value, ast.IfExp):
        parts = [value.body, value.orelse]
    elif isinstance(value, ast.BoolOp):
        parts = value.values
    return next((culprit for part in parts if (culprit := _mutable(source, part))), "")


def _makes_immutable(source: Source, call: ast.Call) -> bool:
    made = source.dotted(call.func)
    if made == "bytes.maketrans" or (isinstance(call.func, ast.Attribute) and call.func.attr in _PURE_METHODS):
        return True
    name = last_name(made)
    if name == "cast" and len(call.args) == 2:  # noqa: PLR2004 typing.cast takes a type and a value
        return not _mutable(source, call.args[1])
    if name == "Typer" and source.within(_COMMANDS):
        return True
    return name in _MADE_IMMUTABLE or name in source.frozen_classes or (name, source.name) in _MADE_IN


def _check_cache(source: Source, function: Function) -> Iterator[Finding]:
    if not any(_is_cache(source, decorator) for decorator in function.decorator_list):
        return
    signature = function.args
    arguments = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs]
    if isinstance(source.parent(function), ast.ClassDef):
        yield source.find(function, f"{function.name} caches on a method", "keep a bounded kit.cache in the instance")
    elif any(each.arg == "ctx" or _is_ctx(source, each.annotation) for each in arguments):
        yield source.find(
            function, f"{function.name} caches by the context of a call", "use kit.cache, keyed by tenant"
        )


def _is_cache(source: Source, decorator: ast.expr) -> bool:
    return source.dotted(decorator.func if isinstance(decorator, ast.Call) else decorator) in _CACHES


def _is_ctx(source: Source, annotation: ast.expr | None) -> bool:
    return annotation is not None and last_name(source.dotted(annotation)) in {"Ctx", "SystemCtx"}
