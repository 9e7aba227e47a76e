"""The client for addresses that a tenant can steer, against real servers on loopback."""

import asyncio
import gzip
import zlib
from uuid import UUID

import pytest
from aiohttp import web

from steward.kit.errors import DeadlineExceeded
from steward.kit.http import (
    AddressRefused,
    CircuitOpen,
    RedirectRefused,
    RequestRefused,
    ResponseTooLarge,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from steward.kit.ids import TenantId
from steward.kit.testing.resolver import FakeResolver
from tests.kit.http.conftest import Desk, Upstream

ACME = TenantId(UUID(int=1))
BETA = TenantId(UUID(int=2))
SECRETS = {"Authorization": "Bearer s", "Cookie": "a=s", "X-API-Key": "s", "X-Vendor-Token": "s"}


async def test_allowed_host_is_called_and_answers(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    response = await client.request(
        desk.ctx(), "POST", f"{upstream.url}/a?b=c", headers={"X-Mine": "1"}, body=b'{"x":1}'
    )
    assert (response.status, response.body, response.url) == (200, b"fine", f"{upstream.url}/a?b=c")
    (request,) = upstream.requests
    assert (request.method, request.path_qs, request.headers["X-Mine"]) == ("POST", "/a?b=c", "1")
    assert (request.headers["User-Agent"], request.headers["Accept-Encoding"]) == ("Steward", "gzip")
    assert upstream.bodies == [b'{"x":1}']
    assert desk.guarded == 1


async def test_guard_refuses_before_anything_is_sent(desk: Desk, upstream: Upstream) -> None:
    def refuse() -> None:
        raise RuntimeError("a transaction is open")

    client = await desk.client(upstream.host)
    client._guard = refuse
    with pytest.raises(RuntimeError, match="transaction"):
        await client.request(desk.ctx(), "GET", upstream.url)
    assert upstream.requests == []


async def test_loopback_refused_unless_allowed(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client()
    for url in (upstream.url, f"https://127.0.0.1:{upstream.port}/", "https://127.0.0.1/", "https://[::1]/"):
        with pytest.raises(AddressRefused, match="operator allow the host by name"):
            await client.request(desk.ctx(), "GET", url)
    assert upstream.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "①②⑦.0.0.1"])
async def test_other_spellings_of_loopback_refused(desk: Desk, host: str) -> None:
    client = await desk.client(resolver=FakeResolver({name: [["127.0.0.1"]] for name in (host, "127.0.0.1")}))
    with pytest.raises(AddressRefused):
        await client.request(desk.ctx(), "GET", f"https://{host}/")


async def test_name_that_leads_inside_refused(desk: Desk) -> None:
    client = await desk.client(resolver=FakeResolver({"evil.example.com": [["169.254.169.254"]]}))
    with pytest.raises(AddressRefused, match=r"evil\.example\.com"):
        await client.request(desk.ctx(), "GET", "https://evil.example.com/latest/meta-data/")


async def test_rebinding_name_is_asked_once_for_each_connection_and_checked(desk: Desk) -> None:
    resolver = FakeResolver({"evil.example.com": [["127.0.0.1"], ["93.184.216.34"]]})
    client = await desk.client(resolver=resolver)
    with pytest.raises(AddressRefused):
        await client.request(desk.ctx(), "GET", "https://evil.example.com/")
    assert resolver.asked == ["evil.example.com"]


async def test_connection_goes_to_the_address_of_the_one_look_up(desk: Desk, upstream: Upstream) -> None:
    # The second answer would lead nowhere: were the name looked up again for connecting, the call would fail.
    resolver = FakeResolver({"crm.internal": [["127.0.0.1"], ["192.0.2.1"]]})
    client = await desk.client(f"crm.internal:{upstream.port}", resolver=resolver)
    response = await client.request(desk.ctx(), "GET", f"http://crm.internal:{upstream.port}/")
    assert response.status == 200
    assert upstream.requests[0].headers["Host"] == f"crm.internal:{upstream.port}"
    assert resolver.asked == ["crm.internal"]


@pytest.mark.parametrize("url", ["", "x", "http://", "https://exa mple.com/", "https://[::1", "https://a:99999/"])
async def test_text_that_is_no_url_refused(desk: Desk, url: str) -> None:
    client = await desk.client(resolver=FakeResolver({}))
    with pytest.raises((AddressRefused, UpstreamUnavailable)):
        await client.request(desk.ctx(), "POST", url)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("CONNECT", {}),
        ("TRACE", {}),
        ("get", {}),
        ("GET", {"Host": "inside"}),
        ("GET", {"content-length": "5"}),
        ("GET", {"Transfer-Encoding": "chunked"}),
        ("GET", {"X-A": "b\r\nX-C: d"}),
        ("GET", {"X-A\r\nX-B": "b"}),
        ("GET", {"": "b"}),
        ("GET", {"X-A": "b" * 8001}),
        ("GET", {f"X-{number}": "b" for number in range(65)}),
    ],
)
async def test_request_that_could_smuggle_refused(
    desk: Desk, upstream: Upstream, method: str, headers: dict[str, str]
) -> None:
    client = await desk.client(upstream.host)
    with pytest.raises(RequestRefused):
        await client.request(desk.ctx(), method, upstream.url, headers=headers)
    assert upstream.requests == []


