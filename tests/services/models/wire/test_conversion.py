"""Between the dialects: what both can say comes back as it was, whichever way it went."""

import json
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.clock import SystemClock
from steward.kit.ids import Ids
from steward.services.models.folding import Assembly, replay
from steward.services.models.messages import (
    Choice,
    Delta,
    Dialect,
    ModelReply,
    ModelRequest,
    Reasoning,
    StopReason,
    StreamEvent,
    Text,
    Usage,
)
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer
from steward.services.models.wire.openai import OpenAiClient, OpenAiServer
from steward.services.models.wire.ports import Asked, ClientCodec, ServerCodec
from steward.services.models.wire.sse import EventParser
from tests.services.models.wire.strategies import ANTHROPIC_REQUESTS, OPENAI_REQUESTS, Json, replies

CLIENTS: dict[Dialect, ClientCodec] = {
    Dialect.OPENAI: OpenAiClient(newer=True),
    Dialect.ANTHROPIC: AnthropicClient(),
}
SERVERS: dict[Dialect, ServerCodec] = {
    Dialect.OPENAI: OpenAiServer(SystemClock(), Ids(SystemClock())),
    Dialect.ANTHROPIC: AnthropicServer(),
}
ASKED = Asked(request=ModelRequest(model="m", messages=()), include_usage=True)
BOTH = [Dialect.OPENAI, Dialect.ANTHROPIC]
"""Each dialect is told to the client of each, its own included."""
cheap = settings(max_examples=25, deadline=None)


def there_and_back(body: Json, one: Dialect, other: Dialect) -> Json:
    """A request of a client of `one`, sent to a provider of `other`, and that sent on to a provider of `one`."""
    asked = SERVERS[one].decode(json.dumps(body).encode())
    sent = CLIENTS[other].encode(asked.request, model=asked.request.model, stream=asked.stream)
    again = SERVERS[other].decode(sent)
    return json.loads(CLIENTS[one].encode(again.request, model=again.request.model, stream=again.stream))


@cheap
@given(OPENAI_REQUESTS)
def test_a_request_of_openai_comes_back_from_anthropic(body: Json) -> None:
    assert there_and_back(body, Dialect.OPENAI, Dialect.ANTHROPIC) == body


@cheap
@given(ANTHROPIC_REQUESTS)
def test_a_request_of_anthropic_comes_back_from_openai(body: Json) -> None:
    assert there_and_back(body, Dialect.ANTHROPIC, Dialect.OPENAI) == body


@cheap
@given(OPENAI_REQUESTS)
def test_a_request_of_openai_goes_on_as_it_came(body: Json) -> None:
    assert there_and_back(body, Dialect.OPENAI, Dialect.OPENAI) == body


@cheap
@given(ANTHROPIC_REQUESTS)
def test_a_request_of_anthropic_goes_on_as_it_came(body: Json) -> None:
    assert there_and_back(body, Dialect.ANTHROPIC, Dialect.ANTHROPIC) == body


def essence(reply: ModelReply) -> ModelReply:
    """What both dialects tell of an answer."""
    usage = msgspec.structs.replace(reply.usage, extra={})
    choice = msgspec.structs.replace(reply.choices[0], extra={}, stop_raw=None)
    return ModelReply(id=reply.id, model=reply.model, choices=[choice], usage=usage)


@pytest.mark.parametrize("told_in", BOTH)
@pytest.mark.parametrize("born_in", BOTH)
@cheap
@given(data=st.data())
def test_an_answer_says_the_same_in_each_dialect(born_in: Dialect, told_in: Dialect, data: st.DataObject) -> None:
    reply = data.draw(replies(born_in))
    again = CLIENTS[told_in].decode(SERVERS[told_in].encode(reply, ASKED))
    assert essence(again) == essence(reply)


@pytest.mark.parametrize("told_in", BOTH)
@pytest.mark.parametrize("born_in", BOTH)
@cheap
@given(data=st.data())
def test_a_stream_says_the_same_in_each_dialect(born_in: Dialect, told_in: Dialect, data: st.DataObject) -> None:
    reply = data.draw(replies(born_in))
    events = _in_pieces(list(replay(reply)), data.draw(st.integers(1, 5)))
    assert essence(folded(_heard(_said(events, told_in), told_in))) == essence(reply)


def _in_pieces(events: Sequence[StreamEvent], size: int) -> Sequence[StreamEvent]:
    """The same stream with shorter deltas."""
    found: list[StreamEvent] = []
    for event in events:
        if isinstance(event, Delta) and event.text:
            found += [Delta(index=event.index, text=piece) for piece in _cut(event.text, size)]
        elif isinstance(event, Delta) and event.arguments:
            found += [Delta(index=event.index, arguments=piece) for piece in _cut(event.arguments, size)]
        else:
            found.append(event)
    return found


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _said(events: Sequence[StreamEvent], dialect: Dialect) -> bytes:
    encoder = SERVERS[dialect].stream(ASKED)
    return b"".join([encoder.encode(event) for event in events]) + encoder.end()


def _heard(frames: bytes, dialect: Dialect) -> list[StreamEvent]:
    decoder, parser = CLIENTS[dialect].stream(), EventParser()
    said = [event for frame in parser.feed(frames) for event in decoder.feed(frame)]
    return [*said, *decoder.end()]


def folded(events: Sequence[StreamEvent]) -> ModelReply:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.reply()


def test_signed_thinking_comes_back_through_a_client_of_openai() -> None:
    thoughts = [Reasoning(text="hm", signature="c2ln"), Reasoning(redacted="ZGF0YQ==")]
    choice = Choice(parts=[*thoughts, Text(text="so")], stop=StopReason.END)
    reply = ModelReply(id="msg_1", model="m", choices=[choice], usage=Usage(), dialect=Dialect.ANTHROPIC)
    message = json.loads(SERVERS[Dialect.OPENAI].encode(reply, ASKED))["choices"][0]["message"]
    body = {"model": "m", "max_completion_tokens": 9, "messages": [{"role": "user", "content": "hi"}, message]}
    asked = SERVERS[Dialect.OPENAI].decode(json.dumps(body).encode())
    sent = json.loads(CLIENTS[Dialect.ANTHROPIC].encode(asked.request, model="m", stream=False))
    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "text", "text": "so"},
    ]


@pytest.mark.parametrize(
    ("stop", "told_in", "heard"),
    [
        (StopReason.FILTERED, Dialect.ANTHROPIC, StopReason.REFUSED),
        (StopReason.REFUSED, Dialect.OPENAI, StopReason.FILTERED),
        (StopReason.CONTEXT, Dialect.OPENAI, StopReason.LENGTH),
        (StopReason.CONTEXT, Dialect.ANTHROPIC, StopReason.CONTEXT),
        (StopReason.STOP_SEQUENCE, Dialect.OPENAI, StopReason.END),
        (StopReason.PAUSED, Dialect.OPENAI, StopReason.END),
    ],
)
def test_a_reason_that_a_dialect_does_not_know_is_told_by_the_nearest(
    stop: StopReason, told_in: Dialect, heard: StopReason
) -> None:
    reply = ModelReply(
        id="chatcmpl-1", model="m", choices=[Choice(parts=[Text(text="x")], stop=stop)], usage=Usage(), dialect=None
    )
    assert CLIENTS[told_in].decode(SERVERS[told_in].encode(reply, ASKED)).choices[0].stop is heard
