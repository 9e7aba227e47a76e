"""The pages of the platform: files of `pages/`, held in memory, revalidated by entity tag."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from steward.gateway.decoding import BodyRequest

# Litestar adds the character set, UTF-8, to every type of text.
ROUTES_OF: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("start.html", "text/html"),
    "/docs": ("reference.html", "text/html"),
    "/assets/steward.css": ("steward.css", "text/css"),
    "/assets/start.js": ("start.js", "text/javascript"),
    "/assets/session.js": ("session.js", "text/javascript"),
    "/assets/mine.js": ("mine.js", "text/javascript"),
    "/assets/texts.js": ("texts.js", "text/javascript"),
    "/assets/reference.js": ("reference.js", "text/javascript"),
    "/assets/reference_texts.js": ("reference_texts.js", "text/javascript"),
    "/assets/example.js": ("example.js", "text/javascript"),
    "/assets/language.js": ("language.js", "text/javascript"),
    "/assets/dom.js": ("dom.js", "text/javascript"),
    "/assets/demo.css": ("demo.css", "text/css"),
    "/assets/demo.js": ("demo.js", "text/javascript"),
    "/assets/demo_texts.js": ("demo_texts.js", "text/javascript"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}
WIDGET: Final = "/widget.js"
# Any page may load the widget, and ask again only after five minutes.
_EMBEDDABLE: Final[Mapping[str, str]] = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "public, max-age=300, stale-while-revalidate=86400",
}
_WORTH_COMPRESSING: Final = 1024


class Document(msgspec.Struct, frozen=True):
    """Bytes that are public and the same for everybody."""

    content: bytes
    compressed: bytes
    """The same by gzip; empty where that is not worth it."""
    media_type: str
    digest: str
    headers: Mapping[str, str] = {}
    """What is answered besides; it goes before what every page carries."""

    @classmethod
    def of(cls, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> "Document":
        compressed = gzip.compress(content, mtime=0) if len(content) > _WORTH_COMPRESSING else b""
        return cls(content, compressed, media_type, hashlib.sha256(content).hexdigest()[:32], headers or {})

    def answer(self, request: BodyRequest) -> Response[bytes]:
        """The document, or 304 for a caller who has it (RFC 9110 section 13.1.2)."""
        zipped = bool(self.compressed) and "gzip" in request.headers.get("accept-encoding", "")
        headers = {**self.headers, "etag": f'"{self.digest}{"-gzip" if zipped else ""}"', "vary": "Accept-Encoding"}
        if self.digest in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        if zipped:
            headers["content-encoding"] = "gzip"
        return Response(self.compressed if zipped else self.content, media_type=self.media_type, headers=headers)


def pages() -> list[HTTPRouteHandler]:
    """A route for each page; the files are read now."""
    shown = [document_route(path, Document.of(page_file(name), kind)) for path, (name, kind) in ROUTES_OF.items()]
    widget = Document.of(page_file("widget.js"), "text/javascript", _EMBEDDABLE)
    return [*shown, document_route(WIDGET, widget)]


def page_file(name: str) -> bytes:
    """A file of `pages/`."""
    return (files("steward.gateway") / "pages" / name).read_bytes()


def document_route(path: str, document: Document) -> HTTPRouteHandler:
    """A route that answers with one document."""

    @get(path, include_in_schema=False, media_type=document.media_type)
    async def page(request: BodyRequest) -> Response[bytes]:
        return document.answer(request)

    return page


class LateDocument:
    """A document that is made when somebody asks for it first, in a thread, for it takes half a second."""

    def __init__(self, media_type: str, make: Callable[[], bytes]) -> None:
        self.media_type = media_type
        self._make = make
        self._making = asyncio.Lock()
        self._made: Document | None = None

    async def get(self) -> Document:
        async with self._making:
            if self._made is None:
                self._made = Document.of(await asyncio.to_thread(self._make), self.media_type)
            return self._made

    def route(self, path: str) -> HTTPRouteHandler:
        """A route that answers with it."""

        @get(path, include_in_schema=False, media_type=self.media_type)
        async def page(request: BodyRequest) -> Response[bytes]:
            return (await self.get()).answer(request)

        return page