def redirect(status: int, location: str) -> web.Response:
    return web.Response(status=status, headers={"Location": location})


async def test_redirect_within_an_origin_keeps_everything(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(redirect(307, "/b"))
    response = await client.request(desk.ctx(), "POST", f"{upstream.url}/a", headers=SECRETS, body=b"x")
    assert response.url == f"{upstream.url}/b"
    assert [request.method for request in upstream.requests] == ["POST", "POST"]
    assert upstream.bodies == [b"x", b"x"]
    assert all(upstream.requests[1].headers[name] == value for name, value in SECRETS.items())


async def test_redirect_to_another_origin_drops_credentials(desk: Desk, upstream: Upstream, second: Upstream) -> None:
    client = await desk.client(upstream.host, second.host)
    upstream.answers(redirect(302, f"{second.url}/b"))
    await client.request(desk.ctx(), "GET", upstream.url, headers={**SECRETS, "Accept": "text/plain"})
    (request,) = second.requests
    assert not set(SECRETS) & set(request.headers)
    assert request.headers["Accept"] == "text/plain"


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ],
)
async def test_redirect_changes_the_method_as_http_says(
    desk: Desk, upstream: Upstream, status: int, method: str, then: str
) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(redirect(status, "/b"))
    await client.request(desk.ctx(), method, upstream.url, body=b"" if method == "HEAD" else b"x")
    assert [request.method for request in upstream.requests] == [method, then]
    assert upstream.bodies[1] == (b"x" if then == method != "HEAD" else b"")


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://localhost:1/",
        "https://inside.example.com/",
    ],
)
async def test_redirect_inside_refused(desk: Desk, upstream: Upstream, target: str) -> None:
    client = await desk.client(upstream.host, resolver=FakeResolver({"inside.example.com": [["10.0.0.1"]]}))
    upstream.answers(redirect(302, target))
    with pytest.raises(AddressRefused):
        await client.request(desk.ctx(), "GET", upstream.url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "data:text/plain,x", "http://[", "https://"])
async def test_redirect_to_what_is_no_web_address_refused(desk: Desk, upstream: Upstream, target: str) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(redirect(302, target))
    with pytest.raises(RedirectRefused, match="no web address"):
        await client.request(desk.ctx(), "GET", upstream.url)


async def test_sixth_redirect_refused(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(*(redirect(302, f"/{number}") for number in range(5)))
    assert (await client.request(desk.ctx(), "GET", upstream.url)).url == f"{upstream.url}/4"
    upstream.answers(*(redirect(302, f"/{number}") for number in range(6)))
    with pytest.raises(RedirectRefused, match="more than 5"):
        await client.request(desk.ctx(), "GET", upstream.url)


async def test_body_over_the_limit_refused_with_and_without_its_length(desk: Desk, upstream: Upstream) -> None:
    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 1024)
        return response

    client = await desk.client(upstream.host, max_response_bytes=64 * 1024)
    upstream.answers(web.Response(body=b"x" * 64 * 1024))
    assert len((await client.request(desk.ctx(), "GET", upstream.url)).body) == 64 * 1024
    upstream.answers(web.Response(body=b"x" * (64 * 1024 + 1)))
    with pytest.raises(ResponseTooLarge, match="limit of 65536 bytes"):
        await client.request(desk.ctx(), "GET", upstream.url)
    upstream.handler = chunked
    with pytest.raises(ResponseTooLarge):
        await client.request(desk.ctx(), "GET", upstream.url)
    upstream.handler = upstream.fine
    with pytest.raises(ResponseTooLarge):
        await client.request(desk.ctx(), "GET", upstream.url, max_bytes=3)


