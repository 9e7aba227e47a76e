"""What the edge does for the surfaces: forms of failures, limits of their own, heartbeats, header fields of answers."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar

from steward.gateway.settings import GatewaySettings
from steward.kit.testing.provider import Reply
from tests.gateway.fakes import TOKEN
from tests.services.models.served import Served, running

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ASKING = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
ASKING_CLAUDE = {**ASKING, "model": "message", "max_tokens": 100}


@pytest_asyncio.fixture(scope="module")
async def module_served() -> AsyncIterator[Served]:
    # A time that calls to models may pass, and other requests may not.
    async with running(GatewaySettings(request_seconds=0.3, user_per_minute=10_000)) as served:
        yield served


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.reset()
    return module_served


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return msgspec.json.decode(self.body)


async def call(served: Served, method: str, path: str, **options: Any) -> Answer:
    headers = {**BEARER, **options.pop("headers", {})}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, served.url + path, headers=headers, **options) as response,
    ):
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, found, await response.read())


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "route_not_found"),
        ("GET", CHAT, 405, "method_not_allowed"),
        ("GET", "/v1/models/nothing", 404, "model_not_found"),
    ],
)
async def test_failures_below_v1_have_openais_form(
    served: Served, method: str, path: str, status: int, code: str
) -> None:
    answer = await call(served, method, path)
    assert answer.status == status
    error = answer.json["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["message"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/messages/nothing", 404, "not_found_error"),
        ("GET", MESSAGES, 405, "invalid_request_error"),
    ],
)
async def test_failures_below_messages_have_anthropics_form(
    served: Served, method: str, path: str, status: int, kind: str
) -> None:
    answer = await call(served, method, path)
    assert answer.status == status
    assert (answer.json["type"], answer.json["error"]["type"]) == ("error", kind)
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing", CHAT, MESSAGES])
async def test_nothing_below_v1_answers_without_a_credential(served: Served, path: str) -> None:
    answer = await call(served, "POST", path, headers={"Authorization": "Bearer wrong"}, json=ASKING)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json["error"]["message"]
    assert served.provider.asked == []


async def test_too_many_guesses_are_told_when_to_come_back_in_the_dialects_form() -> None:
    async with running(GatewaySettings(address_per_minute=2)) as served:
        for _ in range(3):
            answer = await call(served, "POST", MESSAGES, headers={"Authorization": "Bearer wrong"}, json=ASKING)
    assert answer.status == 429
    assert answer.json["error"]["type"] == "rate_limit_error"
    assert int(answer.headers["retry-after"]) >= 1


def nested(depth: int) -> bytes:
    return b'{"model": "chat", "messages": [], "deep": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_parameter"),
        (nested(99), 400, "invalid_parameter"),
        (nested(101), 400, "json_too_deep"),
        (b'"\xff"', 400, "malformed_request"),
        (b'"\\u0000"', 400, "invalid_input"),
    ],
)
async def test_bodies_that_cannot_be_read_are_refused_in_the_dialects_form(
    served: Served, body: bytes, status: int, code: str
) -> None:
    answer = await call(served, "POST", CHAT, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


async def test_body_that_is_declared_too_large_is_refused_before_it_comes(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {32 * 1024 * 1024 + 1}\r\n\r\n".encode())
    answer = await reader.readuntil(b'"code":"body_too_large"')
    assert answer.startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_other_content_types_are_refused(served: Served) -> None:
    answer = await call(served, "POST", CHAT, data=b"a=b", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json["error"]["code"]) == (415, "unsupported_media_type")


async def test_large_body_reaches_the_provider_whole(served: Served) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 2_000_000}}
    asking = {**ASKING, "messages": [{"role": "user", "content": [image]}]}
    body = io.BytesIO(msgspec.json.encode(asking))
    answer = await call(served, "POST", CHAT, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 200
    assert len(served.provider.asked[0].raw) > 2_000_000


async def test_call_may_take_longer_than_other_requests(served: Served) -> None:
    served.provider.tell(Reply(text="At last.", before_head=0.4))
    answer = await call(served, "POST", CHAT, json=ASKING)
    assert answer.json["choices"][0]["message"]["content"] == "At last."


async def test_answer_names_who_gave_it(served: Served) -> None:
    answer = await call(served, "POST", CHAT, json=ASKING)
    assert answer.headers["steward-provider"] == "open"
    streamed = await call(served, "POST", CHAT, json={**ASKING, "stream": True})
    assert streamed.headers["steward-provider"] == "open"
    assert streamed.headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize(
    ("path", "body", "beat"),
    [(CHAT, ASKING, b": still here\n\n"), (MESSAGES, ASKING_CLAUDE, b'event: ping\ndata: {"type": "ping"}\n\n')],
)
async def test_silent_stream_says_that_it_is_alive(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str, body: Mapping[str, object], beat: bytes
) -> None:
    monkeypatch.setattr("steward.kit.web.HEARTBEAT_SECONDS", 0.02)
    served.provider.tell(Reply(text="Slowly", between=0.05))
    answer = await call(served, "POST", path, json={**body, "stream": True})
    assert answer.body.count(beat) > 2


async def test_refusal_before_the_first_event_is_no_stream(served: Served) -> None:
    served.provider.tell(Reply(status=400, error_message="no"))
    answer = await call(served, "POST", CHAT, json={**ASKING, "stream": True})
    assert (answer.status, answer.json["error"]["code"]) == (400, "provider_refused")


async def test_calls_go_the_short_way(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_way: list[str] = []

    async def watched(self: Litestar, scope: dict[str, str], receive: object, send: object) -> None:
        whole_way.append(scope["path"])

    monkeypatch.setattr(Litestar, "__call__", watched)
    for path, body in ((CHAT, ASKING), (MESSAGES, ASKING_CLAUDE), ("/v1/responses", {"model": "chat", "input": "Hi"})):
        assert (await call(served, "POST", path, json=body)).status == 200
    assert (await call(served, "POST", "/v1/embeddings", json={"model": "chat", "input": "Hi"})).status == 200
    assert (await call(served, "GET", "/v1/models")).status == 200
    assert (await call(served, "GET", "/v1/models/open/fake-small")).status == 200
    assert whole_way == []


async def test_caller_without_the_permission_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.identity, "known", dict(served.identity.known))
    monkeypatch.setattr(type(served.identity), "scopes", frozenset({"model:read"}))
    served.identity.known["reader"] = served.identity.known[TOKEN]

    async def refused(*_: object) -> None:
        return None

    monkeypatch.setattr("steward.kit.authz.Authz.refused", refused)
    for method, path in (("POST", CHAT), ("POST", "/v1/responses"), ("POST", "/v1/embeddings"), ("GET", "/v1/models")):
        body = {**ASKING, "input": "Hi"}
        answer = await call(served, method, path, headers={"Authorization": "Bearer reader"}, json=body)
        assert (answer.status, answer.json["error"]["code"]) == (403, "permission_denied"), path
