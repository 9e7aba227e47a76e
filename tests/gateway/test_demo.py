"""What pages of others may take from here: the widget; and the demo shop's page, where there is a demo."""

import gzip
from collections.abc import AsyncIterator

import pytest

from steward.gateway.demo import Demo, DemoSite
from tests.gateway.rig import Rig, running

DEMO = Demo(publishable_key="stw_pk_demo", shop_url="http://127.0.0.1:8090")
RAW = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
async def rig() -> AsyncIterator[Rig]:
    async with running() as made:
        yield made


async def test_widget_may_be_loaded_and_kept_by_any_page(rig: Rig) -> None:
    answer = await rig.call("GET", "/widget.js", headers={**RAW, "Origin": "https://shop.example"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"].startswith("public, max-age=300")
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = {**RAW, "If-None-Match": answer.headers["etag"]}
    again = await rig.call("GET", "/widget.js", headers=known)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_documents_come_compressed_to_those_who_take_it(rig: Rig) -> None:
    plain = await rig.call("GET", "/widget.js", headers=RAW)
    packed = await rig.call("GET", "/widget.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["etag"] != plain.headers["etag"]


async def test_other_pages_stay_our_own(rig: Rig) -> None:
    answer = await rig.call("GET", "/assets/start.js")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


async def test_demo_is_there_once_there_is_one(rig: Rig) -> None:
    assert (await rig.call("GET", "/demo")).problem["code"] == "route_not_found"
    assert (await rig.call("GET", "/assets/demo.json")).body == b'{"shown":false}'
    rig.demo.show(DEMO)
    page = await rig.call("GET", "/demo")
    assert page.status == 200
    assert b'src="/widget.js" data-key="stw_pk_demo"' in page.body
    assert b"{{" not in page.body
    assert "connect-src 'self' http://127.0.0.1:8090;" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await rig.call("GET", "/assets/demo.json")).body == b'{"shown":true}'
    start = await rig.call("GET", "/")
    assert "8090" not in start.headers["content-security-policy"]


def test_values_of_the_demo_cannot_leave_their_place() -> None:
    site = DemoSite()
    for shop in ("http://shop.example/; script-src *", "javascript:alert(1)", "http://shop.example/path", ""):
        with pytest.raises(ValueError, match="no web origin"):
            site.show(Demo(publishable_key="stw_pk_demo", shop_url=shop))


async def test_preflight_lets_the_widget_send_its_fields(rig: Rig) -> None:
    asking = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = await rig.call("OPTIONS", "/api/v1/chat", headers=asking)
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"x-api-key", "x-customer-token", "content-type", "last-event-id", "idempotency-key"} <= allowed
