"""One request on its way through the edge: what was read from its head, and what became of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from steward.gateway.errors import HeadersTooLarge, UrlTooLong
from steward.gateway.settings import GatewaySettings
from steward.kit.call_fields import idempotency_key_of, request_id_of, traceparent_of
from steward.kit.context import Ctx
from steward.kit.errors import InvalidInput, MalformedRequest
from steward.kit.ratelimit import Decision
from steward.kit.web import ErrorForm

_SHOWN_CHARS: Final = 40

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

EXCHANGE_KEY: Final = "exchange"
"""Where the state of a request's scope holds its `Exchange`."""

# What decides who calls and how the body is read must be said once, or two readers may understand it differently.
_SINGLE: Final = frozenset(
    (
        b"host",
        b"authorization",
        b"x-api-key",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"idempotency-key",
        b"origin",
        b"x-request-id",
    )
)
_READ: Final = _SINGLE | frozenset(
    (b"accept-language", b"user-agent", b"sec-fetch-site", b"access-control-request-method", b"expect")
)
# Only the edge says who a caller is and where they come from; what a caller claims of it goes no further.
_CLAIMS: Final = (b"x-steward-", b"x-forwarded-", b"x-real-ip", b"forwarded")
_FIELD_OVERHEAD: Final = len(": \r\n")
_MAX_USER_AGENT: Final = 256


JSON: Final = b"application/json"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of requests to a path."""

    most_bytes: int
    depth: int
    """Deepest nesting of a JSON body."""
    seconds: float
    patience: timedelta
    """The same as `seconds`."""
    kind: bytes = JSON
    """Media type of the body."""


class Exchange:
    """The state of one request. Made by `Edge`, filled on the way, read by the observer at the end."""

    __slots__ = (
        "address",
        "allow_origin",
        "answered_bytes",
        "body",
        "ctx",
        "data",
        "decisions",
        "error",
        "error_id",
        "form",
        "method",
        "path",
        "read",
        "request_id",
        "scheme",
        "scope",
        "started_at",
        "status",
        "traceparent",
    )

    def __init__(self, scope: Scope, request_id: str, traceparent: str, started_at: float) -> None:
        self.scope = scope
        self.form: ErrorForm | None = None
        """How its failure is told; None for problem details."""
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope["scheme"]
        self.read: Mapping[bytes, bytes] = {}
        """The header fields that the edge reads, by name."""
        self.request_id = request_id
        self.traceparent = traceparent
        """The caller's W3C Trace Context, or empty."""
        self.address = ""
        self.started_at = started_at
        """By the monotonic clock."""
        self.ctx: Ctx | None = None
        self.body = b""
        self.data: object = None
        """The body, decoded into the type that the route wants; None before, and where there is none."""
        self.decisions: dict[str, Decision] = {}
        self.allow_origin = b""
        """The origin whose page may read the answer; empty for none."""
        self.status = 0
        """What was answered; 0 before, 499 when the caller left."""
        self.answered_bytes = 0
        self.error: BaseException | None = None
        """The defect that broke the request, where one did."""
        self.error_id = ""

    def gives(self, fields: Iterable[str]) -> bool:
        """Whether the body gives one of these fields."""
        return any(getattr(self.data, field, None) is not None for field in fields)

    @property
    def template(self) -> str | None:
        """The route's pattern, such as `/api/v1/users/{user_id}`; None where no route took the request."""
        return self.scope.get("path_template")

    @property
    def user_agent(self) -> str:
        """Who the caller's program says it is, at most 256 printable characters."""
        return printable(self.read.get(b"user-agent", b""), _MAX_USER_AGENT)

    @property
    def idempotency_key(self) -> str | None:
        """The `Idempotency-Key`; a malformed one is an `InvalidInput`."""
        value = self.read.get(b"idempotency-key")
        return None if value is None else idempotency_key_of(value.decode("latin-1"))


def printable(value: bytes, limit: int) -> str:
    """At most `limit` characters of a header field's value, with `?` for what does not print."""
    text = value[:limit].decode("latin-1")
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def correlation(headers: list[Header]) -> tuple[str, str]:
    """The caller's `X-Request-Id` and `traceparent`, each empty unless it is one that logs can bear."""
    request_id = traceparent = ""
    for name, value in headers:
        if name == b"x-request-id":
            request_id = request_id_of(value.decode("latin-1"))
        elif name == b"traceparent":
            traceparent = traceparent_of(value.decode("latin-1"))
    return request_id, traceparent


def read_head(exchange: Exchange, settings: GatewaySettings) -> None:
    """Check the size of the request's head, take what the edge reads and strip what only the edge may say.

    Raises `UrlTooLong`, `HeadersTooLarge`, `MalformedRequest`.
    """
    scope = exchange.scope
    _check_target(scope, settings.max_url_bytes)
    headers: list[Header] = scope["headers"]
    if len(headers) > settings.max_header_fields:
        raise HeadersTooLarge("header fields", len(headers), settings.max_header_fields)
    read: dict[bytes, bytes] = {}
    size = 0
    claims = False
    for name, value in headers:
        size += len(name) + len(value) + _FIELD_OVERHEAD
        if name in _READ:
            if name in _SINGLE and read.get(name, value) != value:
                raise MalformedRequest(f"header {name.decode()} is there twice with different values: send one")
            read[name] = value
        elif name.startswith(_CLAIMS):
            claims = True
    if size > settings.max_header_bytes:
        raise HeadersTooLarge("bytes of header fields", size, settings.max_header_bytes)
    exchange.read = read
    if claims:
        scope["headers"] = [(name, value) for name, value in headers if not name.startswith(_CLAIMS)]
    if not read.get(b"host"):
        raise MalformedRequest("a request needs a Host header (RFC 9112 section 3.2)")


def _check_target(scope: Scope, limit: int) -> None:
    query: bytes = scope["query_string"]
    size = len(scope["raw_path"]) + len(query)
    if size > limit:
        raise UrlTooLong(size, limit)
    path: str = scope["path"]
    if not path.isascii() and "\ufffd" in path:
        raise MalformedRequest("the path is not UTF-8: percent-encode the bytes of its UTF-8 form")
    if not path.isprintable() or (b"%" in query and b"%00" in query):
        raise MalformedRequest("path or query contain control characters: leave them out")
    if query:
        _check_query(query.decode("latin-1"))


def _check_query(query: str) -> None:
    """Refuse what would be read as something else than was meant: the last of several values, `null` for absent."""
    seen: set[str] = set()
    for name, value in parse_qsl(query, keep_blank_values=True):
        shown = name[:_SHOWN_CHARS]
        if name in seen:
            raise InvalidInput(f"query parameter {shown!r} is there more than once: send it once", field=shown)
        if value.lower() == "null":
            raise InvalidInput(f"query parameter {shown!r} is null, which is no value: leave it out", field=shown)
        seen.add(name)
