"""The demo shop's page at `/demo`, which has the widget on it; there is none without a demo."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from steward.gateway.decoding import BodyRequest
from steward.gateway.errors import RouteNotFound
from steward.gateway.reply import page_policy
from steward.gateway.site import Document, page_file

PATH: Final = "/demo"
_SHOWN_PATH: Final = "/assets/demo.json"
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9._:\[\]-]{1,255}")


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What the page needs to know of the installation's demo."""

    publishable_key: str
    """The demo tenant's, for the widget."""
    shop_url: str
    """The demo shop's origin, as a browser reaches it; it signs its customers' tokens."""


class DemoSite:
    """Serves the page once there is a demo: the demo is made when the edge answers already."""

    def __init__(self) -> None:
        self._template = page_file("demo.html").decode()
        self._document: Document | None = None

    def show(self, demo: Demo) -> None:
        """Serve the page for this demo from now on. Raises `ValueError` for a shop that is no web origin."""
        if not _ORIGIN.fullmatch(demo.shop_url):
            raise ValueError(f"{demo.shop_url!r} is no web origin: write http(s)://host[:port] and nothing behind it")
        page = self._template
        values: Mapping[str, str] = {"publishable_key": demo.publishable_key, "shop_url": demo.shop_url}
        for name, value in values.items():
            page = page.replace(f"{{{{{name}}}}}", escape(value, quote=True))
        headers = {"content-security-policy": page_policy(demo.shop_url)}
        self._document = Document.of(page.encode(), "text/html", headers)

    def routes(self) -> Sequence[HTTPRouteHandler]:
        """The page, and a document that tells the start page whether there is one."""

        @get(PATH, include_in_schema=False, media_type="text/html")
        async def page(request: BodyRequest) -> Response[bytes]:
            if self._document is None:
                raise RouteNotFound(PATH)
            return self._document.answer(request)

        @get(_SHOWN_PATH, include_in_schema=False, media_type="application/json")
        async def shown() -> Response[bytes]:
            return Response(b'{"shown":true}' if self._document else b'{"shown":false}', media_type="application/json")

        return page, shown
