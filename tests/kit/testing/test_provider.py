"""The fake provider speaks as the real ones do, as far as their own clients can tell, and counts what it bills."""

import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from anthropic import AsyncAnthropic
from openai import APIStatusError, AsyncOpenAI

from steward.kit.testing.provider import Bill, Call, FakeProvider, Reply, Tokens

MODEL = "fake-large"
SAID = Reply(reasoning="Hm.", text="Good day to you", calls=[Call("look", '{"at": "sky"}')])
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
ASKED = [{"role": "user", "content": "hi mark:a-1 there"}]


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def openai(provider: FakeProvider) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=provider.url + "/v1", api_key="sk-a", max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic(provider: FakeProvider) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=provider.url, api_key="sk-a", max_retries=0) as client:
        yield client


async def test_openais_client_reads_whole_and_streamed(provider: FakeProvider, openai: AsyncOpenAI) -> None:
    provider.tell(SAID, SAID)
    whole = await openai.chat.completions.create(model=MODEL, messages=ASKED, tools=TOOLS)
    async with openai.chat.completions.stream(
        model=MODEL, messages=ASKED, tools=TOOLS, stream_options={"include_usage": True}
    ) as stream:
        streamed = await stream.get_final_completion()
    for answer in (whole, streamed):
        assert answer.choices[0].message.content == "Good day to you"
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.choices[0].message.tool_calls[0].function.arguments == '{"at": "sky"}'
        assert answer.usage.completion_tokens == provider.billed[0].output_tokens
    assert [bill.stream for bill in provider.billed] == [False, True]
    assert all(bill.finished and bill.mark == "a-1" for bill in provider.billed)


async def test_anthropics_client_reads_whole_and_streamed(provider: FakeProvider, anthropic: AsyncAnthropic) -> None:
    provider.tell(SAID, SAID)
    asked = {"model": MODEL, "max_tokens": 100, "messages": ASKED}
    whole = await anthropic.messages.create(**asked)
    async with anthropic.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()
    for answer in (whole, streamed):
        thought, text, call = answer.content
        assert (thought.thinking, text.text, call.input) == ("Hm.", "Good day to you", {"at": "sky"})
        assert answer.stop_reason == "tool_use"
        assert answer.usage.output_tokens == provider.billed[0].output_tokens
        assert provider.billed[0].asked_max == 100


async def test_errors_are_the_clients_own(
    provider: FakeProvider, openai: AsyncOpenAI, anthropic: AsyncAnthropic
) -> None:
    provider.tell(Reply(status=429, headers={"Retry-After": "3"}), Reply(status=529))
    with pytest.raises(APIStatusError) as refused:
        await openai.chat.completions.create(model=MODEL, messages=ASKED)
    assert (refused.value.code, refused.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "3")
    with pytest.raises(Exception, match="overloaded_error"):
        await anthropic.messages.create(model=MODEL, max_tokens=5, messages=ASKED)
    with pytest.raises(APIStatusError, match="Field required"):
        await openai.post("/chat/completions", cast_to=object, body={"model": MODEL})
    assert not provider.billed


async def test_limit_is_heeded_unless_told_otherwise(provider: FakeProvider, openai: AsyncOpenAI) -> None:
    provider.tell(Reply(text="one two three four"), Reply(text="one two three four", heeds_max=False))
    first = await openai.chat.completions.create(model=MODEL, messages=ASKED, max_completion_tokens=2)
    assert (first.choices[0].finish_reason, first.usage.completion_tokens) == ("length", 2)
    await openai.chat.completions.create(model=MODEL, messages=ASKED, max_completion_tokens=2)
    assert [bill.kept_max for bill in provider.billed] == [True, False]


