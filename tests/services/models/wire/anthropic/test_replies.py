"""Whole answers: read from Anthropic, and told to its clients whoever answered."""

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import Message as OfficialMessage

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Audio,
    Choice,
    Dialect,
    ModelReply,
    ModelRequest,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    StopReason,
    Text,
    ToolCall,
    Usage,
)
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer
from steward.services.models.wire.ports import Asked

CLIENT = AnthropicClient()
SERVER = AnthropicServer()
ASKED = Asked(request=ModelRequest(model="m", messages=()))
ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 11,
        "output_tokens_details": {"thinking_tokens": 3},
        "service_tier": "standard",
        "server_tool_use": {"web_search_requests": 2},
    },
    "container": {"id": "c"},
    "context_management": {"applied_edits": []},
    "of_tomorrow": 1,
}


def decode(answer: dict[str, Any]) -> ModelReply:
    return CLIENT.decode(json.dumps(answer).encode())


def told(reply: ModelReply) -> dict[str, Any]:
    return json.loads(SERVER.encode(reply, ASKED))


def foreign(*parts: Part, stop: StopReason = StopReason.END, usage: Usage | None = None) -> ModelReply:
    return ModelReply(
        id="chatcmpl-1",
        model="gpt",
        choices=[Choice(parts=parts, stop=stop)],
        usage=usage or Usage(),
        dialect=Dialect.OPENAI,
        extra={"system_fingerprint": msgspec.Raw(b'"fp"')},
    )


def test_an_answer_is_told_as_it_came() -> None:
    assert told(decode(ANSWER)) == ANSWER


def test_tokens_are_counted_by_class() -> None:
    usage = decode(ANSWER).usage
    assert (usage.input_tokens, usage.cache_read_tokens) == (42, 7)
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (10, 20)
    assert (usage.output_tokens, usage.reasoning_tokens) == (11, 3)
    assert set(usage.extra) == {"service_tier", "server_tool_use"}


def test_what_a_request_caused_beside_its_turns_is_counted_and_told_as_it_came() -> None:
    iterations = [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 50, "cache_creation_input_tokens": 1000},
        {"type": "message", "input_tokens": 5, "output_tokens": 11},
    ]
    answer = ANSWER | {"usage": {"input_tokens": 5, "output_tokens": 11, "iterations": iterations}}
    reply = decode(answer)
    assert (reply.usage.input_tokens, reply.usage.cache_write_tokens, reply.usage.output_tokens) == (1105, 1000, 61)
    said = told(reply)["usage"]
    assert (said["input_tokens"], said["output_tokens"], said["iterations"]) == (5, 11, iterations)


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", StopReason.END),
        ("max_tokens", StopReason.LENGTH),
        ("stop_sequence", StopReason.STOP_SEQUENCE),
        ("tool_use", StopReason.TOOL_CALLS),
        ("pause_turn", StopReason.PAUSED),
        ("refusal", StopReason.REFUSED),
        ("model_context_window_exceeded", StopReason.CONTEXT),
        ("compaction", StopReason.OTHER),
        (None, StopReason.OTHER),
    ],
)
def test_each_stop_reason_is_known_and_told_as_it_came(word: str | None, stop: StopReason) -> None:
    answer = ANSWER | {"stop_reason": word, "stop_sequence": "END", "stop_details": {"type": "refusal"}}
    reply = decode(answer)
    assert (reply.choices[0].stop, reply.choices[0].stop_sequence) == (stop, "END")
    assert told(reply) == answer


@pytest.mark.parametrize(
    ("stop", "word"),
    [
        (StopReason.END, "end_turn"),
        (StopReason.LENGTH, "max_tokens"),
        (StopReason.TOOL_CALLS, "tool_use"),
        (StopReason.FILTERED, "refusal"),
        (StopReason.OTHER, "end_turn"),
    ],
)
def test_each_foreign_stop_reason_has_a_word(stop: StopReason, word: str) -> None:
    assert told(foreign(Text(text="x"), stop=stop))["stop_reason"] == word


def test_a_foreign_answer_is_read_by_the_official_client() -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=4, output_tokens=6, reasoning_tokens=2)
    reply = foreign(
        Reasoning(text="hm"),
        Reasoning(summary=["one", "two"]),
        Text(text="hello", extra={"annotations": msgspec.Raw(b"[]")}),
        Refusal(text="no"),
        ToolCall(id="call_1", name="f", arguments='{"x": 1}'),
        ToolCall(id="call_2", name="g", arguments="free words", custom=True),
        ToolCall(id="call_3", name="h", arguments='{"cut'),
        Opaque(dialect=Dialect.OPENAI, type="thing", raw=msgspec.Raw(b"{}")),
        Audio(data="aGk=", format="wav"),
        usage=usage,
        stop=StopReason.TOOL_CALLS,
    )
    message = OfficialMessage.model_validate_json(SERVER.encode(reply, ASKED))
    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "thinking", "thinking": "one\n\ntwo", "signature": ""},
        {"type": "text", "text": "hello"},
        {"type": "text", "text": "no"},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {"input": "free words"}},
        {"type": "tool_use", "id": "call_3", "name": "h", "input": {"input": '{"cut'}},
    ]
    assert (message.id, message.model, message.stop_reason) == ("chatcmpl-1", "gpt", "tool_use")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (6, 4)
    assert message.usage.output_tokens == 6
    assert message.usage.output_tokens_details is not None
    assert message.usage.output_tokens_details.thinking_tokens == 2
    assert "system_fingerprint" not in message.to_dict()


def test_arguments_are_kept_in_the_characters_they_came_in() -> None:
    body = json.dumps(ANSWER).replace(
        '{"type": "text", "text": "hello"}', '{"type":"tool_use","id":"t","name":"f","input":{"n":1e400, "m": 1.50}}'
    )
    part = CLIENT.decode(body.encode()).choices[0].parts[0]
    assert isinstance(part, ToolCall)
    assert part.arguments == '{"n":1e400, "m": 1.50}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"id": "m"}',
        b'{"id":"m","model":"x","content":[{"text":"no type"}]}',
        b'{"id":"m","model":"x","content":[],"usage":{"input_tokens":-5}}',
        b'{"id":"m","model":"x","content":[],"usage":{"input_tokens":"5"}}',
        b'{"type":"error","error":{"type":"api_error","message":"x"}}',
        b'{"id":"m","model":"x","content":[{"type":"odd","x":"\xff"}]}',
    ],
)
def test_an_answer_that_cannot_be_read_is_a_failure(body: bytes) -> None:
    with pytest.raises(ProviderFailure) as failed:
        CLIENT.decode(body)
    assert failed.value.kind is FailureKind.MALFORMED
    assert not failed.value.unbilled
