"""Settings: one frozen struct per part, filled from environment variables, with errors that a person can act on."""

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import Meta

from steward.kit.audit import MASK

S = TypeVar("S", bound=msgspec.Struct)

OWN_PREFIX = "STEWARD_"
FILE_SUFFIX = "_FILE"

_KINDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "`true` or `false`",
    Path: "a path",
}
_WORDS: Mapping[str, str] = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Problem(msgspec.Struct, frozen=True):
    """One variable that cannot be used: what is wrong with it and what to do."""

    variable: str
    message: str


class SettingsError(Exception):
    """Variables that keep the program from starting, all of them at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.message for problem in problems))
        self.problems = problems


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the documentation shows it."""

    name: str
    type: str
    """What a value may be, in words."""
    default: str | None
    """The text that means the same as leaving it out; None where there is none."""
    required: bool
    description: str
    sensitive: bool
    """Its value is masked, and `<name>_FILE` may name a file that holds it."""


class _Setting(NamedTuple):
    field: msgspec.structs.FieldInfo
    variable: Variable
    is_list: bool


def load(cls: type[S], env: Mapping[str, str], prefix: str) -> S:
    """Fill `cls` from `env`: the field `port` under the prefix `STEWARD_` comes from `STEWARD_PORT`.

    `Meta(extra={"variable": …})` gives a field another name, `Meta(extra={"sensitive": True})` masks its value and lets
    `<name>_FILE` name a file to read it from. An empty variable counts as absent, lists are separated by commas.
    Raises `SettingsError` with every problem found.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for setting in _settings(cls, prefix):
        try:
            text = _text(setting.variable, env)
            if text is not None:
                values[setting.field.name] = _decode(setting, text)
        except SettingsError as error:
            problems.extend(error.problems)
    if problems:
        raise SettingsError(problems)
    return cls(**values)


def describe(cls: type[msgspec.Struct], prefix: str) -> Sequence[Variable]:
    """The variables that `load` reads for `cls`, in the order of its fields."""
    return [setting.variable for setting in _settings(cls, prefix)]


def unknown_variables(env: Mapping[str, str], declared: Iterable[Variable]) -> Sequence[Problem]:
    """Variables of ours (`STEWARD_…`) that no setting reads, each with the nearest name that one does."""
    known: set[str] = set()
    for variable in declared:
        known.add(variable.name)
        if variable.sensitive:
            known.add(variable.name + FILE_SUFFIX)
    strangers = sorted(name for name in env if name.startswith(OWN_PREFIX) and name not in known)
    return [Problem(name, _stranger(name, known)) for name in strangers]


def _stranger(name: str, known: Iterable[str]) -> str:
    endings = sorted(other.removeprefix(OWN_PREFIX) for other in known if other.startswith(OWN_PREFIX))
    near = difflib.get_close_matches(name.removeprefix(OWN_PREFIX), endings, n=1)
    remedy = f"did you mean {OWN_PREFIX}{near[0]}?" if near else "docs/reference/configuration.md lists what there is."
    return f"{name} is set but nothing reads it: {remedy}"


def _settings(cls: type[msgspec.Struct], prefix: str) -> Sequence[_Setting]:
    return [_setting(field, prefix) for field in msgspec.structs.fields(cls)]


def _setting(field: msgspec.structs.FieldInfo, prefix: str) -> _Setting:
    plain, metas = _unwrap(field.type)
    extra: dict[str, Any] = {}
    for meta in metas:
        extra |= meta.extra or {}
    is_list = get_origin(plain) in {list, tuple, Sequence}
    variable = Variable(
        name=str(extra.get("variable", prefix + field.name.upper())),
        type=_words(plain, metas),
        default=_default(field),
        required=field.required,
        description=next((meta.description for meta in metas if meta.description), ""),
        sensitive=bool(extra.get("sensitive")),
    )
    return _Setting(field, variable, is_list)


def _unwrap(hint: Any) -> tuple[Any, Sequence[Meta]]:
    """The bare type below `Annotated` and `| None`, and the metadata met on the way."""
    metas: list[Meta] = []
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *annotations = get_args(hint)
            metas.extend(item for item in annotations if isinstance(item, Meta))
        elif origin in {Union, types.UnionType}:
            choices = [choice for choice in get_args(hint) if choice is not types.NoneType]
            if len(choices) != 1:
                raise TypeError(f"a setting may be one type or absent, not {hint}")
            hint = choices[0]
        else:
            return hint, metas


def _words(plain: Any, metas: Sequence[Meta]) -> str:
    if get_origin(plain) is not None:
        inner, inner_metas = _unwrap(get_args(plain)[0])
        return f"a list, separated by commas, of {_words(inner, inner_metas)}"
    if isinstance(plain, type) and issubclass(plain, Enum):
        return "one of " + ", ".join(f"`{member.value}`" for member in plain)
    if plain not in _KINDS:
        raise TypeError(f"a setting cannot be a {plain}: take text, a number, true or false, an enum, a path or a list")
    return _KINDS[plain] + "".join(_bounds(meta) for meta in metas)


def _bounds(meta: Meta) -> str:
    if meta.examples:
        return " such as " + ", ".join(f"`{example}`" for example in meta.examples)
    if meta.min_length is not None and meta.max_length is not None:
        return f" of {meta.min_length} to {meta.max_length} characters"
    parts = (
        (meta.ge, " from {}"),
        (meta.gt, " above {}"),
        (meta.le, " up to {}"),
        (meta.lt, " below {}"),
        (meta.min_length, " of at least {} characters"),
        (meta.max_length, " of at most {} characters"),
        (meta.pattern, " like `{}`"),
    )
    return "".join(text.format(value) for value, text in parts if value is not None)


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    if field.default_factory is not msgspec.NODEFAULT:
        return _plain(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else _plain(field.default)


def _plain(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case list() | tuple():
            return ",".join(str(item) for item in cast("Iterable[object]", value))
        case _:
            return str(value)


def _text(variable: Variable, env: Mapping[str, str]) -> str | None:
    """The variable's text, from itself or from the file that `<name>_FILE` names."""
    direct = env.get(variable.name) or None
    file = env.get(variable.name + FILE_SUFFIX) if variable.sensitive else None
    if direct and file:
        raise _problem(variable, f"{variable.name} and {variable.name}{FILE_SUFFIX} are both set: keep one of them.")
    if file:
        return _read(variable, Path(file))
    if direct is None and variable.required:
        raise _problem(variable, f"{variable.name} is not set: set it to {variable.type}. {variable.description}")
    return direct


def _read(variable: Variable, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        name = variable.name + FILE_SUFFIX
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        message = f"{name} names {str(file)!r}, which cannot be read ({reason}): name a file this user can read."
        raise _problem(variable, message) from error


def _decode(setting: _Setting, text: str) -> Any:
    raw: Any = [part.strip() for part in text.split(",") if part.strip()] if setting.is_list else text.strip()
    if _unwrap(setting.field.type)[0] is bool:
        raw = _WORDS.get(str(raw).lower(), str(raw).lower())
    try:
        return msgspec.convert(raw, setting.field.type, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        variable = setting.variable
        shown = MASK if variable.sensitive else repr(text)
        remedy = "leave it out" if variable.default is None else f"leave it out for {variable.default}"
        message = f"{variable.name} is {shown}: set it to {variable.type}, or {remedy}."
        raise _problem(variable, message) from error


def _path(expected: type, value: object) -> Path:
    if expected is Path and isinstance(value, str):
        return Path(value).expanduser()
    raise NotImplementedError(f"no way to make a {expected} from text")


def _problem(variable: Variable, message: str) -> SettingsError:
    return SettingsError([Problem(variable.name, message)])
