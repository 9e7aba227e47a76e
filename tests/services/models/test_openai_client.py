"""OpenAI's own Python client works unchanged: calls, streams, tools, errors, retries, lists."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from uuid import UUID

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from pydantic import BaseModel

from steward.kit.testing.provider import Call, Reply, Tokens
from steward.services.costs.errors import BudgetExhausted
from tests.services.models.served import KEY, UPSTREAM_KEY, Served, running

USER = [{"role": "user", "content": "Where is my order?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a town.",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}


class Town(BaseModel):
    name: str
    people: int


@pytest_asyncio.fixture(scope="module")
async def module_served() -> AsyncIterator[Served]:
    async with running() as served:
        yield served


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.reset()
    return module_served


@pytest_asyncio.fixture
async def client(served: Served) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1", max_retries=0) as made:
        yield made


async def test_chat(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="On its way.", usage=Tokens(input=20, cached=5, output=7, reasoning=3)))
    answer = await client.chat.completions.create(
        model="chat", messages=USER, temperature=0.5, max_completion_tokens=50, metadata={"team": "shop", "a b": "c"}
    )
    assert answer.choices[0].message.content == "On its way."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (20, 7)
    assert answer.usage.prompt_tokens_details.cached_tokens == 5
    (asked,) = served.provider.asked
    assert asked.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert asked.body["temperature"] == 0.5
    assert asked.asked_max == 50
    assert served.directory.asked[0].tags == {"team": "shop"}
    assert served.costs.reserved[0].alias == "chat"


async def test_chat_with_a_model_of_the_other_dialect(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="Bonjour", reasoning="In French."))
    answer = await client.chat.completions.create(model="message", messages=USER)
    assert answer.choices[0].message.content == "Bonjour"
    assert served.provider.asked[0].path == "/v1/messages"


async def test_stream_of_chat(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="It is on its way to you.", piece=5))
    stream = await client.chat.completions.create(
        model="chat", messages=USER, stream=True, stream_options={"include_usage": True}
    )
    said, usages, reasons = [], [], []
    async for chunk in stream:
        usages.append(chunk.usage)
        for choice in chunk.choices:
            said.append(choice.delta.content or "")
            reasons.append(choice.finish_reason)
    assert "".join(said) == "It is on its way to you."
    assert len([each for each in said if each]) > 3
    assert reasons[-1] == "stop"
    assert usages[-1] is not None


async def test_tools_whole_and_streamed(client: AsyncOpenAI, served: Served) -> None:
    calls = (Call("weather", '{"town": "Taipei"}'), Call("weather", '{"town": "Oslo"}'))
    served.provider.tell(Reply(calls=calls), Reply(calls=calls), Reply(text="Warm and cold."))
    whole = await client.chat.completions.create(model="chat", messages=USER, tools=[WEATHER], tool_choice="required")
    message = whole.choices[0].message
    assert whole.choices[0].finish_reason == "tool_calls"
    assert [each.function.arguments for each in message.tool_calls or ()] == [each.arguments for each in calls]
    async with client.chat.completions.stream(model="chat", messages=USER, tools=[WEATHER]) as stream:
        streamed = (await stream.get_final_completion()).choices[0].message
    assert [each.function.arguments for each in streamed.tool_calls or ()] == [each.arguments for each in calls]
    results = [{"role": "tool", "tool_call_id": each.id, "content": "20"} for each in message.tool_calls or ()]
    history = [*USER, message.model_dump(exclude_none=True), *results]
    end = await client.chat.completions.create(model="chat", messages=history, tools=[WEATHER])
    assert end.choices[0].message.content == "Warm and cold."
    assert [each["role"] for each in served.provider.asked[-1].body["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
    ]


async def test_structured_output(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text='{"name": "Oslo", "people": 700000}'))
    answer = await client.chat.completions.parse(model="chat", messages=USER, response_format=Town)
    assert answer.choices[0].message.parsed == Town(name="Oslo", people=700000)
    assert served.provider.asked[0].body["response_format"]["json_schema"]["name"] == "Town"


async def test_responses_whole_and_streamed(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="Whole."), Reply(text="Piece by piece."))
    whole = await client.responses.create(model="chat", input="Where is it?", instructions="Be short.", store=False)
    assert whole.output_text == "Whole."
    assert whole.status == "completed"
    assert served.provider.asked[0].system == "Be short."
    async with client.responses.stream(model="chat", input="Where is it?", store=False) as stream:
        kinds = [event.type async for event in stream]
        streamed = await stream.get_final_response()
    assert streamed.output_text == "Piece by piece."
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_embeddings(client: AsyncOpenAI, encoding: str) -> None:
    answer = await client.embeddings.create(model="chat", input=["a", "b"], encoding_format=encoding, dimensions=4)
    vectors = [each.embedding for each in answer.data]
    if encoding == "base64":
        vectors = [list(struct.unpack("<4f", base64.b64decode(str(each)))) for each in vectors]
    assert [len(each) for each in vectors] == [4, 4]
    assert vectors[0] != vectors[1]
    assert answer.usage.prompt_tokens > 0


async def test_models(client: AsyncOpenAI) -> None:
    found = {each.id: each.owned_by async for each in client.models.list()}
    assert found == {"chat": "steward", "message": "steward", "retried": "steward", "open/fake-small": "open"}
    assert (await client.models.retrieve("open/fake-small")).id == "open/fake-small"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nothing/here")


@pytest.mark.parametrize(
    ("change", "error", "param"),
    [
        ({"model": "nowhere"}, openai.NotFoundError, "model"),
        ({"model": "claude/fake-large"}, openai.PermissionDeniedError, None),
        ({"messages": "no list"}, openai.BadRequestError, "messages"),
        ({"extra_headers": {"Steward-Cache": "perhaps"}}, openai.BadRequestError, "Steward-Cache"),
        ({"extra_headers": {"Steward-Unknown": "x"}}, openai.BadRequestError, "Steward-Unknown"),
        ({"extra_headers": {"Steward-Tags": "a"}}, openai.BadRequestError, "Steward-Tags"),
        ({"extra_headers": {"Steward-Tags": "1=b"}}, openai.BadRequestError, "Steward-Tags"),
        ({"extra_body": {"n": "two"}}, openai.BadRequestError, "n"),
    ],
)
async def test_bad_requests_are_the_clients_exceptions(
    client: AsyncOpenAI, served: Served, change: dict[str, object], error: type[openai.APIStatusError], param: str
) -> None:
    with pytest.raises(error) as caught:
        await client.chat.completions.create(**{"model": "chat", "messages": USER, **change})  # pyright: ignore[reportArgumentType, reportCallIssue] wrong on purpose
    assert caught.value.param == param
    assert caught.value.code
    assert caught.value.request_id
    assert served.provider.asked == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=400, error_message="the prompt is odd", error_param="messages"), openai.BadRequestError),
        (Reply(status=500), openai.InternalServerError),
        (Reply(status=429, headers={"retry-after": "7"}), openai.RateLimitError),
    ],
)
async def test_failures_of_providers_are_the_clients_exceptions(
    client: AsyncOpenAI, served: Served, reply: Reply, error: type[openai.APIStatusError]
) -> None:
    served.provider.tell(reply)
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model="chat", messages=USER)
    assert UPSTREAM_KEY not in caught.value.response.text
    if error is openai.RateLimitError:
        assert int(caught.value.response.headers["retry-after"]) >= 1


async def test_wrong_and_missing_credentials(served: Served) -> None:
    for key in ("wrong", KEY):
        headers = {"X-API-Key": "other"} if key == KEY else {}
        async with AsyncOpenAI(
            api_key=key, base_url=f"{served.url}/v1", max_retries=0, default_headers=headers
        ) as client:
            with pytest.raises((openai.AuthenticationError, openai.BadRequestError)) as caught:
                await client.chat.completions.create(model="chat", messages=USER)
            assert caught.value.body


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client waits before it tries again; it does not really."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
    return waited


async def test_client_tries_again_after_the_time_that_it_is_told(served: Served, pauses: list[float]) -> None:
    served.provider.tell(Reply(status=429, headers={"retry-after": "7"}), Reply(text="Now."))
    async with AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1", max_retries=1) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="chat", messages=USER)
    # The second try comes before the provider's time is over, for the client did not really wait.
    assert [6 < each <= 7 for each in pauses] == [True]
    assert "rate limit" in caught.value.message


async def test_client_does_not_try_again_where_it_is_of_no_use(served: Served, pauses: list[float]) -> None:
    served.costs.refuse = BudgetExhausted(UUID(int=1), "Team", limit=5, used=5, unit="usd", resets_at=None)
    async with AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1", max_retries=2) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="chat", messages=USER)
    assert pauses == []
    assert caught.value.code == "budget_exhausted"
    assert caught.value.type == "insufficient_quota"
    assert "'Team'" in caught.value.message


async def test_stream_that_breaks_ends_with_the_clients_exception(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="It is on its way to you.", error_after=4))
    stream = await client.chat.completions.create(model="chat", messages=USER, stream=True)
    said: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            said.extend(choice.delta.content or "" for choice in chunk.choices)

    with pytest.raises(openai.APIError):
        await read()
    assert "".join(said).startswith("It")


async def test_client_that_leaves_ends_the_providers_work(client: AsyncOpenAI, served: Served) -> None:
    served.provider.tell(Reply(text="x" * 4000, between=0.005))
    before = served.provider.disconnects
    stream = await client.chat.completions.create(model="chat", messages=USER, stream=True)
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            break
    await stream.close()
    await served.edge.idle()
    await served.calls.drain()
    async with asyncio.timeout(2):
        while served.provider.disconnects == before:  # noqa: ASYNC110 - the other end of a socket tells nobody
            await asyncio.sleep(0.005)
    assert served.costs.settled[0].outcome == "cancelled"
