"""Requests of other dialects, told to a provider of this one: nothing that can be said is lost, the rest is refused."""

from typing import Any

import msgspec
import pytest

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    CacheHint,
    Dialect,
    File,
    Image,
    Message,
    ModelRequest,
    Opaque,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from tests.services.models.wire.openai.speech import CLIENT, NEWER, asked, made, message, told

ANTHROPIC = Dialect.ANTHROPIC
RAW = msgspec.Raw(b'{"x":1}')


def one(*parts: Part, role: Role = Role.ASSISTANT, dialect: Dialect | None = ANTHROPIC, newer: bool = False) -> Any:
    request = made(message(*parts, role=role), dialect=dialect)
    return told(request, client=NEWER if newer else CLIENT)["messages"][0]


def test_a_turn_with_tools_of_another_dialect() -> None:
    calls = [ToolCall(id=name, name=name, arguments="{}") for name in ("f", "g")]
    request = made(
        message(Text(text="be kind", cache=CacheHint()), Text(text="be brief"), role=Role.SYSTEM),
        message(Text(text="hi"), role=Role.USER),
        message(Text(text="let me see"), *calls),
        message(
            ToolResult(call_id="f", content=[Text(text="yes")]),
            ToolResult(call_id="g", content=[], is_error=True),
            role=Role.TOOL,
        ),
        Message(role=Role.USER, parts=[Text(text="and?")], joined=True),
        dialect=ANTHROPIC,
    )
    told_calls = [{"id": f, "type": "function", "function": {"name": f, "arguments": "{}"}} for f in ("f", "g")]
    assert told(request)["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "be kind"}, {"type": "text", "text": "be brief"}]},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "let me see", "tool_calls": told_calls},
        {"role": "tool", "tool_call_id": "f", "content": "yes"},
        {"role": "tool", "tool_call_id": "g", "content": "Error"},
        {"role": "user", "content": "and?"},
    ]


@pytest.mark.parametrize(("said", "words"), [("no file", "Error: no file"), ("error: no", "error: no")])
def test_that_a_tool_failed_is_told_in_words(said: str, words: str) -> None:
    result = ToolResult(call_id="1", content=[Text(text=said)], is_error=True)
    assert one(result, role=Role.TOOL)["content"] == words


def test_images_and_files_of_another_dialect() -> None:
    content = one(
        Image(data="QUJD", media_type="image/png"),
        Image(url="https://x.example/a"),
        File(data="QUJD", media_type="application/pdf"),
        File(text="hello", name="a.txt"),
        role=Role.USER,
    )["content"]
    assert content == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/a"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "document.pdf"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,aGVsbG8=", "filename": "a.txt"}},
    ]


def test_reasoning_of_another_dialect_is_told_as_the_provider_can_take_it() -> None:
    thoughts = [Reasoning(text="hm", signature="s"), Reasoning(summary=["a", "b"], encrypted="x"), Text(text="yes")]
    assert one(*thoughts) == {"role": "assistant", "content": "yes", "reasoning_content": "hm\n\na\n\nb"}
    assert one(*thoughts, newer=True) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "<think>\nhm\n\na\n\nb\n</think>\n"}, {"type": "text", "text": "yes"}],
    }


def test_reasoning_goes_back_as_its_provider_named_it() -> None:
    thought = Reasoning(text="hm", extra={"reasoning": msgspec.Raw(b"null"), "reasoning_details": msgspec.Raw(b"[1]")})
    said = {"role": "assistant", "content": "x", "reasoning": "hm", "reasoning_details": [1]}
    assert one(thought, Text(text="x"), dialect=None) == said
    text_in_parts = {**said, "content": [{"type": "text", "text": "x"}]}
    assert one(thought, Text(text="x"), dialect=Dialect.OPENAI) == text_in_parts