def zipped(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000])
async def test_compressed_answer_comes_out_whole(desk: Desk, upstream: Upstream, size: int) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(zipped(gzip.compress(b"x" * size)))
    assert (await client.request(desk.ctx(), "GET", upstream.url)).body == b"x" * size


def zip_bomb() -> bytes:
    """200 MiB of nothing, compressed."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(squeeze.compress(bytes(1024 * 1024)) for _ in range(200)) + squeeze.flush()


async def test_zip_bomb_costs_no_more_than_the_limit(desk: Desk, upstream: Upstream) -> None:
    bomb = await asyncio.to_thread(zip_bomb)
    assert len(bomb) < 250_000
    client = await desk.client(upstream.host, max_response_bytes=1024 * 1024)
    upstream.answers(zipped(bomb))
    with pytest.raises(ResponseTooLarge, match="limit of 1048576 bytes"):
        await client.request(desk.ctx(), "GET", upstream.url)


async def test_compressed_answer_that_stands_for_nothing_is_limited_too(desk: Desk, upstream: Upstream) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    blocks = squeeze.compress(b"x") + squeeze.flush(zlib.Z_FULL_FLUSH)
    empty = b"\x00\x00\x00\xff\xff" * 1000
    client = await desk.client(upstream.host, max_response_bytes=4096)
    upstream.answers(zipped(blocks + empty + squeeze.flush()))
    with pytest.raises(ResponseTooLarge):
        await client.request(desk.ctx(), "GET", upstream.url)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (zipped(gzip.compress(b"x" * 5000)[:-9]), "broke off"),
        (zipped(b"not gzip at all"), "is broken"),
        (zipped(gzip.compress(b"x") + b"more"), "behind its end"),
        (web.Response(body=b"x", headers={"Content-Encoding": "br"}), "'br', which was not asked for"),
    ],
    ids=["cut", "junk", "trailing", "unknown"],
)
async def test_broken_encoding_is_an_upstream_failure(
    desk: Desk, upstream: Upstream, answer: web.Response, problem: str
) -> None:
    client = await desk.client(upstream.host, attempts=1)
    upstream.answers(answer)
    with pytest.raises(UpstreamUnavailable, match=problem):
        await client.request(desk.ctx(), "GET", upstream.url)


async def test_answer_to_head_may_name_an_encoding(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(zipped(gzip.compress(b"x")))
    assert (await client.request(desk.ctx(), "HEAD", upstream.url)).body == b""


async def test_header_flood_refused(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host, attempts=1)
    upstream.answers(web.Response(headers={"X-Long": "x" * 9000}))
    with pytest.raises(ResponseTooLarge, match="header section"):
        await client.request(desk.ctx(), "GET", upstream.url)
    upstream.answers(web.Response(headers={f"X-{number}": "x" * 5000 for number in range(8)}))
    with pytest.raises(ResponseTooLarge, match="header section"):
        await client.request(desk.ctx(), "GET", upstream.url)
    upstream.answers(web.Response(headers={f"X-{number}": "x" for number in range(200)}))
    with pytest.raises(UpstreamUnavailable, match="not valid HTTP"):
        await client.request(desk.ctx(), "GET", upstream.url)


async def test_silent_upstream_times_out(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host, attempts=1, attempt_seconds=0.05)
    upstream.handler = upstream.hang
    with pytest.raises(UpstreamTimeout, match=r"did not answer within 0\.05 s") as timeout:
        await client.request(desk.ctx(), "GET", upstream.url)
    assert timeout.value.status == 504


async def test_callers_deadline_bounds_the_call(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.handler = upstream.hang
    with pytest.raises(UpstreamTimeout):
        await client.request(desk.ctx(seconds=0.05), "POST", upstream.url)
    with pytest.raises(DeadlineExceeded):
        await client.request(desk.ctx(seconds=-1), "GET", upstream.url)
    assert len(upstream.requests) == 1


async def test_unreachable_upstream_named_without_its_address(desk: Desk, upstream: Upstream) -> None:
    resolver = FakeResolver({"crm.internal": [["127.0.0.1"]]})
    client = await desk.client("crm.internal:1", "gone.internal", resolver=resolver, attempts=1)
    with pytest.raises(UpstreamUnavailable, match="no connection can be made") as refused:
        await client.request(desk.ctx(), "GET", "http://crm.internal:1/")
    assert "127.0.0.1" not in str(refused.value) + str(refused.value.data)
    with pytest.raises(UpstreamUnavailable, match="name cannot be resolved"):
        await client.request(desk.ctx(), "GET", "http://gone.internal/")


async def test_plain_server_behind_https_is_a_tls_failure(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host, attempts=1)
    with pytest.raises(UpstreamUnavailable, match="TLS"):
        await client.request(desk.ctx(), "GET", f"https://{upstream.host}/")


async def test_idempotent_call_is_repeated_with_jitter(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(web.Response(status=503), web.Response(status=504))
    assert (await client.request(desk.ctx(), "PUT", upstream.url, body=b"x")).status == 200
    assert upstream.bodies == [b"x"] * 3
    assert desk.clock.slept == [pytest.approx(0.1), pytest.approx(0.2)]


async def test_post_is_repeated_only_under_an_idempotency_key(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(web.Response(status=503))
    assert (await client.request(desk.ctx(), "POST", upstream.url, body=b"x")).status == 503
    upstream.answers(web.Response(status=503))
    headers = {"idempotency-key": "k"}
    assert (await client.request(desk.ctx(), "POST", upstream.url, headers=headers, body=b"x")).status == 200
    upstream.answers(ConnectionError)
    assert (await client.request(desk.ctx(), "POST", upstream.url, headers=headers, body=b"x")).status == 200
    upstream.answers(ConnectionError)
    with pytest.raises(UpstreamUnavailable, match="connection broke"):
        await client.request(desk.ctx(), "POST", upstream.url, body=b"x")
    assert len(upstream.requests) == 6


async def test_last_answer_is_returned_and_last_error_raised(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(*(web.Response(status=502, text=str(number)) for number in range(3)))
    response = await client.request(desk.ctx(ACME), "GET", upstream.url)
    assert (response.status, response.body) == (502, b"2")
    upstream.answers(*[ConnectionError] * 9)
    with pytest.raises(UpstreamUnavailable):
        await client.request(desk.ctx(BETA), "PUT", upstream.url)


async def test_retry_after_is_honoured_while_there_is_time(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(web.Response(status=429, headers={"Retry-After": "7"}))
    assert (await client.request(desk.ctx(), "GET", upstream.url)).status == 200
    assert desk.clock.slept == [pytest.approx(7.1)]
    upstream.answers(web.Response(status=429, headers={"Retry-After": "31"}))
    assert (await client.request(desk.ctx(), "GET", upstream.url)).status == 429
    assert len(desk.clock.slept) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 500, 501])
async def test_other_errors_are_returned_at_once(desk: Desk, upstream: Upstream, status: int) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(web.Response(status=status))
    assert (await client.request(desk.ctx(), "GET", upstream.url)).status == status
    assert len(upstream.requests) == 1


async def test_failing_origin_is_left_alone_and_probed_after_thirty_seconds(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    upstream.answers(*(web.Response(status=500) for _ in range(5)))
    for _ in range(5):
        await client.request(desk.ctx(ACME), "GET", upstream.url)
    with pytest.raises(CircuitOpen, match="try again in 30 s"):
        await client.request(desk.ctx(ACME), "GET", upstream.url)
    assert len(upstream.requests) == 5
    assert (await client.request(desk.ctx(BETA), "GET", upstream.url)).status == 200
    desk.clock.advance(30)
    for _ in range(2):
        assert (await client.request(desk.ctx(ACME), "GET", upstream.url)).status == 200


async def test_client_that_is_not_open_says_how(desk: Desk, upstream: Upstream) -> None:
    client = await desk.client(upstream.host)
    await client.__aexit__(None, None, None)
    with pytest.raises(RuntimeError, match="async with"):
        await client.request(desk.ctx(), "GET", upstream.url)
