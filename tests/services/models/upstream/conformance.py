"""What every upstream must do, whatever it is made of; run against the fake provider."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from steward.kit.testing.provider import Call, Ending, FakeProvider, Reply, Tokens
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.folding import Assembly
from steward.services.models.messages import (
    Delta,
    Image,
    Message,
    ModelReply,
    ModelRequest,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    StopReason,
    Text,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from steward.services.models.ports import Endpoint, Upstream
from tests.services.models.upstream.callers import KEY, MODEL, asking, streamed, text_of, tool, whole

Ask = Callable[..., Awaitable[ModelReply]]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"type": "string"}},
    "required": ["mood"],
    "additionalProperties": False,
}

ERRORS: Mapping[str, tuple[Reply, FailureKind]] = {
    "refused": (Reply(status=400, error_message="temperature: too hot"), FailureKind.REFUSED),
    "unauthorized": (Reply(status=401), FailureKind.UNAUTHORIZED),
    "forbidden": (Reply(status=403), FailureKind.UNAUTHORIZED),
    "unknown model": (Reply(status=404), FailureKind.NOT_FOUND),
    "rate limit": (Reply(status=429), FailureKind.RATE_LIMITED),
    "broken": (Reply(status=500), FailureKind.BROKEN),
    "bad gateway": (Reply(status=502, body=b"<html>bad gateway</html>", content_type="text/html"), FailureKind.BROKEN),
    "unavailable": (Reply(status=503), FailureKind.OVERLOADED),
    "overloaded": (Reply(status=529, error_type="overloaded_error"), FailureKind.OVERLOADED),
}
CUTS: Mapping[str, Reply] = {
    "nothing": Reply(text="never", drop=True),
    "reset": Reply(text="never", drop=True, ending=Ending.RESET),
    "half": Reply(text="Half of this is lost.", cut_at=150),
    "reset in the body": Reply(text="Half of this is lost.", cut_at=150, ending=Ending.RESET),
}


class UpstreamConformance:
    """Subclasses give the fixtures `upstream` and `at`, the endpoint on `provider`."""

    reports_reasoning_tokens = True

    @pytest.fixture(params=["whole", "streamed"])
    def ask(self, request: pytest.FixtureRequest, upstream: Upstream, at: Endpoint) -> Ask:
        """Asks both ways; both must say the same."""

        async def ask(asked: ModelRequest, to: Endpoint | None = None) -> ModelReply:
            if request.param == "whole":
                return await whole(upstream, to or at, asked)
            assembly = Assembly()
            for event in await streamed(upstream, to or at, asked):
                assembly.add(event)
            return assembly.reply()

        return ask

    async def test_text(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(text="Quite well, thank you. 很好 🙂"))
        reply = await ask(asking())
        assert text_of(reply.choices[0].parts) == "Quite well, thank you. 很好 🙂"
        assert reply.choices[0].stop is StopReason.END
        assert (reply.model, reply.provider) == (MODEL, "acme")
        bill, asked = provider.billed[-1], provider.asked[-1]
        assert reply.id == bill.id
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (bill.input_tokens, bill.output_tokens)
        assert (bill.model, bill.asked_max, bill.finished) == (MODEL, 100, True)
        assert "Be brief." in repr(asked.body)
        assert "How are you?" in repr(asked.body["messages"][-1])

    async def test_key_is_sent_in_the_dialects_field(self, ask: Ask, provider: FakeProvider) -> None:
        provider.keys = {KEY}
        await ask(asking())
        assert "cookie" not in provider.asked[-1].headers

    async def test_tool_call(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(text="Let me look.", calls=[Call("weather", '{"city": "Köln"}')]))
        reply = await ask(asking(tools=[tool("weather")], tool_choice=ToolChoice(mode=ToolMode.REQUIRED)))
        said = reply.choices[0]
        assert said.stop is StopReason.TOOL_CALLS
        assert text_of(said.parts) == "Let me look."
        (call,) = (part for part in said.parts if isinstance(part, ToolCall))
        assert (call.name, call.id) == ("weather", "call_0_weather")
        assert msgspec.json.decode(call.arguments) == {"city": "Köln"}
        given = provider.asked[-1].body["tools"][0]
        assert "weather" in (given.get("name"), given.get("function", {}).get("name"))
        assert "city" in repr(given)

    async def test_parallel_tool_calls(self, ask: Ask, provider: FakeProvider) -> None:
        calls = [Call("weather", '{"city": "Rome"}'), Call("time", '{"city": "Oslo"}'), Call("weather", '{"city": ""}')]
        provider.tell(Reply(calls=[msgspec.structs.replace(call, id=f"id{n}") for n, call in enumerate(calls)]))
        reply = await ask(asking(tools=[tool("weather"), tool("time")]))
        made = [part for part in reply.choices[0].parts if isinstance(part, ToolCall)]
        assert [(call.id, call.name) for call in made] == [("id0", "weather"), ("id1", "time"), ("id2", "weather")]
        assert [msgspec.json.decode(call.arguments)["city"] for call in made] == ["Rome", "Oslo", ""]

    async def test_tool_results_go_back(self, ask: Ask, provider: FakeProvider) -> None:
        calls = [ToolCall(id=f"id{n}", name="weather", arguments=f'{{"city":"{n}"}}') for n in range(2)]
        results = [
            Message(role=Role.TOOL, parts=[ToolResult(call_id=call.id, content=[Text(text=f"sunny in {call.id}")])])
            for call in calls
        ]
        messages = [*asking().messages, Message(role=Role.ASSISTANT, parts=calls), *results]
        await ask(asking(messages=messages, tools=[tool("weather")]))
        sent = repr(provider.asked[-1].body["messages"])
        assert sent.index("sunny in id0") < sent.index("sunny in id1")
        assert sent.count("'id0'") == sent.count("'id1'") == 2

    async def test_image(self, ask: Ask, provider: FakeProvider) -> None:
        parts = [Text(text="What is this?"), Image(data=PIXEL, media_type="image/png")]
        await ask(asking(messages=[Message(role=Role.USER, parts=parts)]))
        sent = repr(provider.asked[-1].body["messages"])
        assert PIXEL in sent
        assert "image/png" in sent
        assert sent.index("What is this?") < sent.index(PIXEL)

    async def test_structured_output(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(text='{"mood": "good"}'))
        output = OutputFormat(
            kind=OutputKind.SCHEMA, name="mood", schema=msgspec.Raw(msgspec.json.encode(SCHEMA)), strict=True
        )
        reply = await ask(asking(output=output))
        assert msgspec.json.decode(text_of(reply.choices[0].parts)) == {"mood": "good"}
        assert "'mood': {'type': 'string'}" in repr(provider.asked[-1].body)

    async def test_reasoning(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(reasoning="They ask politely.", text="Well."))
        reply = await ask(asking())
        first, second = reply.choices[0].parts
        assert isinstance(first, Reasoning)
        assert first.text == "They ask politely."
        assert text_of([second]) == "Well."
        if self.reports_reasoning_tokens:
            assert reply.usage.reasoning_tokens == provider.billed[-1].reasoning_tokens > 0

    async def test_usage_by_class(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(text="x", usage=Tokens(input=90, output=7, cached=40)))
        usage = (await ask(asking())).usage
        assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (90, 40, 7)

    async def test_end_at_the_limit(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(text="one two three four five six"))
        reply = await ask(asking(max_output_tokens=3))
        assert reply.choices[0].stop is StopReason.LENGTH
        assert text_of(reply.choices[0].parts) == "one two thre"
        assert reply.usage.output_tokens == provider.billed[-1].output_tokens == 3

    @pytest.mark.parametrize("name", ERRORS)
    async def test_error(self, ask: Ask, provider: FakeProvider, name: str) -> None:
        told, kind = ERRORS[name]
        provider.tell(told)
        with pytest.raises(ProviderFailure) as failed:
            await ask(asking())
        assert (failed.value.kind, failed.value.status) == (kind, told.status)
        assert failed.value.unbilled
        assert KEY not in f"{failed.value!r} {failed.value} {vars(failed.value)}"
        assert len(provider.asked) == 1

    async def test_retry_after_is_told(self, ask: Ask, provider: FakeProvider) -> None:
        provider.tell(Reply(status=429, headers={"Retry-After": "7"}))
        with pytest.raises(ProviderFailure) as failed:
            await ask(asking())
        assert failed.value.retry_after == 7

    @pytest.mark.parametrize("name", CUTS)
    async def test_cut(self, ask: Ask, provider: FakeProvider, name: str) -> None:
        provider.tell(CUTS[name])
        with pytest.raises(ProviderFailure) as failed:
            await ask(asking())
        assert failed.value.kind is FailureKind.CUT
        assert not failed.value.unbilled
        assert len(provider.asked) == 1

    @pytest.mark.parametrize("body", [b"", b"not json", b"{}", b"null", b'\xff\xfe{"'])
    async def test_malformed_answer(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider, body: bytes
    ) -> None:
        provider.tell(Reply(body=body))
        with pytest.raises(ProviderFailure) as failed:
            await whole(upstream, at, asking())
        assert failed.value.kind is FailureKind.MALFORMED
        assert not failed.value.unbilled

    async def test_nobody_there(self, ask: Ask, at: Endpoint) -> None:
        with pytest.raises(ProviderFailure) as failed:
            await ask(asking(), msgspec.structs.replace(at, base_url="http://127.0.0.1:1/v1"))
        assert failed.value.kind is FailureKind.UNREACHABLE
        assert failed.value.unbilled

    async def test_silence_ends_in_time(self, ask: Ask, at: Endpoint, provider: FakeProvider) -> None:
        provider.tell(Reply(text="late", before_head=5))
        short = msgspec.structs.replace(at.time_outs, first_token=0.05, total=0.05)
        with pytest.raises(ProviderFailure) as failed:
            await ask(asking(), msgspec.structs.replace(at, time_outs=short))
        assert failed.value.kind is FailureKind.TIMED_OUT
        await eventually(lambda: provider.disconnects == 1)

    @pytest.mark.parametrize(("first", "between"), [(0.05, 5.0), (5.0, 0.05)])
    async def test_stalled_stream_ends_in_time(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider, first: float, between: float
    ) -> None:
        provider.tell(Reply(text="slow", before_first=0.2 if first < between else 0, piece=1, between=0.1))
        times = msgspec.structs.replace(at.time_outs, first_token=first, between_tokens=between)
        with pytest.raises(ProviderFailure) as failed:
            await streamed(upstream, msgspec.structs.replace(at, time_outs=times), asking())
        assert failed.value.kind is FailureKind.TIMED_OUT
        await eventually(lambda: provider.disconnects == 1)

    async def test_error_in_mid_stream(self, upstream: Upstream, at: Endpoint, provider: FakeProvider) -> None:
        provider.tell(Reply(text="Half of this", error_type="overloaded_error", error_after=4))
        events = upstream.stream(at, asking(), model=MODEL, seconds=5)
        said = await first_text(events)
        with pytest.raises(ProviderFailure) as failed:
            await rest_of(events)
        assert failed.value.kind in {FailureKind.BROKEN, FailureKind.OVERLOADED}
        assert not failed.value.unbilled
        assert said

    async def test_cancelled_call_ends_the_providers_work(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="late", before_head=5))
        call = asyncio.create_task(whole(upstream, at, asking()))
        await eventually(lambda: bool(provider.asked))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await eventually(lambda: provider.disconnects == 1)

    async def test_closed_stream_ends_the_providers_work(
        self, upstream: Upstream, at: Endpoint, provider: FakeProvider
    ) -> None:
        provider.tell(Reply(text="a long story " * 100, between=0.01, piece=1))
        async with aclosing(upstream.stream(at, asking(), model=MODEL, seconds=5)) as events:
            await first_text(events)
        await eventually(lambda: provider.disconnects == 1)
        bill = provider.billed[-1]
        assert not bill.finished
        assert 0 < bill.output_tokens < 50


async def first_text(events: AsyncIterator[Any]) -> str:
    async for event in events:
        if isinstance(event, Delta) and event.text:
            return event.text
    raise AssertionError("the stream said nothing")


async def rest_of(events: AsyncIterator[Any]) -> Sequence[Any]:
    return [event async for event in events]


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that is known to come soon."""
    async with asyncio.timeout(3):
        while not holds():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
