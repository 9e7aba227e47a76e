"""Requests that came in another dialect, said in Anthropic's words or refused by name."""

import base64
import json
from typing import Any

import msgspec
import pytest

from steward.services.models.errors import CannotExpress
from steward.services.models.messages import (
    Audio,
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
    Refusal,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from steward.services.models.wire.anthropic import AnthropicClient

CLIENT = AnthropicClient()
SCHEMA = msgspec.Raw(b'{"type":"object"}')
HI = Message(role=Role.USER, parts=[Text(text="hi")], plain=True)


def encode(*messages: Message, dialect: Dialect | None = Dialect.OPENAI, **fields: Any) -> dict[str, Any]:
    request = ModelRequest(model="x", messages=messages or (HI,), dialect=dialect, max_output_tokens=9, **fields)
    return json.loads(CLIENT.encode(request, model="m", stream=False))


def user(*parts: Part) -> Message:
    return Message(role=Role.USER, parts=parts)


def result(call_id: str, text: str) -> Message:
    return Message(role=Role.TOOL, parts=[ToolResult(call_id=call_id, content=[Text(text=text)])], plain=True)


def test_instructions_that_stand_first_become_system() -> None:
    one = Message(role=Role.SYSTEM, parts=[Text(text="a")], plain=True)
    two = Message(role=Role.DEVELOPER, parts=[Text(text="b")], plain=True)
    assert encode(one, HI)["system"] == "a"
    assert encode(one, two, HI) == {
        "model": "m",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "messages": [{"role": "user", "content": "hi"}],
    }


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.DEVELOPER])
@pytest.mark.parametrize("dialect", [Dialect.OPENAI, Dialect.RESPONSES, None])
def test_later_instructions_are_refused_by_place(role: Role, dialect: Dialect | None) -> None:
    with pytest.raises(CannotExpress, match=r"messages\[1\]"):
        encode(HI, Message(role=role, parts=[Text(text="b")]), dialect=dialect)


def test_results_of_parallel_calls_go_into_one_message() -> None:
    calls = Message(
        role=Role.ASSISTANT,
        parts=[
            Text(text=""),
            ToolCall(id="a", name="f", arguments='{"x":1.0}'),
            ToolCall(id="b", name="g", arguments=""),
        ],
        plain=True,
    )
    assert encode(HI, calls, result("a", "1"), result("b", "2"), HI)["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1.0}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "tool_result", "tool_use_id": "b", "content": "2"},
            ],
        },
        {"role": "user", "content": "hi"},
    ]


def test_joined_words_follow_the_results_in_one_message() -> None:
    words = Message(role=Role.USER, parts=[Text(text="so?")], joined=True, plain=True)
    assert encode(result("a", "1"), words)["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "text", "text": "so?"},
            ],
        }
    ]


def test_a_list_of_texts_in_a_result_stays_a_list() -> None:
    held = ToolResult(call_id="a", content=[Text(text="1"), Text(text="2")])
    assert encode(Message(role=Role.TOOL, parts=[held]))["messages"][0]["content"][0]["content"] == [
        {"type": "text", "text": "1"},
        {"type": "text", "text": "2"},
    ]


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (Image(url="https://x.example/a.png", detail="auto"), {"type": "url", "url": "https://x.example/a.png"}),
        (Image(url="data:image/png;base64,aGk="), {"type": "base64", "media_type": "image/png", "data": "aGk="}),
        (Image(data="aGk=", media_type="image/gif"), {"type": "base64", "media_type": "image/gif", "data": "aGk="}),
        (
            File(url="data:application/pdf;base64,aGk="),
            {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
        ),
        (
            File(data=base64.b64encode("grün".encode()).decode(), media_type="text/csv"),
            {"type": "text", "media_type": "text/plain", "data": "grün"},
        ),
        (File(text="plain"), {"type": "text", "media_type": "text/plain", "data": "plain"}),
        (File(url="https://x.example/a.pdf"), {"type": "url", "url": "https://x.example/a.pdf"}),
    ],
)
def test_images_and_documents_get_a_source(part: Part, source: dict[str, Any]) -> None:
    assert encode(user(part))["messages"][0]["content"][0]["source"] == source


