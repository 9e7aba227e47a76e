"""What handlers return, as JSON: encoded once and sent without a detour.

Litestar's own response allows for cookies, encoders, headers and background work of handlers; ours have none of that.
"""

from typing import Any, Final

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from steward.gateway.exchange import Header

_encode: Final = msgspec.json.Encoder().encode
_JSON: Final[Header] = (b"content-type", b"application/json")
_WITHOUT_BODY: Final = 204


class JsonAnswer(Response[Any]):
    """The default `response_class`: a status and what the handler returned."""

    def __init__(self, content: Any, **settings: Any) -> None:
        """Of Litestar's settings only `status_code` is read; a handler that needs others returns a `Response`."""
        self.content = content
        self.status_code: int = settings["status_code"]

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """The answer to send."""
        return _Encoded(self.status_code, b"" if self.status_code == _WITHOUT_BODY else _encode(self.content))


class _Encoded(ASGIResponse):
    """A status and bytes of JSON."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code = status
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        headers = [_JSON, (b"content-length", b"%d" % len(self.body))] if self.body else []
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
