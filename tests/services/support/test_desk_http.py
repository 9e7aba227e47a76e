"""The desk over HTTP with all of its real rooms: a FAQ answered, streamed, resumed; sessions, limits, refusals."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from steward.services.identity.api import Role
from steward.services.knowledge.api import FaqInput, KnowledgeApi
from tests.support.database import database_of
from tests.support.house import Answer, House, Member, open_house
from tests.support.postgres import PostgresForTests

QUESTION = "How long does delivery take?"
ANSWER = "Delivery takes three working days. You get a message when the parcel leaves."


@pytest_asyncio.fixture(scope="module")
async def house(postgres: PostgresForTests, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    home = tmp_path_factory.getbasetemp() / "steward-home"
    home.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_house(dsn, postgres.dsn(database_of(dsn)), Path(home)))


@pytest_asyncio.fixture(scope="module")
async def developer(house: House) -> Member:
    """Of a tenant that has one FAQ."""
    tenant = await house.installation.tenant()
    knowledge = house.installation.api(KnowledgeApi)
    await knowledge.create_faq(tenant.owner, faq=FaqInput(id="delivery", question=QUESTION, answer=ANSWER))
    return await house.member(tenant, Role.DEVELOPER, Role.SUPPORT_AGENT)


async def chat(house: House, member: Member, headers: Mapping[str, str] | None = None, **body: Any) -> Answer:
    return await house.http("POST", "/api/v1/chat", {**member.bearer, **(headers or {})}, body)


def events_of(body: bytes) -> list[tuple[str, str, Any]]:
    """Id, type and data of each event of a stream."""
    found: list[tuple[str, str, Any]] = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["id"], lines["event"], msgspec.json.decode(lines["data"])))
    return found


async def test_faq_is_answered_word_for_word_with_its_source(house: House, developer: Member) -> None:
    answer = await chat(house, developer, message=QUESTION, user_id="ann")
    assert answer.status == 200, answer.body
    said = answer.json
    assert ANSWER in said["message"]
    assert said["agent_type"] == "faq"
    assert said["citations"][0]["document_id"] == "delivery"
    assert said["degraded"] is False
    assert set(said["intent"]) >= {"type", "confidence", "entities"}
    again = await chat(house, developer, message="how long does delivery take", user_id="bob")
    assert again.json["from_cache"] in {True, False}
    third = await chat(house, developer, message=QUESTION, user_id="carol")
    assert third.json["from_cache"] is True
    assert third.json["message"] == said["message"]
    history = await house.http("GET", f"/api/v1/sessions/{third.json['session_id']}/history", developer.bearer)
    assert [message["text"] for message in history.json["items"]] == [QUESTION, said["message"]]
    assert history.json["items"][1]["from_cache"] is True


async def test_stream_over_http_and_its_resumption(house: House, developer: Member) -> None:
    accept = {"Accept": "text/event-stream"}
    answer = await chat(house, developer, accept, message="Do you sell gift cards?", user_id="ann")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    events = events_of(answer.body)
    assert events[0][1] == "message.accepted"
    assert events[-1][1] == "message.completed"
    assert (
        "".join(data["text"] for _, kind, data in events if kind == "message.delta")
        == events[-1][2]["answer"]["message"]
    )
    for number, (event_id, _, _) in enumerate(events):
        rest = await chat(
            house, developer, {**accept, "Last-Event-ID": event_id}, message="Do you sell gift cards?", user_id="ann"
        )
        assert events_of(rest.body) == events[number + 1 :]


async def test_session_can_be_read_and_cleared_by_its_customer_only(house: House, developer: Member) -> None:
    session = UUID((await chat(house, developer, message="hello", user_id="ann")).json["session_id"])
    path = f"/api/v1/sessions/{session}"
    assert (await house.http("GET", f"{path}/history", developer.bearer, user_id="ann")).status == 200
    for answer in (
        await house.http("GET", f"{path}/history", developer.bearer, user_id="bob"),
        await house.http("DELETE", path, developer.bearer, user_id="bob"),
        await chat(house, developer, message="hello", user_id="bob", session_id=str(session)),
    ):
        assert (answer.status, answer.code) == (404, "chat_session_not_found")
    assert (await house.http("DELETE", path, developer.bearer, user_id="ann")).status == 204
    assert (await house.http("GET", f"{path}/history", developer.bearer)).json["items"] == []


async def test_customer_who_writes_too_often_is_told_when_to_go_on(house: House, developer: Member) -> None:
    answers = [await chat(house, developer, message=QUESTION, user_id="eager") for _ in range(61)]
    assert {answer.status for answer in answers[:60]} == {200}
    last = answers[60]
    assert (last.status, last.code) == (429, "customer_limited")
    headers = {name.lower(): value for name, value in last.headers.items()}
    assert int(headers["retry-after"]) >= 1
    assert '"customer";q=60;w=60' in headers["ratelimit-policy"]
    assert '"customer";r=0' in headers["ratelimit"]
    assert (await chat(house, developer, message=QUESTION, user_id="other")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"message": ""},
        {"message": "x" * 8001},
        {"message": "x", "user_id": ""},
        {"message": "x", "session_id": "1"},
        {"message": "x", "metadata": {"a": 1}},
        {"message": "x", "extra": 1},
        {"text": "x"},
    ],
)
async def test_message_that_is_no_message_is_refused(house: House, developer: Member, body: Mapping[str, Any]) -> None:
    assert (await chat(house, developer, **body)).status == 422


async def test_refusal_of_a_stream_is_a_proper_answer(house: House, developer: Member) -> None:
    viewer = await house.member(await house.installation.tenant())
    answer = await chat(house, viewer, {"Accept": "text/event-stream"}, message="hello")
    assert (answer.status, answer.code) == (403, "permission_denied")
    assert (await house.http("POST", "/api/v1/chat", {"Accept": "text/event-stream"}, {"message": "x"})).status == 401


async def test_same_key_gives_the_first_answer_and_another_body_is_refused(house: House, developer: Member) -> None:
    key = {"Idempotency-Key": "chat-1"}
    first = await chat(house, developer, key, message="hello there", user_id="ann")
    again = await chat(house, developer, key, message="hello there", user_id="ann")
    assert first.status == 200
    assert again.json == first.json
    other = await chat(house, developer, key, message="another", user_id="ann")
    assert other.status == 409
    history = await house.http("GET", f"/api/v1/sessions/{first.json['session_id']}/history", developer.bearer)
    assert len(history.json["items"]) == 2


async def test_customer_token_in_the_head_counts_wherever_it_is_taken(house: House, developer: Member) -> None:
    session = (await chat(house, developer, message=QUESTION, user_id="ann")).json["session_id"]
    head = {"X-Customer-Token": "nobody.signed.this"}
    refused = await chat(house, developer, head, message=QUESTION)
    assert (refused.status, refused.json["code"]) == (401, "customer_token_invalid")
    for method, path in (("GET", f"/api/v1/sessions/{session}/history"), ("DELETE", f"/api/v1/sessions/{session}")):
        answer = await house.http(method, path, {**developer.bearer, **head})
        assert (answer.status, answer.json["code"]) == (401, "customer_token_invalid"), method
