"""The client's talk with the desk: streams that go on after they broke, and messages that are not doubled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiohttp import web

from steward.client import ApiError, ApiKeyAuth, StewardClient, Unreachable
from steward.client.events import EventReader, ServerSentEvent
from steward.services.knowledge.api import DocumentInput, SearchFilters
from steward.services.support.api import ChatEvent, ChatEventType
from tests.cli.desk import chat_answer, event, stream
from tests.cli.examples import uuid


class Desk:
    """A server that breaks off where a test says."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], dict[str, object]]] = []
        self.parts: list[list[bytes] | int] = []
        """What each request gets: events and then the end of the connection, or a status."""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.json()))
        part = self.parts.pop(0)
        if isinstance(part, int):
            problem = {"title": "t", "status": part, "code": f"code_{part}", "detail": "d"}
            return web.json_response(problem, status=part)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for each in part:
            await response.write(each)
        if request.transport is not None and not part[-1].startswith(b"id: " + uuid(2).encode() + b":1003"):
            request.transport.abort()
        return response


@asynccontextmanager
async def talking(desk: Desk) -> AsyncIterator[StewardClient]:
    app = web.Application()
    app.router.add_post("/api/v1/chat", desk.chat)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with StewardClient(f"http://127.0.0.1:{port}", ApiKeyAuth("k"), timeout_s=5) as client:
            yield client
    finally:
        await runner.cleanup()


async def gathered(events: AsyncIterator[ChatEvent]) -> list[ChatEvent]:
    return [event async for event in events]


async def test_a_stream_that_breaks_goes_on_behind_its_last_event() -> None:
    whole = stream()
    desk = Desk()
    desk.parts = [whole[:3], 503, whole[3:5], whole[5:]]
    async with talking(desk) as client:
        found = await gathered(client.desk.chat_stream("How long?", user_id="ann", session_id=UUID(uuid(1))))
    assert [one.id.rpartition(":")[2] for one in found] == ["0", "1", "1000", "1001", "1002", "1003"]
    assert found[-1].answer is not None
    assert found[-1].answer.message == "Two days."
    after = [headers.get("last-event-id", "-").rpartition(":")[2] for headers, _ in desk.requests]
    assert after == ["-", "1", "1", "1001"]
    assert {str(body) for _, body in desk.requests} == {str(desk.requests[0][1])}


async def test_a_stream_that_breaks_before_its_first_event_is_not_sent_twice() -> None:
    desk = Desk()
    desk.parts = [[b": nothing yet\n\n"]]
    async with talking(desk) as client:
        with pytest.raises(Unreachable):
            await gathered(client.desk.chat_stream("hi"))
    assert len(desk.requests) == 1


async def test_a_stream_is_gone_on_with_by_the_id_of_an_event() -> None:
    desk = Desk()
    desk.parts = [stream()[4:]]
    async with talking(desk) as client:
        found = await gathered(client.desk.chat_stream("hi", after=f"{uuid(2)}:1000", customer_token="jwt"))
    assert [one.type for one in found] == [ChatEventType.DELTA, ChatEventType.DELTA, ChatEventType.COMPLETED]
    headers = desk.requests[0][0]
    assert (headers["last-event-id"], headers["x-customer-token"]) == (f"{uuid(2)}:1000", "jwt")


async def test_events_of_a_later_version_are_passed_over_and_refusals_are_not_tried_again() -> None:
    desk = Desk()
    desk.parts = [[event(0, "message.accepted"), event(1, "thinking", text="…"), *stream()[-1:]], 404]
    async with talking(desk) as client:
        found = await gathered(client.desk.chat_stream("hi"))
        assert [one.type for one in found] == [ChatEventType.ACCEPTED, ChatEventType.COMPLETED]
        with pytest.raises(ApiError, match="d"):
            await gathered(client.desk.chat_stream("hi", after=f"{uuid(2)}:0"))
    assert len(desk.requests) == 2


def test_lines_of_a_stream_make_events() -> None:
    reader = EventReader()
    lines = ["event: a\r\n", "data: 1\n", "data:2\n", ": comment\n", "id: x\n", "\n", "\n", "data: {}\n", "\n"]
    found = [event for line in lines if (event := reader.line(line.encode())) is not None]
    assert found == [ServerSentEvent("a", "1\n2"), ServerSentEvent("message", "{}")]


async def test_a_message_carries_a_key_so_that_it_is_not_doubled(remote) -> None:
    remote.on("POST", "/api/v1/chat", (200, chat_answer()))
    async with StewardClient(remote.url, ApiKeyAuth("k")) as client:
        answer = await client.desk.chat("hi", user_id="ann", metadata={"page": "/cart"})
    assert answer.citations[0].document_id == "f1"
    request = remote.requests[-1]
    assert request.headers["idempotency-key"]
    assert request.body == {"message": "hi", "user_id": "ann", "metadata": {"page": "/cart"}}


async def test_history_and_clearing_name_the_customer(remote) -> None:
    path = f"/api/v1/sessions/{uuid(1)}"
    message = {"id": uuid(2), "sender": "user", "text": "hi", "created_at": "2026-01-02T03:04:05Z"}
    remote.on("GET", f"{path}/history", (200, {"items": [message]}))
    remote.on("DELETE", path, (204, None))
    async with StewardClient(remote.url, ApiKeyAuth("k")) as client:
        page = await client.desk.history(UUID(uuid(1)), user_id="ann", limit=5)
        await client.desk.clear(UUID(uuid(1)), user_id="ann", customer_token="jwt")
    assert [one.text for one in page.items] == ["hi"]
    assert [request.query for request in remote.requests] == [{"user_id": "ann", "limit": "5"}, {"user_id": "ann"}]
    assert remote.requests[-1].headers["x-customer-token"] == "jwt"


async def test_knowledge_is_put_and_searched(remote) -> None:
    stored = {"id": "a/b", "version": 1, "chunks": 1, "changed": True}
    remote.on("POST", "/api/v1/knowledge/documents", (200, {"documents": [stored]}))
    remote.on("POST", "/api/v1/knowledge/search", (200, {"query_id": uuid(4), "hits": []}))
    remote.on("DELETE", "/api/v1/knowledge/documents/a%2Fb", (204, None))
    async with StewardClient(remote.url, ApiKeyAuth("k")) as client:
        [found] = await client.knowledge.put_documents([DocumentInput(id="a/b", text="text", tags=["t"])])
        result = await client.knowledge.search("q", k=3, filters=SearchFilters(tags=["t"]))
        await client.knowledge.delete_document("a/b")
    assert (found.id, result.hits) == ("a/b", [])
    put, searched, _ = remote.requests
    assert put.body["documents"][0]["id"] == "a/b"
    assert searched.body == {"query": "q", "k": 3, "filters": {"tags": ["t"]}}
