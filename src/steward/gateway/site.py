"""The pages of the platform: files of `pages/`, held in memory, revalidated by entity tag."""

import hashlib
from collections.abc import Mapping
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
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}


class Document(msgspec.Struct, frozen=True):
    """Bytes that are public and the same for everybody."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "Document":
        return cls(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')

    def answer(self, request: BodyRequest) -> Response[bytes]:
        """The document, or 304 for a caller who has it (RFC 9110 section 13.1.2)."""
        headers = {"etag": self.etag}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


def pages() -> list[HTTPRouteHandler]:
    """A route for each page; the files are read now."""
    folder = files("steward.gateway") / "pages"
    return [
        document_route(path, Document.of((folder / name).read_bytes(), media_type))
        for path, (name, media_type) in ROUTES_OF.items()
    ]


def document_route(path: str, document: Document) -> HTTPRouteHandler:
    """A route that answers with one document."""

    @get(path, include_in_schema=False, media_type=document.media_type)
    async def page(request: BodyRequest) -> Response[bytes]:
        return document.answer(request)

    return page