async def test_a_cancelled_stream_is_billed_as_far_as_it_came(provider: FakeProvider, openai: AsyncOpenAI) -> None:
    provider.tell(Reply(text="word" * 50, between=0.005, usage=Tokens(input=10, output=100)))
    stream = await openai.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    said = 0
    async for chunk in stream:
        said += bool(chunk.choices[0].delta.content)
        if said == 3:
            break
    await stream.close()
    async with asyncio.timeout(2):
        while not provider.disconnects:  # noqa: ASYNC110 the provider tells nobody
            await asyncio.sleep(0)
    (bill,) = provider.billed
    assert not bill.finished
    assert 6 <= bill.output_tokens <= 20


async def test_models_and_embeddings(provider: FakeProvider, openai: AsyncOpenAI) -> None:
    assert [model.id async for model in openai.models.list()] == provider.models
    made = await openai.embeddings.create(model="e", input=["a", "b", "a"])
    vectors = [one.embedding for one in made.data]
    assert vectors[0] == vectors[2] != vectors[1]


async def test_openais_batches(provider: FakeProvider, openai: AsyncOpenAI) -> None:
    line = {"method": "POST", "url": "/v1/chat/completions", "body": {"model": MODEL, "messages": ASKED}}
    lines = [msgspec.json.encode({"custom_id": f"c{number}", **line}) for number in range(3)]
    provider.tell(Reply(text="one"), Reply(status=400), Reply(text="three"))
    file = await openai.files.create(file=("in.jsonl", b"\n".join(lines)), purpose="batch")
    batch = await openai.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert (await openai.batches.retrieve(batch.id)).status == "in_progress"
    done = await openai.batches.retrieve(batch.id)
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 2, 1)
    out = [msgspec.json.decode(one) for one in (await openai.files.content(done.output_file_id)).content.splitlines()]
    assert [(one["custom_id"], one["response"]["status_code"]) for one in out] == [("c0", 200), ("c2", 200)]
    assert len(provider.billed) == 2


async def test_anthropics_batches(provider: FakeProvider, anthropic: AsyncAnthropic) -> None:
    params = {"model": MODEL, "max_tokens": 5, "messages": ASKED}
    requests = [{"custom_id": f"c{number}", "params": params} for number in range(2)]
    batch = await anthropic.messages.batches.create(requests=requests)
    assert (await anthropic.messages.batches.retrieve(batch.id)).processing_status == "in_progress"
    assert (await anthropic.messages.batches.retrieve(batch.id)).processing_status == "ended"
    results = [one async for one in await anthropic.messages.batches.results(batch.id)]
    assert [(one.custom_id, one.result.type) for one in results] == [("c0", "succeeded"), ("c1", "succeeded")]


async def test_lean_provider_as_a_process() -> None:
    arguments = ["--output-tokens", "6", "--deltas", "3", "--between-ms", "1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "steward.kit.testing.provider", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with (
            AsyncOpenAI(base_url=url + "/v1", api_key="k", max_retries=0) as openai,
            AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as anthropic,
            aiohttp.ClientSession() as session,
        ):
            whole = await openai.chat.completions.create(model=MODEL, messages=ASKED)
            assert (whole.usage.completion_tokens, whole.choices[0].finish_reason) == (6, "stop")
            stream = await openai.chat.completions.create(
                model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}, max_tokens=2
            )
            chunks = [chunk async for chunk in stream]
            assert [chunk.choices[0].finish_reason for chunk in chunks[-2:-1]] == ["length"]
            assert chunks[-1].usage.completion_tokens == 2
            async with anthropic.messages.stream(model=MODEL, max_tokens=100, messages=ASKED) as stream:
                message = await stream.get_final_message()
            assert message.content[0].text == "tok tok tok "
            async with session.get(url + "/billed") as answer:
                told = msgspec.json.decode(await answer.read())
        assert (told["answers"], told["output_tokens"], told["over_max"]) == (3, 14, 0)
        bills = msgspec.convert(told["billed"], list[Bill])
        assert [bill.id for bill in bills] == [whole.id, chunks[0].id, message.id]
        assert all(bill.finished and bill.mark == "a-1" for bill in bills)
    finally:
        process.terminate()
        await process.wait()