def test_a_files_name_is_its_title() -> None:
    part = File(data="aGk=", media_type="application/pdf", name="terms.pdf", cache=CacheHint())
    block = encode(user(part))["messages"][0]["content"][0]
    assert (block["title"], block["cache_control"]) == ("terms.pdf", {"type": "ephemeral"})


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (Image(file_id="file-1"), r"messages\[0\]\.content\[0\]\.file_id"),
        (File(file_id="file-1"), r"messages\[0\]\.content\[0\]\.file_id"),
        (Image(url="https://x.example", detail="high"), r"messages\[0\]\.content\[0\]\.detail"),
        (Image(data="aGk="), "media type"),
        (File(data="aGk=", media_type="application/zip"), "application/zip"),
        (File(data="/w==", media_type="text/plain"), "text/plain"),
        (Audio(data="aGk=", format="wav"), r"messages\[0\]\.content\[0\] \(audio\)"),
        (Reasoning(text="hm"), "signature"),
        (Reasoning(encrypted="x"), "signature"),
        (ToolCall(id="a", name="f", arguments="[1]"), "no JSON object"),
        (ToolCall(id="a", name="f", arguments="{"), "no JSON object"),
        (ToolCall(id="a", name="f", arguments="{}", custom=True), "no JSON object"),
        (ToolResult(call_id="a", content=(), custom=True), "custom tool"),
        (Opaque(dialect=Dialect.OPENAI, type="thing", raw=SCHEMA), "thing"),
        (Text(text="x", extra={"mark": SCHEMA}), r"messages\[0\]\.content\[0\]\.mark"),
    ],
)
def test_a_part_without_words_is_refused_by_place(part: Part, named: str) -> None:
    with pytest.raises(CannotExpress, match=named):
        encode(user(part))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"choices": 2}, "^n has"),
        ({"seed": 0}, "^seed"),
        ({"logprobs": True}, "^logprobs"),
        ({"top_logprobs": 2}, "^top_logprobs"),
        ({"frequency_penalty": 0.1}, "^frequency_penalty"),
        ({"presence_penalty": -0.1}, "^presence_penalty"),
        ({"logit_bias": {"1": 1.0}}, "^logit_bias"),
        ({"verbosity": "low"}, "^verbosity"),
        ({"temperature": 1.5}, "^temperature above 1"),
        ({"service_tier": "flex"}, "^service_tier 'flex'"),
        ({"thinking": Thinking(effort="minimal")}, "^reasoning_effort 'minimal'"),
        ({"thinking": Thinking(effort="low", summary="auto")}, r"^reasoning\.summary"),
        ({"output": OutputFormat(kind=OutputKind.JSON)}, "^response_format json_object"),
        (
            {"output": OutputFormat(kind=OutputKind.SCHEMA, schema=SCHEMA, description="d")},
            r"^response_format\.json_schema\.description",
        ),
        ({"tools": [Tool(name="t", custom=True)]}, r"^tools\[0\]"),
        ({"tools": [Tool(name="t", opaque=SCHEMA, dialect=Dialect.RESPONSES)]}, r"^tools\[0\] \(t\)"),
        ({"tool_choice": ToolChoice(mode=ToolMode.ALLOWED, raw=SCHEMA)}, "^tool_choice"),
        ({"extra": {"store": msgspec.Raw(b"true")}}, "^store"),
    ],
)
def test_a_parameter_without_words_is_refused_by_name(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(CannotExpress, match=named):
        encode(**fields)


@pytest.mark.parametrize("label", ["name"])
def test_a_label_of_a_message_is_refused_by_place(label: str) -> None:
    with pytest.raises(CannotExpress, match=rf"messages\[0\]\.{label}"):
        encode(msgspec.structs.replace(HI, **{label: "x"}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"frequency_penalty": 0.0, "presence_penalty": 0.0, "logprobs": False, "logit_bias": {}}, {}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"metadata": {"team": "t"}}, {}),
        ({"stop": ["a"]}, {"stop_sequences": ["a"]}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
        (
            {"parallel_tool_calls": True, "tool_choice": ToolChoice(mode=ToolMode.REQUIRED)},
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": False}},
        ),
        (
            {"parallel_tool_calls": False, "tool_choice": ToolChoice(mode=ToolMode.NONE)},
            {"tool_choice": {"type": "none"}},
        ),
        ({"tool_choice": ToolChoice(mode=ToolMode.TOOL, name="f")}, {"tool_choice": {"type": "tool", "name": "f"}}),
        (
            {"thinking": Thinking(effort="high")},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        ({"thinking": Thinking(effort="none")}, {"thinking": {"type": "disabled"}}),
        (
            {"output": OutputFormat(kind=OutputKind.SCHEMA, name="answer", schema=SCHEMA, strict=True)},
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        ),
        ({"output": OutputFormat(kind=OutputKind.TEXT)}, {}),
        (
            {"tools": [Tool(name="f", description="d", parameters=SCHEMA, strict=True), Tool(name="g")]},
            {
                "tools": [
                    {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
                    {"name": "g", "input_schema": {"type": "object", "properties": {}}},
                ]
            },
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_parameter_is_said_in_anthropics_words(fields: dict[str, Any], said: dict[str, Any]) -> None:
    assert encode(**fields) == encode() | said


def test_a_message_that_says_nothing_still_stands() -> None:
    assert encode(Message(role=Role.USER, parts=(), plain=True))["messages"] == [{"role": "user", "content": ""}]


def test_a_refusal_given_back_is_text() -> None:
    said = Message(role=Role.ASSISTANT, parts=[Refusal(text="no")])
    assert encode(HI, said)["messages"][1]["content"] == [{"type": "text", "text": "no"}]
