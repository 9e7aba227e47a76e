"""Anthropic's own Python client works unchanged: calls, streams, tools, errors, retries, counting."""

from collections.abc import AsyncIterator

import anthropic
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic

from steward.kit.testing.provider import Call, Reply, Tokens
from tests.services.models.served import KEY, UPSTREAM_KEY, Served, running

USER = [{"role": "user", "content": "Where is my order?"}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a town.",
    "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
}


@pytest_asyncio.fixture(scope="module")
async def module_served() -> AsyncIterator[Served]:
    async with running() as served:
        yield served


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.reset()
    return module_served


@pytest_asyncio.fixture
async def client(served: Served) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key=KEY, base_url=served.url, max_retries=0) as made:
        yield made


async def test_message(client: AsyncAnthropic, served: Served) -> None:
    served.provider.tell(Reply(text="On its way.", usage=Tokens(input=20, cached=5, output=7)))
    answer = await client.messages.create(
        model="message",
        max_tokens=50,
        messages=USER,
        system="Be short.",
        extra_headers={"anthropic-beta": "context-1m-2025-08-07", "Steward-Tags": "team=shop"},
    )
    assert [each.text for each in answer.content if each.type == "text"] == ["On its way."]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens, answer.usage.output_tokens) == (15, 5, 7)
    (asked,) = served.provider.asked
    assert asked.path == "/v1/messages"
    assert asked.headers["x-api-key"] == UPSTREAM_KEY
    assert asked.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert asked.system == "Be short."
    assert served.directory.asked[0].tags == {"team": "shop"}


async def test_message_to_a_model_of_the_other_dialect(client: AsyncAnthropic, served: Served) -> None:
    served.provider.tell(Reply(text="Hello."))
    answer = await client.messages.create(model="chat", max_tokens=50, messages=USER)
    assert answer.content[0].type == "text"
    assert served.provider.asked[0].path == "/v1/chat/completions"
    assert "anthropic-beta" not in served.provider.asked[0].headers


async def test_stream_of_messages(client: AsyncAnthropic, served: Served) -> None:
    served.provider.tell(Reply(text="It is on its way.", reasoning="They ask where it is."))
    async with client.messages.stream(model="message", max_tokens=500, messages=USER) as stream:
        kinds = [event.type async for event in stream]
        message = await stream.get_final_message()
    assert [each.type for each in message.content] == ["thinking", "text"]
    assert message.content[0].type == "thinking"
    assert message.content[0].thinking == "They ask where it is."
    assert message.content[-1].type == "text"
    assert message.content[-1].text == "It is on its way."
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert message.usage.output_tokens > 0


@pytest.mark.parametrize("model", ["message", "chat"])
async def test_tools(client: AsyncAnthropic, served: Served, model: str) -> None:
    calls = (Call("weather", '{"town": "Taipei"}'), Call("weather", '{"town": "Oslo"}'))
    served.provider.tell(Reply(calls=calls), Reply(text="Warm and cold."))
    async with client.messages.stream(model=model, max_tokens=500, messages=USER, tools=[WEATHER]) as stream:
        message = await stream.get_final_message()
    uses = [each for each in message.content if each.type == "tool_use"]
    assert [each.input for each in uses] == [{"town": "Taipei"}, {"town": "Oslo"}]
    assert message.stop_reason == "tool_use"
    results = [{"type": "tool_result", "tool_use_id": each.id, "content": "20"} for each in uses]
    history = [
        *USER,
        {"role": "assistant", "content": [each.model_dump(exclude_none=True) for each in message.content]},
        {"role": "user", "content": results},
    ]
    end = await client.messages.create(model=model, max_tokens=500, messages=history, tools=[WEATHER])
    assert end.content[0].type == "text"
    assert end.content[0].text == "Warm and cold."


async def test_tokens_are_counted_without_asking_the_provider(client: AsyncAnthropic, served: Served) -> None:
    short = await client.messages.count_tokens(model="message", messages=USER)
    long = await client.messages.count_tokens(model="message", messages=USER, system="Be kind. " * 200)
    assert 3 < short.input_tokens < 50
    assert long.input_tokens > short.input_tokens + 300
    assert served.provider.asked == []


async def test_models_come_in_pages(client: AsyncAnthropic) -> None:
    assert [each.id async for each in client.models.list(limit=3)] == ["chat", "message", "open/fake-small", "retried"]
    assert (await client.models.retrieve("open/fake-small")).display_name == "open/fake-small"
    page = await client.models.list(limit=2, before_id="open/fake-small")
    assert ([each.id for each in page.data], page.has_more) == (["chat", "message"], False)
    with pytest.raises(anthropic.BadRequestError):
        await client.models.list(limit=0)


@pytest.mark.parametrize(
    ("change", "error", "kind"),
    [
        ({"model": "nowhere"}, anthropic.NotFoundError, "not_found_error"),
        ({"model": "claude/fake-large"}, anthropic.PermissionDeniedError, "permission_error"),
        ({"messages": "no list"}, anthropic.BadRequestError, "invalid_request_error"),
        ({"extra_headers": {"Steward-Task": "dishes"}}, anthropic.BadRequestError, "invalid_request_error"),
        ({"extra_body": {"a": "b\x00"}}, anthropic.BadRequestError, "invalid_request_error"),
    ],
)
async def test_bad_requests_are_the_clients_exceptions(
    client: AsyncAnthropic, served: Served, change: dict[str, object], error: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as caught:
        await client.messages.create(**{"model": "message", "max_tokens": 5, "messages": USER, **change})  # pyright: ignore[reportArgumentType, reportCallIssue] wrong on purpose
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind
    assert caught.value.body["error"]["message"]
    assert caught.value.request_id
    assert served.provider.asked == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=400, error_message="the prompt is odd"), anthropic.BadRequestError),
        (Reply(status=529), anthropic.InternalServerError),
        (Reply(status=429, headers={"retry-after": "7"}), anthropic.RateLimitError),
    ],
)
async def test_failures_of_providers_are_the_clients_exceptions(
    client: AsyncAnthropic, served: Served, reply: Reply, error: type[anthropic.APIStatusError]
) -> None:
    served.provider.tell(reply)
    with pytest.raises(error) as caught:
        await client.messages.create(model="message", max_tokens=5, messages=USER)
    assert UPSTREAM_KEY not in caught.value.response.text


async def test_wrong_credential_is_the_clients_exception(served: Served) -> None:
    async with AsyncAnthropic(api_key="wrong", base_url=served.url, max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as caught:
            await client.messages.create(model="message", max_tokens=5, messages=USER)
    assert caught.value.request_id
    async with AsyncAnthropic(auth_token=KEY, base_url=served.url, max_retries=0) as client:
        assert (await client.messages.create(model="message", max_tokens=5, messages=USER)).content
