"""Requests of the Responses dialect as requests of the message model."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.errors import MalformedRequest
from steward.services.models.errors import InvalidParameter, UnsupportedParameter
from steward.services.models.messages import (
    Audio,
    Choice,
    Dialect,
    File,
    Image,
    Message,
    ModelReply,
    ModelRequest,
    Opaque,
    OutputFormat,
    OutputKind,
    Part,
    Reasoning,
    Refusal,
    Role,
    StopReason,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Usage,
)
from tests.services.models.wire.responses.made import asked, encoded, server

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
OTHER = {"type": "custom", "name": "shell", "format": {"type": "text"}}


def request(**body: object) -> ModelRequest:
    return asked(**body).request


def test_text_is_a_users_message_and_instructions_are_the_systems() -> None:
    assert request(input="Hello", instructions="Be brief.").messages == [
        Message(role=Role.SYSTEM, parts=(Text(text="Be brief."),), plain=True),
        Message(role=Role.USER, parts=(Text(text="Hello"),), plain=True),
    ]


def test_one_turn_of_the_model_is_one_message() -> None:
    messages = request(
        input=[
            {"role": "user", "content": "Weather?"},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "commentary",
             "content": [{"type": "output_text", "text": "Looking.", "annotations": [], "logprobs": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "get_weather", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "shell", "input": "ls"},
            {"type": "function_call_output", "call_id": "c1", "output": "mild"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "a"}]},
            {"type": "message", "role": "assistant", "phase": "final_answer", "content": "Mild."},
        ]
    ).messages  # fmt: skip
    assert [one.role for one in messages] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.TOOL, Role.ASSISTANT]
    assert messages[1] == Message(
        role=Role.ASSISTANT,
        id="msg_1",
        phase="commentary",
        parts=(
            Reasoning(id="rs_1", summary=("hm",)),
            Text(text="Looking."),
            ToolCall(id="c1", name="get_weather", arguments="{}", item_id="fc_1"),
            ToolCall(id="c2", name="shell", arguments="ls", custom=True),
        ),
    )
    assert messages[2].parts == (ToolResult(call_id="c1", content=(Text(text="mild"),)),)
    assert messages[3].parts == (ToolResult(call_id="c2", content=(Text(text="a"),), custom=True),)
    assert messages[4].phase == "final_answer"


def test_a_second_message_and_what_was_thought_before_it_are_a_message_of_their_own() -> None:
    messages = request(
        input=[
            {"type": "message", "id": "msg_1", "role": "assistant", "phase": "commentary", "content": "One."},
            {"type": "message", "id": "msg_2", "role": "assistant", "phase": "commentary", "content": "Two."},
            {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
            {"type": "message", "id": "msg_3", "role": "assistant", "phase": "final_answer", "content": "Three."},
            {"role": "user", "content": "More?"},
        ]
    ).messages
    assert [(one.id, one.phase, one.parts) for one in messages] == [
        ("msg_1", "commentary", (Text(text="One."),)),
        ("msg_2", "commentary", (Text(text="Two."),)),
        ("msg_3", "final_answer", (Reasoning(text="hm"), Text(text="Three."))),
        (None, None, (Text(text="More?"),)),
    ]


def test_content_of_all_kinds() -> None:
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://x.example/a.png"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,BBBB", "filename": "a.pdf"},
        {"type": "input_file", "file_url": "https://x.example/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
        {"type": "refusal", "refusal": "no"},
        {"type": "input_video", "video_url": "https://x.example/v"},
    ]
    *parts, video = request(input=[{"role": "user", "content": content}]).messages[0].parts
    assert parts == [
        Image(data="AAAA", media_type="image/png", detail="low"),
        Image(url="https://x.example/a.png"),
        Image(file_id="file_1"),
        File(data="BBBB", media_type="application/pdf", name="a.pdf"),
        File(url="https://x.example/a.pdf"),
        Audio(data="CCCC", format="wav"),
        Refusal(text="no"),
    ]
    assert isinstance(video, Opaque)
    assert (video.dialect, json.loads(bytes(video.raw))) == (Dialect.RESPONSES, content[-1])


def test_parameters_have_their_fields_and_unknown_ones_are_kept() -> None:
    found = request(
        max_output_tokens=100, temperature=0.5, top_p=0.9, parallel_tool_calls=False, user="u", service_tier="flex",
        text={"format": {"type": "json_schema", "name": "n", "schema": {"a": 1}, "strict": True}, "verbosity": "low"},
        reasoning={"effort": "low", "summary": "detailed"}, include=["message.output_text.logprobs"], top_logprobs=3,
        store=True, background=False, truncation="auto", metadata={"a": "b"}, prompt_cache_key="k", novel={"x": [1]},
        previous_response_id=None,
    )  # fmt: skip
    assert found.output is not None
    assert found.output.schema is not None
    assert json.loads(bytes(found.output.schema)) == {"a": 1}
    assert found.output == OutputFormat(kind=OutputKind.SCHEMA, name="n", schema=found.output.schema, strict=True)
    assert found.thinking == Thinking(effort="low", summary="detailed")
    assert (found.max_output_tokens, found.temperature, found.top_p, found.verbosity) == (100, 0.5, 0.9, "low")
    assert found.metadata == {"a": "b"}
    assert (found.logprobs, found.top_logprobs, found.parallel_tool_calls) == (True, 3, False)
    assert {name: json.loads(bytes(raw)) for name, raw in found.extra.items()} == {
        "prompt_cache_key": "k",
        "novel": {"x": [1]},
    }


@pytest.mark.parametrize(
    ("choice", "expected", "tools"),
    [
        ("none", ToolChoice(mode=ToolMode.NONE), ["get_weather", "shell"]),
        ("required", ToolChoice(mode=ToolMode.REQUIRED), ["get_weather", "shell"]),
        (
            {"type": "function", "name": "get_weather"},
            ToolChoice(mode=ToolMode.TOOL, name="get_weather"),
            ["get_weather", "shell"],
        ),
        (
            {"type": "custom", "name": "shell"},
            ToolChoice(mode=ToolMode.TOOL, name="shell", custom=True),
            ["get_weather", "shell"],
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "shell"}]},
            ToolChoice(mode=ToolMode.REQUIRED),
            ["shell"],
        ),
    ],
)
def test_choice_of_tools(choice: object, expected: ToolChoice, tools: list[str]) -> None:
    found = request(tools=[WEATHER, OTHER], tool_choice=choice)
    assert found.tool_choice == expected
    assert [tool.name for tool in found.tools] == tools


def test_a_tool_that_is_the_providers_own_is_kept_as_it_came() -> None:
    (tool,) = request(tools=[{"type": "web_search", "filters": {"a": 1}}]).tools
    assert tool.opaque is not None
    assert (tool.name, tool.dialect) == ("web_search", Dialect.RESPONSES)
    assert json.loads(bytes(tool.opaque)) == {"type": "web_search", "filters": {"a": 1}}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"previous_response_id": "resp_1"}, "send the items again"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, r"input\[0\] .*send the item itself"),
        ({"input": [{"id": "msg_1"}]}, "item_reference"),
        ({"include": ["file_search_call.results"]}, r"include\[0\]"),
    ],
)
def test_what_would_need_a_store_is_refused_with_the_remedy(body: dict[str, object], named: str) -> None:
    with pytest.raises(UnsupportedParameter, match=named):
        asked(**body)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"model": None}, "^model: is missing"),
        ({"model": 3}, "^model: must be a string"),
        ({"input": None}, "^input: is missing"),
        ({"input": 7}, "^input: must be a list"),
        ({"input": ["x"]}, r"^input\[0\]: must be an object"),
        ({"input": [{"role": "pope", "content": ""}]}, r"^input\[0\].role: 'pope'"),
        ({"input": [{"role": "user"}]}, r"^input\[0\].content: is missing"),
        ({"input": [{"role": "user", "content": [{"text": "a"}]}]}, r"^input\[0\].content\[0\].type: is missing"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, r"content\[0\]: needs either"),
        ({"input": [{"type": "function_call", "name": "f"}]}, r"^input\[0\].call_id: is missing"),
        ({"temperature": 3}, "^temperature: 3.0 cannot be"),
        ({"max_output_tokens": 0}, "^max_output_tokens"),
        ({"tools": [{"name": "f"}]}, r"^tools\[0\].type"),
        ({"tool_choice": "maybe"}, "^tool_choice: 'maybe'"),
        ({"tool_choice": {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}]}}, "not among"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "^text.format.schema"),
        ({"metadata": {"a": "b" * 600}}, "^metadata.a"),
        ({"stream": "yes"}, "^stream: must be true or false"),
    ],
)
def test_a_fault_is_named_by_its_path(body: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidParameter, match=named):
        asked(**body)


def test_what_is_no_json_is_refused() -> None:
    for body in (b"", b"[]", b'{"model": "m"', b'{"model": "\xff", "input": "a"}'):
        with pytest.raises((InvalidParameter, MalformedRequest)):
            server().decode(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["input", "tools", "tool_choice", "text", "reasoning", "include", "metadata", "stream_options"])
ITEM_NAMES = st.sampled_from(["type", "role", "content", "output", "summary", "call_id", "encrypted_content", "id"])
ITEM_VALUES = JSON | st.sampled_from(["message", "user", "reasoning", "function_call_output", "steward:part"])


@settings(max_examples=50, deadline=None)
@given(body=st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(ITEM_NAMES, ITEM_VALUES), max_size=3)))
def test_whatever_comes_is_read_or_refused(body: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidParameter, UnsupportedParameter):
        asked(**body)


WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
FILLED = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
ANSWER = st.lists(
    st.builds(Text, text=WORDS)
    | st.builds(Refusal, text=WORDS)
    | st.builds(ToolCall, id=FILLED, name=FILLED, arguments=FILLED, custom=st.booleans())
    | st.builds(Reasoning, text=WORDS, signature=st.none() | FILLED, summary=st.lists(WORDS, max_size=2).map(tuple))
    | st.builds(Reasoning, redacted=FILLED)
    | st.builds(Reasoning, encrypted=FILLED)
    | st.builds(Audio, data=FILLED, format=st.just("wav"))
    | st.builds(Image, url=FILLED),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50, deadline=None)
@given(parts=ANSWER)
def test_an_answer_that_is_sent_back_says_the_same(parts: list[Part]) -> None:
    """Reply → items → request: whichever dialect's reply, with its proofs, comes back whole and in order."""
    reply = ModelReply(id="x", model="m", choices=[Choice(parts=parts, stop=StopReason.END)], usage=Usage())
    back = request(input=encoded(reply)["output"]).messages
    assert [bare(part) for message in back for part in message.parts] == [bare(part) for part in parts]
    assert all(message.role is Role.ASSISTANT for message in back)


def bare(part: Part) -> Part:
    """Without the ids that the encoder gave."""
    if isinstance(part, Reasoning):
        return msgspec.structs.replace(part, id=None, summary=tuple(part.summary))
    return msgspec.structs.replace(part, item_id=None) if isinstance(part, ToolCall) else part
