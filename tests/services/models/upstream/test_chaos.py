"""Answers that break at any byte, come in any pieces, at any pace: what was said is told, and never more."""

from collections.abc import Sequence

import pytest

from steward.kit.testing.provider import Asked, Call, Ending, FakeProvider, Reply, Tokens, anthropic, openai
from steward.kit.testing.provider.speech import speak
from steward.services.models.api import Speaks
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.folding import Assembly
from steward.services.models.messages import Finished, ModelReply, StreamEvent, Text, Usage, UsageReport
from steward.services.models.ports import Endpoint, Upstream
from steward.services.models.wire.anthropic.client import AnthropicClient
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.ports import ClientCodec
from steward.services.models.wire.sse import EventParser
from tests.services.models.upstream.callers import MODEL, asking, endpoint, text_of, tool

SAID = Reply(reasoning="Hm.", text="Grüß dich 🙂", calls=[Call("look", '{"a": "ü"}')], usage=Tokens(input=9, output=8))
BOTH = pytest.mark.parametrize("speaks", [Speaks.OPENAI, Speaks.ANTHROPIC])


def codec_of(speaks: Speaks) -> ClientCodec:
    return AnthropicClient() if speaks is Speaks.ANTHROPIC else OpenAiClient(newer=False)


def sent(speaks: Speaks, reply: Reply = SAID) -> bytes:
    """The body of a streamed answer."""
    body = {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}}
    asked = Asked(path="", headers={}, body=body)
    speech = speak(reply, number=1, model=MODEL, prefix="x-", asked_max=None, read=0)
    events = anthropic.events(speech) if speaks is Speaks.ANTHROPIC else openai.events(speech, asked)
    return b"".join(event.data for event in events)


def heard(codec: ClientCodec, pieces: Sequence[bytes]) -> tuple[Sequence[StreamEvent], ProviderFailure | None]:
    """What a stream says that ends after these pieces."""
    parser, decoder = EventParser(), codec.stream()
    events: list[StreamEvent] = []
    try:
        for piece in pieces:
            for event in parser.feed(piece):
                events += decoder.feed(event)
        events += decoder.end()
    except ProviderFailure as failure:
        return events, failure
    return events, None


def folded(events: Sequence[StreamEvent]) -> ModelReply:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.reply()


@BOTH
def test_stream_cut_at_every_byte(speaks: Speaks) -> None:
    body, codec = sent(speaks), codec_of(speaks)
    whole, failure = heard(codec, [body])
    assert failure is None
    assert [type(part) for part in folded(whole).choices[0].parts][1:2] == [Text]
    ends = 0
    for at in range(len(body)):
        events, failure = heard(codec, [body[:at]])
        assert whole[: len(events)] == events
        if failure is None:
            # Nothing of the answer is missing; its usage may be, and then no other is told in its place.
            assert folded(events).choices == folded(whole).choices
            assert folded(events).usage == folded(whole).usage or not any(isinstance(e, UsageReport) for e in events)
            ends += 1
        else:
            assert failure.kind is FailureKind.CUT
            assert not failure.unbilled
    assert ends < len(body) / 4


@BOTH
def test_pieces_that_end_at_every_byte(speaks: Speaks) -> None:
    body, codec = sent(speaks), codec_of(speaks)
    whole, _ = heard(codec, [body])
    for at in range(0, len(body), 3):
        assert heard(codec, [body[:at], body[at:]]) == (whole, None)
    assert heard(codec, [body[at : at + 1] for at in range(len(body))]) == (whole, None)
    with_crlf = body.replace(b"\n", b"\r\n")
    assert heard(codec, [with_crlf[at : at + 1] for at in range(len(with_crlf))]) == (whole, None)


@BOTH
@pytest.mark.parametrize("ending", [Ending.CLOSE, Ending.RESET, Ending.END])
async def test_stream_cut_on_the_network(
    upstream: Upstream, provider: FakeProvider, speaks: Speaks, ending: Ending
) -> None:
    size = len(sent(speaks))
    at = endpoint(provider, speaks)
    for cut in range(1, size - 100, size // 6):
        provider.tell(Reply(text=SAID.text, reasoning=SAID.reasoning, calls=SAID.calls, cut_at=cut, ending=ending))
        events: list[StreamEvent] = []
        failure = await failure_after(upstream, at, events)
        assert failure is not None
        assert failure.kind is FailureKind.CUT
        assert not any(isinstance(event, Finished | UsageReport) for event in events[1:]) or cut > size // 2
        bill = provider.billed[-1]
        assert not bill.finished
    assert len(provider.asked) == len(provider.billed)


@BOTH
@pytest.mark.parametrize("chunk", [1, 7])
async def test_bytes_one_by_one(upstream: Upstream, provider: FakeProvider, speaks: Speaks, chunk: int) -> None:
    provider.tell(Reply(text=SAID.text, calls=SAID.calls, chunk=chunk), Reply(text=SAID.text, chunk=chunk))
    at = endpoint(provider, speaks)
    events: list[StreamEvent] = []
    assert await failure_after(upstream, at, events) is None
    assert text_of(folded(events).choices[0].parts) == SAID.text
    reply = await upstream.complete(at, asking(), model=MODEL, seconds=5)
    assert text_of(reply.choices[0].parts) == SAID.text
    assert provider.connections == 1


@BOTH
async def test_head_in_many_lines(upstream: Upstream, provider: FakeProvider, speaks: Speaks) -> None:
    provider.tell(Reply(text="slow but well", between_head_lines=0.002))
    reply = await upstream.complete(endpoint(provider, speaks), asking(), model=MODEL, seconds=5)
    assert text_of(reply.choices[0].parts) == "slow but well"


@BOTH
async def test_usage_that_is_missing_is_not_made_up(upstream: Upstream, provider: FakeProvider, speaks: Speaks) -> None:
    provider.tell(Reply(text="free?", untold=True))
    reply = await upstream.complete(endpoint(provider, speaks), asking(), model=MODEL, seconds=5)
    assert reply.usage == Usage()
    assert provider.billed[-1].output_tokens > 0


async def failure_after(upstream: Upstream, at: Endpoint, events: list[StreamEvent]) -> ProviderFailure | None:
    stream = upstream.stream(at, asking(tools=[tool("look")]), model=MODEL, seconds=5)
    try:
        while (event := await anext(stream, None)) is not None:
            events.append(event)
    except ProviderFailure as failure:
        return failure
    return None
