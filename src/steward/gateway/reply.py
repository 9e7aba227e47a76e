"""The answer of one request: adds what every answer carries, and remembers what was sent."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from steward.gateway import problems
from steward.gateway.cors import EXPOSED
from steward.gateway.exchange import Exchange, Header, Message, Send
from steward.gateway.vigil import Vigil
from steward.kit.errors import AppError
from steward.kit.ratelimit import rate_limit_fields

_API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{more}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def page_policy(*origins: str) -> str:
    """The content security policy of a page of ours that talks to these origins besides our own."""
    return _PAGE_POLICY.format(more="".join(f" {origin}" for origin in origins))


_COMMON: Final[Sequence[Header]] = (
    (b"server", b"steward"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_API: Final[Sequence[Header]] = (*_COMMON, (b"content-security-policy", _API_POLICY), (b"cache-control", b"no-store"))
_PAGE: Final[Sequence[Header]] = (
    *_COMMON,
    (b"content-security-policy", page_policy().encode()),
    (b"cache-control", b"no-cache"),
)
# RFC 6797 section 7.2: only over TLS.
_HSTS: Final[Header] = (b"strict-transport-security", b"max-age=31536000")
_CLOSE: Final[Header] = (b"connection", b"close")


class Reply:
    """Sends the answer of an exchange; `before_start` runs when its status is known and nothing has been sent."""

    __slots__ = ("_before_start", "_exchange", "_is_page", "_send", "_stream_seconds", "_vigil", "close", "started")

    def __init__(
        self,
        exchange: Exchange,
        send: Send,
        vigil: Vigil,
        *,
        is_page: bool,
        stream_seconds: float,
        before_start: Callable[[Exchange], None],
    ) -> None:
        self.started = False
        self.close = False
        """Whether the connection ends with this answer."""
        self._exchange = exchange
        self._send = send
        self._vigil = vigil
        self._is_page = is_page
        self._stream_seconds = stream_seconds
        self._before_start = before_start

    async def send(self, message: Message) -> None:
        """The `send` that the application gets."""
        if message["type"] == "http.response.start":
            self._exchange.status = message["status"]
            self._before_start(self._exchange)
            message["headers"] = self._headers(message["headers"])
            self.started = True
        else:
            if message.get("more_body") and not self._exchange.answered_bytes:
                # A stream has begun in time; from here on it may take as long as streams may.
                self._vigil.extend(self._stream_seconds)
            self._exchange.answered_bytes += len(message.get("body", b""))
        await self._send(message)
        if message.get("more_body"):
            # Sending to a caller who has gone returns at once: without a pause here a stream that never waits for
            # anything would keep the loop to itself, and nobody could tell it to stop.
            await asyncio.sleep(0)

    async def problem(self, error: AppError) -> None:
        """Answer with a failure."""
        sent, form, request_id = self._exchange.read, self._exchange.form, self._exchange.request_id
        if form is None:
            status, body = error.status, problems.body_of(error, request_id)
        else:
            status, body = problems.in_form(error, request_id, form)
        headers = problems.headers_of(
            error, len(body), credential_sent=b"authorization" in sent or b"x-api-key" in sent, form=form
        )
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def empty(self, status: int, headers: Sequence[Header]) -> None:
        """Answer without a body."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})

    def _headers(self, own: Sequence[Header]) -> Sequence[Header]:
        """The answer's own header fields and those that every answer carries; a page's own go before the latter."""
        exchange = self._exchange
        headers: list[Header] = [*own, (b"x-request-id", exchange.request_id.encode())]
        if exchange.form is not None and exchange.form.id_header:
            headers.append((exchange.form.id_header, exchange.request_id.encode()))
        if self._is_page:
            named = {name for name, _ in own}
            headers.extend(field for field in _PAGE if field[0] not in named)
        else:
            headers.extend(_API)
        if exchange.decisions:
            fields = rate_limit_fields(exchange.decisions)
            fields.pop("Retry-After", None)
            headers.extend((name.encode(), value.encode()) for name, value in fields.items())
        if exchange.allow_origin:
            headers.append((b"access-control-allow-origin", exchange.allow_origin))
            headers.append(EXPOSED)
        if not self._is_page:
            # Answers depend on them whether or not this request had an origin.
            headers.append((b"vary", b"Origin, Authorization, X-API-Key, Accept-Language"))
        if exchange.scheme == "https":
            headers.append(_HSTS)
        if self.close:
            headers.append(_CLOSE)
        return headers
