"""Whatever is thrown at the edge: a clear answer, and the server goes on."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from steward.gateway.errors import TooDeep
from steward.gateway.json_guard import check_json
from steward.gateway.settings import GatewaySettings
from steward.kit.errors import InvalidInput, MalformedRequest
from tests.gateway.fakes import TOKEN
from tests.gateway.rig import Rig, running

JSON = b"Content-Type: application/json\r\n"
KEYS = "/api/v1/api-keys"


def post(body: bytes, headers: bytes = JSON, path: str = KEYS, length: int | None = None) -> bytes:
    """The bytes of an authenticated POST."""
    size = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {size}\r\n"
    return head.encode() + headers + b"\r\n" + body


def get(path: str, headers: bytes = b"") -> bytes:
    """The bytes of an authenticated GET."""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n".encode() + headers + b"\r\n"


def deep(levels: int) -> bytes:
    return b'{"name":' + b"[" * levels + b"]" * levels + b"}"


CASES: dict[str, tuple[bytes, int, str]] = {
    "a string of a megabyte": (post(b'{"name":"' + b"a" * 1_000_000 + b'"}'), 422, "invalid_input"),
    "a body over the limit": (post(b'{"name":"' + b"a" * 1_100_000 + b'"}'), 413, "body_too_large"),
    "a huge declared length": (post(b"", length=10**15), 413, "body_too_large"),
    "a declared length beyond integers": (post(b"", length=10**19 - 1), 400, "malformed_request"),
    "JSON 33 deep": (post(deep(32)), 422, "json_too_deep"),
    "JSON 100,000 deep": (post(deep(100_000)), 422, "json_too_deep"),
    "brackets that never close": (post(b"[" * 900_000), 422, "json_too_deep"),
    "invalid UTF-8": (post(b'{"name":"\xff\xfe"}'), 400, "malformed_request"),
    "broken JSON": (post(b'{"name":'), 400, "malformed_request"),
    "not JSON": (post(b"name=Ada"), 400, "malformed_request"),
    "an escaped NUL": (post(b'{"name":"a\\u0000b"}'), 422, "invalid_input"),
    "a raw NUL": (post(b'{"name":"a\x00b"}'), 422, "invalid_input"),
    "a control character": (post(b'{"name":"a\\u001b[31m"}'), 422, "invalid_input"),
    "a lone surrogate": (post(b'{"name":"\\ud800"}'), 400, "malformed_request"),
    "null for the body": (post(b"null"), 422, "invalid_input"),
    "a list for the body": (post(b"[]"), 422, "invalid_input"),
    "an unknown field": (post(b'{"name":"a","admin":true}'), 422, "invalid_input"),
    "a number for a string": (post(b'{"name":5}'), 422, "invalid_input"),
    "a number of many digits": (post(b'{"name":' + b"9" * 500_000 + b"}"), 422, "invalid_input"),
    "no body": (post(b""), 422, "invalid_input"),
    "no content type": (post(b'{"name":"a"}', b""), 415, "unsupported_media_type"),
    "a form": (post(b"a=b", b"Content-Type: application/x-www-form-urlencoded\r\n"), 415, "unsupported_media_type"),
    "XML": (post(b"<a/>", b"Content-Type: text/xml\r\n"), 415, "unsupported_media_type"),
    "another charset": (
        post(b'{"name":"a"}', b"Content-Type: application/json; charset=utf-16\r\n"),
        415,
        "unsupported_charset",
    ),
    "70 header fields": (get(KEYS, b"".join(b"X-%d: a\r\n" % n for n in range(70))), 431, "headers_too_large"),
    "20 KB of headers": (get(KEYS, b"X-Big: " + b"a" * 20_000 + b"\r\n"), 431, "headers_too_large"),
    "a long URL": (get(KEYS + "?cursor=" + "a" * 9000), 431, "url_too_long"),
    "an id that is none": (get("/api/v1/users/1%20or%201=1"), 422, "invalid_input"),
    "a template for an id": (get("/api/v1/users/%7B%7B7*7%7D%7D"), 422, "invalid_input"),
    "a path out of the tree": (get("/api/v1/users/..%2f..%2fetc%2fpasswd"), 404, "route_not_found"),
    "NUL in the path": (get("/api/v1/users/%00"), 400, "malformed_request"),
    "invalid UTF-8 in the path": (get("/api/v1/users/%ff"), 400, "malformed_request"),
    "NUL in the query": (get("/api/v1/users?cursor=%00"), 400, "malformed_request"),
    "a limit beyond the limit": (get("/api/v1/users?limit=201"), 422, "invalid_input"),
    "a limit of no number": (get("/api/v1/users?limit=9e9"), 422, "invalid_input"),
    "a cursor of another list": (get("/api/v1/users?cursor=AAAA"), 422, "invalid_input"),
    "an instant without offset": (get("/api/v1/audit/entries?since=2026-01-01T00:00:00"), 422, "invalid_input"),
    "an unknown role": (
        get("/api/v1/audit/entries?outcome=%27%3B%20drop%20table%20users"),
        422,
        "invalid_input",
    ),
    "a method that is not there": (get("/api/v1/users").replace(b"GET", b"BREW", 1), 405, "method_not_allowed"),
    "chunks that are none": (
        post(b'{"name":"a"}', JSON + b"Transfer-Encoding: chunked\r\n"),
        400,
        "malformed_request",
    ),
    "two tokens": (get(KEYS, b"Authorization: Bearer another\r\n"), 400, "malformed_request"),
    "two kinds of credential": (get(KEYS, b"X-API-Key: stw_sk_other\r\n"), 400, "two_credentials"),
    "a bad idempotency key": (post(b'{"name":"a"}', JSON + b"Idempotency-Key: a b\r\n"), 422, "invalid_input"),
    "a forged token": (
        get(KEYS).replace(TOKEN.encode(), b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
        401,
        "invalid_credential",
    ),
    "a token of 2,000 bytes": (get(KEYS).replace(TOKEN.encode(), b"a" * 2000), 400, "malformed_request"),
    "basic authentication": (get(KEYS).replace(b"Bearer", b"Basic"), 400, "malformed_request"),
    "no host": (get(KEYS).replace(b"Host: a\r\n", b""), 400, "malformed_request"),
    "the API behind two slashes": (b"GET //api/v1/users HTTP/1.1\r\nHost: a\r\n\r\n", 401, "unauthenticated"),
    "the API in an absolute form": (b"GET http://x/api/v1/users HTTP/1.1\r\nHost: a\r\n\r\n", 401, "unauthenticated"),
    "a path in disguise": (b"GET /%61pi/v1/users HTTP/1.1\r\nHost: a\r\n\r\n", 401, "unauthenticated"),
}


@pytest.mark.parametrize("name", CASES)
async def test_hostile_request_gets_a_clear_problem(shared: Rig, name: str) -> None:
    data, status, code = CASES[name]
    answer = await shared.raw(data)
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert (await shared.call("GET", "/ready")).status == 200


async def test_error_names_limit_field_and_value(shared: Rig) -> None:
    too_large = (await shared.raw(CASES["a body over the limit"][0])).problem
    assert too_large["limit"] == 1 << 20
    field = (await shared.raw(post(b'{"name":"a","scopes":["user:read","ROOT"]}'))).problem
    assert field["field"] == "scopes[1]"
    assert '"ROOT"' in field["detail"]
    query = (await shared.raw(get("/api/v1/users?limit=500"))).problem
    assert query["field"] == "limit"
    assert "'500'" in query["detail"]
    unknown = (await shared.raw(post(b'{"name":"a","admin":true}'))).problem
    assert unknown["field"] == "admin"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/auth/login", b'{"email":"a@b.c","password":["hunter2"]}'),
        ("/api/v1/auth/password", b'{"current":"hunter2","new":"hunter2"}'),
    ],
)
async def test_secret_is_not_echoed(shared: Rig, path: str, body: bytes) -> None:
    answer = await shared.raw(post(body, path=path))
    assert answer.status == 422
    assert b"hunter2" not in answer.body


async def test_header_flood_beyond_the_server_is_refused(shared: Rig) -> None:
    flood = get(KEYS, b"".join(b"X-%d: a\r\n" % n for n in range(5000)))
    assert (await shared.raw(flood)).status == 431
    assert (await shared.call("GET", "/ready")).status == 200


async def test_slow_body_is_refused() -> None:
    async with running(GatewaySettings(body_seconds=0.05)) as rig:
        answer = await rig.raw(post(b'{"name"', length=100))
        assert (answer.status, answer.problem["code"]) == (408, "body_too_slow")
        assert (await rig.call("GET", "/ready")).status == 200


async def test_slow_header_ends_the_connection() -> None:
    async with running(GatewaySettings(header_seconds=0.05)) as rig:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()


async def test_chunked_body_is_counted(shared: Rig) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = post(b"").replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    answer = await shared.raw(head + chunk * 17 + b"0\r\n\r\n")
    assert (answer.status, answer.problem["code"]) == (413, "body_too_large")


async def test_body_is_not_read_without_a_credential(shared: Rig) -> None:
    data = post(b'{"name"', length=1000).replace(b"Authorization", b"X-Other")
    assert (await shared.raw(data, limit=2)).problem["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"' + b"[" * 100 + b'"}',
        b'{"a":"\\"' + b"{" * 100 + b'"}',
        b"[" + b"[],{}," * 1000 + b"1]",
        b"[" * 32 + b"]" * 32,
        b'{"a":"\\\\u0000"}',
        '{"a":"名字"}'.encode(),
        b"",
    ],
)
def test_harmless_body_passes_the_guard(body: bytes) -> None:
    check_json(body, 32)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"[" * 33 + b"]" * 33, TooDeep),
        (b'{"a":' * 33 + b"1" + b"}" * 33, TooDeep),
        (b'["\\\\",' * 33 + b"1" + b"]" * 33, TooDeep),
        (b"[]" * 50 + b"[" * 40, TooDeep),
        (b'{"a":"\\\\\\u0000"}', InvalidInput),
        (b"\xc3\x28", MalformedRequest),
    ],
)
def test_harmful_body_is_stopped_by_the_guard(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_json(body, 32)


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 500_000,
        b"[" * 500_000 + b"]" * 500_000,
        (b"[" * 32 + b"]" * 32) * 16_000,
        b"[]," * 350_000,
        b"][" * 500_000,
        b'"["' * 340_000,
    ],
    ids=["escapes", "deep", "wide and deep", "wide", "crossed", "strings"],
)
def test_guard_takes_little_time_for_a_full_body(body: bytes) -> None:
    """A megabyte made to be slow costs well below what a second process could notice."""
    best = min(_timed(body) for _ in range(3))
    assert best < 0.1


def _timed(body: bytes) -> float:
    start = time.process_time()
    with contextlib.suppress(TooDeep):
        check_json(body, 32)
    return time.process_time() - start


async def test_requests_of_any_kind_leave_memory_flat(shared: Rig) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    async def storm(rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.gather(*(shared.raw(CASES[name][0]) for name in _HEAVY), return_exceptions=True)

    await storm(5)
    before = resident()
    await storm(20)
    assert resident() - before < 30_000_000


_HEAVY: Any = ("a string of a megabyte", "JSON 100,000 deep", "brackets that never close", "20 KB of headers")


async def test_caller_who_is_still_sending_a_body_too_large_gets_the_answer(shared: Rig) -> None:
    body = b'{"name":"' + b"a" * 4_000_000 + b'"}'
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        head, rest = post(body)[:200_000], post(body)[200_000:]
        writer.write(head)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(rest)
        await writer.drain()
        assert (await reader.readline()).split()[1] == b"413"
        writer.close()
