"""What a recipe is: one way to call an operation, who may, and how its arguments stand in an HTTP request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from tests.authorization.stage import Stage

Arguments = Mapping[str, Any]
Prepare = Callable[[Stage], Awaitable[Arguments]]

BOUNDARY = "a-line-that-no-part-has"
_FORM = "multipart/form-data"


class Kind(StrEnum):
    OPEN = "open to all"
    ANYBODY = "any credential"
    SELF = "a user by a session, to themself"
    GRANTED = "by permission"
    SERVICE = "services only"


class Across(StrEnum):
    """What somebody of another tenant finds who names this tenant's things."""

    HIDDEN = "they do not exist"
    APART = "an answer from the own tenant"
    REFUSED = "nobody's business but the platform's"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One way to call an operation."""

    method: str
    """Of the contract."""
    variant: str = ""
    """Tells this way from the operation's others."""
    kind: Kind = Kind.GRANTED
    needs: Sequence[frozenset[str]] = ()
    """Permissions, as the contract's docstring has them: all of one of the sets."""
    across: Across = Across.APART
    enters: frozenset[str] = frozenset()
    """Who has not all of these is refused before anything is looked for."""
    hides: frozenset[str] = frozenset()
    """Who has none of these is told that the thing does not exist, even in the own tenant."""
    sent_as: Mapping[str, str] = {}
    """What arguments are called in an HTTP request, where that is neither their name nor that of their fields."""
    prepare: Prepare

    @property
    def name(self) -> str:
        return f"{self.method} ({self.variant})" if self.variant else self.method

    def allows(self, scopes: frozenset[str]) -> bool:
        """Whether a user by a session, with these permissions, may."""
        if self.kind is Kind.GRANTED:
            return any(needed <= scopes for needed in self.needs)
        return self.kind is not Kind.SERVICE

    def refusal(self, scopes: frozenset[str]) -> int:
        """The status with which a user of the same tenant is refused."""
        return 404 if self.hides and not self.hides & scopes and self.enters <= scopes else 403

    def request(self, method: str, path: str, described: Mapping[str, Any], arguments: Arguments) -> "Request":
        """The arguments as the OpenAPI description of an operation wants them."""
        given = self._flat(arguments)
        places = {one["name"]: one["in"] for one in described["parameters"]}
        path_values = {name: _text(value) for name, value in given.items() if places.get(name) == "path"}
        query = {name: _text(value) for name, value in given.items() if places.get(name) == "query"}
        rest = {name: value for name, value in given.items() if name not in places}
        kinds = described.get("requestBody", {}).get("content", {})
        assert kinds or not rest, f"{method} {path} has no place for {sorted(rest)}"
        as_form = _FORM in kinds
        return Request(
            method=method.upper(),
            path=path.format(**path_values),
            query=query,
            kind=f"{_FORM}; boundary={BOUNDARY}" if as_form else "application/json",
            body=(_form(rest) if as_form else msgspec.json.encode(rest)) if kinds else None,
        )

    def _flat(self, arguments: Arguments) -> Arguments:
        """Structs like `change` and `where` stand in a request by their fields."""
        flat: dict[str, Any] = {}
        for name, value in arguments.items():
            if name in self.sent_as:
                flat[self.sent_as[name]] = value
            elif isinstance(value, msgspec.Struct):
                fields = msgspec.structs.asdict(value)
                flat.update({key: inner for key, inner in fields.items() if inner not in _UNSAID})
            else:
                flat[name] = value
        where = flat.pop("where", None)
        return {**flat, **({} if where is None else self._flat({"where": where}))}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request."""

    method: str
    path: str
    query: Mapping[str, str]
    kind: str
    """Content type of the body."""
    body: bytes | None

    @property
    def headers(self) -> Mapping[str, str]:
        return {} if self.body is None else {"Content-Type": self.kind}


def needs(*permissions: str) -> frozenset[str]:
    return frozenset(permissions)


async def nothing(_: Stage) -> Arguments:
    return {}


def of(method: str, kind: Kind, prepare: Prepare = nothing, variant: str = "", **rest: Any) -> Recipe:
    """A recipe that no permission decides on."""
    return Recipe(method=method, kind=kind, prepare=prepare, variant=variant, **rest)


def by(permission: str, method: str, prepare: Prepare = nothing, variant: str = "", **rest: Any) -> Recipe:
    """A recipe for who has a permission, or what `needs` says."""
    rest.setdefault("needs", (needs(permission),))
    return Recipe(method=method, prepare=prepare, variant=variant, **rest)


HIDDEN = {"across": Across.HIDDEN}
_UNSAID = (None, ())
"""Values of fields that are left out."""


def _text(value: Any) -> str:
    return str(msgspec.to_builtins(value))


def _form(fields: Arguments) -> bytes:
    """RFC 7578; bytes go as a file."""
    parts: list[bytes] = []
    for name, value in fields.items():
        is_file = isinstance(value, bytes)
        head = f'form-data; name="{name}"' + ('; filename="probe.jsonl"' if is_file else "")
        content = value if is_file else _text(value).encode()
        parts.append(f"--{BOUNDARY}\r\nContent-Disposition: {head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
