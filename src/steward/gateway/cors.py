"""Which web pages may call (the CORS protocol of the Fetch standard).

Callers prove themselves by a header, never by a cookie, so no answer allows credentials. A preflight carries no
credential and names no tenant: it is answered for any well-formed origin and grants nothing by itself. The request
that follows is held to its tenant's list.
"""

import re
from collections.abc import Sequence
from typing import Final

from steward.gateway.errors import OriginNotAllowed
from steward.gateway.exchange import Exchange, Header, printable

_ORIGIN: Final = re.compile(rb"https?://[A-Za-z0-9._\-\[\]:]{1,245}")
_MAX_ORIGIN: Final = 255

PREFLIGHT_HEADERS: Final[Sequence[Header]] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, X-API-Key, X-Customer-Token, Content-Type, Accept-Language, Idempotency-Key, Last-Event-ID, "
        b"X-Request-Id, Traceparent",
    ),
    (b"access-control-max-age", b"600"),
    (b"content-length", b"0"),
)
EXPOSED: Final[Header] = (
    b"access-control-expose-headers",
    b"RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, WWW-Authenticate",
)


def is_preflight(exchange: Exchange) -> bool:
    """Whether a browser asks beforehand if a page may call."""
    return (
        exchange.method == "OPTIONS"
        and b"origin" in exchange.read
        and b"access-control-request-method" in exchange.read
    )


def foreign_origin(exchange: Exchange) -> bytes:
    """The origin of the page that calls, where it is not our own; empty where no page of another origin calls."""
    origin = exchange.read.get(b"origin", b"")
    if not origin or exchange.read.get(b"sec-fetch-site") == b"same-origin":
        return b""
    own = exchange.scheme.encode() + b"://" + exchange.read.get(b"host", b"")
    return b"" if origin == own else origin


def is_origin(value: bytes) -> bool:
    """Whether the value has the form of a web origin, so that it may stand in an answer; `null` has not."""
    return _ORIGIN.fullmatch(value) is not None


def check_origin(origin: bytes, allowed: Sequence[str]) -> None:
    """Refuse a page whose origin is not in the list; raises `OriginNotAllowed`."""
    if printable(origin, _MAX_ORIGIN) not in allowed:
        raise OriginNotAllowed(printable(origin, _MAX_ORIGIN))
