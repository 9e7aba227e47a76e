"""One outgoing request as data: what may be in it, and what a redirect makes of it."""

import re
from collections.abc import Mapping
from typing import Self

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from steward.kit.http.errors import AddressRefused, RedirectRefused, RequestRefused

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_STRANGERS_MAY_SEE = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
"""What goes along to another origin. A list of what stays back would miss the next vendor's name for a key."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8000}")
_MAX_FIELDS = 64
_MAX_URL_CHARS = 8000
_GET_AFTER = frozenset({301, 302})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
AGENT = "Steward"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request to send."""

    method: str
    url: URL
    headers: CIMultiDictProxy[str]
    body: bytes

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Self:
        """A checked request. Raises `RequestRefused`, `AddressRefused` for text that is no URL."""
        if method not in _METHODS:
            raise RequestRefused(f"method {method[:20]!r} is not sent: use one of {', '.join(sorted(_METHODS))}")
        if len(headers) > _MAX_FIELDS:
            raise RequestRefused(f"{len(headers)} header fields are too many, at most {_MAX_FIELDS} are sent")
        for name, value in headers.items():
            _check_field(name, value)
        fields = CIMultiDict({"User-Agent": AGENT})
        fields.update(headers)
        fields["Accept-Encoding"] = "gzip"
        return cls(method=method, url=parse_url(url), headers=CIMultiDictProxy(fields), body=body)

    @property
    def host(self) -> str:
        return self.url.host or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454)."""
        return str(self.url.origin())

    def redirected(self, status: int, location: str) -> Self:
        """The request that a redirect asks for (RFC 9110 section 15.4); another origin gets no credentials."""
        try:
            url = self.url.join(parse_url(location)).with_fragment(None)
            url.origin()
        except (ValueError, AddressRefused) as error:
            raise RedirectRefused(self.host, "redirects to what is no web address") from error
        fields, method, body = CIMultiDict(self.headers), self.method, self.body
        if (status in _GET_AFTER and method == "POST") or (status not in {307, 308, *_GET_AFTER} and method != "HEAD"):
            method, body = "GET", b""
            fields.popall("Content-Type", None)
        if url.origin() != self.url.origin():
            fields = CIMultiDict((n, v) for n, v in fields.items() if n.lower() in _STRANGERS_MAY_SEE)
        return type(self)(method=method, url=url, headers=CIMultiDictProxy(fields), body=body)


def parse_url(text: str) -> URL:
    """The URL that a text is. Raises `AddressRefused`."""
    if len(text) > _MAX_URL_CHARS:
        raise AddressRefused(text[:100], f"its URL is longer than {_MAX_URL_CHARS} characters")
    try:
        return URL(text)
    except ValueError as error:
        raise AddressRefused(text[:100], "it is no URL") from error


def _check_field(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or name.lower() in _OURS:
        raise RequestRefused(f"header {name[:40]!r} is set by the client itself or is no header name: leave it out")
    if not _VALUE.fullmatch(value):
        raise RequestRefused(f"the value of header {name} has control characters or is over 8000 characters long")