def test_signed_thinking_comes_back_from_a_client_of_this_dialect() -> None:
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "x"}]
    said = {"role": "assistant", "content": "yes", "reasoning_content": "hm", "thinking_blocks": blocks}
    request = asked(messages=[said]).request
    assert request.messages[0].parts[:2] == [Reasoning(text="hm", signature="s"), Reasoning(redacted="x")]
    assert told(request)["messages"] == [said]


def test_tools_choice_and_form_of_another_dialect() -> None:
    body = told(
        made(
            dialect=ANTHROPIC,
            tools=[Tool(name="f", parameters=RAW, cache=CacheHint())],
            tool_choice=ToolChoice(mode=ToolMode.TOOL, name="f"),
            output=OutputFormat(kind=OutputKind.SCHEMA, schema=RAW),
            thinking=Thinking(mode="adaptive", effort="high"),
            service_tier="standard_only",
        )
    )
    assert body["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {"x": 1}}}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "output", "schema": {"x": 1}}}
    assert (body["reasoning_effort"], body["service_tier"]) == ("high", "default")
    assert told(made(thinking=Thinking(mode="disabled")))["reasoning_effort"] == "none"


def test_allowed_tools_of_responses_are_told_in_this_form() -> None:
    raw = msgspec.Raw(b'{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}')
    body = told(made(dialect=Dialect.RESPONSES, tool_choice=ToolChoice(mode=ToolMode.ALLOWED, raw=raw)))
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert body["tool_choice"] == {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}


def test_the_callers_own_cache_hints_and_top_k_are_told() -> None:
    content = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
    request = asked(messages=[{"role": "user", "content": content}], top_k=5).request
    assert request.messages[0].parts[0].cache == CacheHint()
    body = told(request)
    assert (body["messages"][0]["content"], body["top_k"]) == (content, 5)


OPAQUE = Opaque(dialect=ANTHROPIC, type="server_tool_use", raw=RAW)


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (made(top_k=5), "top_k"),
        (made(dialect=ANTHROPIC, extra={"container": RAW}), "container"),
        (made(message(OPAQUE)), "messages[0].content[0] (server_tool_use)"),
        (made(message(Text(text="x", extra={"cited": RAW})), dialect=ANTHROPIC), "messages[0].content[0].cited"),
        (made(message(Image(file_id="f"), role=Role.USER)), "messages[0].content[0].file_id"),
        (made(message(File(url="https://x"), role=Role.USER), dialect=ANTHROPIC), "messages[0].content[0].url"),
        (made(message(Reasoning(redacted="x")), dialect=ANTHROPIC), "messages[0].reasoning"),
        (made(message(Reasoning(encrypted="x")), dialect=Dialect.RESPONSES), "messages[0].reasoning"),
        (made(message(Reasoning(signature="s")), dialect=ANTHROPIC), "messages[0].reasoning"),
        (made(thinking=Thinking(mode="enabled", budget_tokens=9)), "thinking.budget_tokens"),
        (made(thinking=Thinking(effort="low", summary="auto")), "thinking.summary"),
        (made(tools=[Tool(name="web_search", opaque=RAW, dialect=ANTHROPIC)]), "tools[0] (web_search)"),
        (made(tools=[Tool(name="f", extra={"defer": RAW})], dialect=ANTHROPIC), "tools[0].defer"),
        (made(tool_choice=ToolChoice(mode=ToolMode.TOOL, raw=RAW), dialect=ANTHROPIC), "tool_choice"),
        (made(tool_choice=ToolChoice(mode=ToolMode.ALLOWED, raw=RAW), dialect=Dialect.RESPONSES), "tool_choice"),
        (
            made(
                message(ToolResult(call_id="1", content=[Image(url="https://x")]), role=Role.TOOL),
                dialect=ANTHROPIC,
            ),
            "messages[0].content[0].content[0]",
        ),
    ],
)
def test_what_has_no_words_here_is_refused_by_name(request_: ModelRequest, param: str) -> None:
    with pytest.raises(CannotExpress) as refused:
        CLIENT.encode(request_, model="m", stream=False)
    assert refused.value.data["param"] == param
