"""What handlers return, as JSON: encoded once and sent without a detour.

Litestar's own response allows for cookies, encoders, headers and background work of handlers; ours have none of that.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from steward.gateway.exchange import Header

encode: Final = msgspec.json.Encoder().encode
_JSON: Final[Header] = (b"content-type", b"application/json")
WITHOUT_BODY: Final = 204
"""The status of an answer without content."""


class JsonAnswer(Response[Any]):
    """The default `response_class`: a status and what the handler returned."""

    def __init__(self, content: Any, **settings: Any) -> None:
        """Of Litestar's settings only `status_code` is read; a handler that needs others returns a `Response`."""
        self.content = content
        self.status_code: int = settings["status_code"]

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """The answer to send; a handler may return one that is ready where it declares another type too."""
        if isinstance(self.content, ASGIResponse):
            return self.content
        return _Encoded(self.status_code, b"" if self.status_code == WITHOUT_BODY else encode(self.content))


class _Encoded(ASGIResponse):
    """A status and bytes of JSON."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code = status
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        await send_json(send, self.status_code, self.body)


async def send_json(send: Callable[[Any], Awaitable[None]], status: int, body: bytes) -> None:
    """Send an answer; without a body it has no content type either."""
    headers = [_JSON, (b"content-length", b"%d" % len(body))] if body else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
