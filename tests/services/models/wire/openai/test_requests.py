"""Requests: what a client of the dialect says reaches a provider of it whole."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.errors import MalformedRequest
from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import (
    Dialect,
    File,
    Image,
    Opaque,
    OutputKind,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolMode,
    ToolResult,
)
from tests.services.models.wire.openai.speech import HI, NEWER, SERVER, asked, passed_on, told

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
some = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), words),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(words, inner, max_size=2)),
    max_leaves=3,
)
unknown = st.dictionaries(st.sampled_from(["x_new", "x_other"]), values, max_size=2)


def with_unknown(fields: dict[str, st.SearchStrategy[Any]], **perhaps: st.SearchStrategy[Any]) -> Any:
    """Objects with these fields, some of those, and fields that nobody knows."""
    known = st.fixed_dictionaries(fields, optional=perhaps)
    return st.builds(lambda one, more: {**one, **more}, known, unknown)


texts = with_unknown(
    {"type": st.just("text"), "text": words}, cache_control=st.just({"type": "ephemeral", "ttl": "1h"})
)
urls = st.sampled_from(["https://x.example/a.png", "data:image/png;base64,QUJD", "data:image/svg+xml,<svg/>"])
images = with_unknown(
    {"type": st.just("image_url"), "image_url": with_unknown({"url": urls}, detail=st.sampled_from(["low", "high"]))}
)
audio = with_unknown(
    {"type": st.just("input_audio"), "input_audio": with_unknown({"data": words, "format": st.just("wav")})}
)
data = st.sampled_from(["data:application/pdf;base64,QUJD", "QUJD", "https://x.example/a.pdf"])
files = with_unknown({"type": st.just("file"), "file": with_unknown({"file_id": some}, file_data=data, filename=some)})
odd = with_unknown({"type": st.just("video_url"), "video_url": st.just({"url": "https://x.example/v"})})
parts = st.lists(st.one_of(texts, images, audio, files, odd), min_size=1, max_size=3)
functions = with_unknown(
    {
        "id": some,
        "type": st.just("function"),
        "function": with_unknown({"name": some, "arguments": words}),
    }
)
customs = with_unknown({"id": some, "type": st.just("custom"), "custom": with_unknown({"name": some, "input": words})})
strange = with_unknown({"id": some, "type": st.just("mcp"), "mcp": values})
calls = st.lists(st.one_of(functions, customs, strange), min_size=1, max_size=3)
told_in_parts = st.lists(texts, min_size=1, max_size=2)
messages = st.one_of(
    with_unknown({"role": st.sampled_from(["system", "developer", "user"]), "content": words}, name=some),
    with_unknown({"role": st.just("user"), "content": parts}, name=some),
    with_unknown({"role": st.just("tool"), "tool_call_id": some, "content": st.one_of(words, told_in_parts)}),
    with_unknown({"role": st.just("function"), "name": some, "content": words}),
    with_unknown(
        {"role": st.just("assistant"), "content": st.one_of(some, told_in_parts)},
        name=some,
        refusal=words,
        tool_calls=calls,
        reasoning_content=words,
        audio=st.just({"id": "audio_1"}),
        function_call=st.just({"name": "f", "arguments": "{}"}),
        annotations=st.just([{"type": "url_citation", "url_citation": {"url": "https://x.example"}}]),
    ),
    with_unknown({"role": st.just("assistant"), "content": st.none(), "tool_calls": calls}, reasoning=some),
    with_unknown(
        {"role": st.just("assistant"), "content": words, "reasoning": some},
        reasoning_details=st.just([{"type": "reasoning.encrypted", "data": "x"}]),
        reasoning_content=some,
    ),
)
function_tools = with_unknown(
    {
        "type": st.just("function"),
        "function": with_unknown(
            {"name": some}, description=words, parameters=st.dictionaries(words, values), strict=st.booleans()
        ),
    }
)
custom_tools = with_unknown(
    {"type": st.just("custom"), "custom": with_unknown({"name": some}, description=words, format=values)}
)
own_tools = with_unknown({"type": st.just("web_search")})
choices = st.one_of(
    st.sampled_from(["auto", "none", "required"]),
    with_unknown({"type": st.just("function"), "function": with_unknown({"name": some})}),
    with_unknown({"type": st.just("custom"), "custom": with_unknown({"name": some})}),
    with_unknown({"type": st.just("allowed_tools"), "allowed_tools": st.just({"mode": "auto", "tools": []})}),
    with_unknown({"type": st.just("web_search")}),
)
schema = with_unknown({"name": some}, description=words, schema=st.dictionaries(words, values), strict=st.booleans())
formats = st.one_of(
    with_unknown({"type": st.sampled_from(["text", "json_object", "grammar"])}),
    with_unknown({"type": st.just("json_schema"), "json_schema": schema}),
)
bodies = with_unknown(
    {"model": some, "messages": st.lists(messages, min_size=1, max_size=4), "stream": st.just(False)},
    max_tokens=st.integers(1, 9),
    temperature=st.floats(0, 2),
    top_p=st.floats(0, 1),
    top_k=st.integers(1, 9),
    stop=st.lists(some, min_size=1, max_size=4),
    tools=st.lists(st.one_of(function_tools, custom_tools, own_tools), min_size=1, max_size=2),
    tool_choice=choices,
    parallel_tool_calls=st.booleans(),
    response_format=formats,
    reasoning_effort=st.sampled_from(["none", "low", "xhigh"]),
    n=st.integers(2, 128),
    seed=st.integers(-(2**63), 2**63),
    frequency_penalty=st.floats(-2, 2),
    presence_penalty=st.floats(-2, 2),
    logprobs=st.booleans(),
    top_logprobs=st.integers(0, 20),
    logit_bias=st.dictionaries(words, st.integers(-100, 100)),
    user=words,
    metadata=st.dictionaries(words, words),
    service_tier=some,
    verbosity=st.sampled_from(["low", "high"]),
    store=st.booleans(),
    modalities=st.just(["text", "audio"]),
    audio=st.just({"voice": "alloy", "format": "wav"}),
    prediction=st.just({"type": "content", "content": "x"}),
    web_search_options=st.just({}),
    functions=st.just([{"name": "f"}]),
    function_call=st.sampled_from(["auto", {"name": "f"}]),
    prompt_cache_key=words,
    safety_identifier=words,
)


@settings(max_examples=80, deadline=None)
@given(body=bodies)
def test_a_request_reaches_a_provider_of_the_dialect_whole(body: dict[str, Any]) -> None:
    assert passed_on(body) == body


def test_normal_forms_say_the_same() -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}], "audio": None, "annotations": []},
            {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": ""}}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": "https://x.example/a"}], "name": None},
        ],
        "stop": "END",
        "max_completion_tokens": 7,
        "modalities": ["text"],
        "temperature": None,
        "store": None,
        "n": 1,
    }
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert passed_on(body) == {
        "model": "m",
        "messages": [
            {"role": "assistant", "content": None, "refusal": "no"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a"}}]},
        ],
        "stop": ["END"],
        "max_tokens": 7,
        "stream": False,
    }


def test_openai_itself_is_told_the_newer_name_of_the_limit() -> None:
    assert passed_on({"model": "m", "messages": [HI], "max_tokens": 7}, NEWER)["max_completion_tokens"] == 7


def test_a_stream_always_asks_for_the_usage_and_keeps_other_options() -> None:
    options = {"include_usage": False, "include_obfuscation": True, "x_new": 1}
    body = {"model": "m", "messages": [HI], "stream": True, "stream_options": options}
    assert passed_on(body)["stream_options"] == {"include_usage": True, "x_new": 1}
    got = asked(stream=True, stream_options=options)
    assert (got.stream, got.include_usage, got.include_obfuscation) == (True, False, True)


def test_parts_are_what_they_mean() -> None:
    said = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
        {"type": "video_url", "video_url": {"url": "u"}},
    ]
    request = asked(messages=[{"role": "user", "content": said}]).request
    text, image, file, video = request.messages[0].parts
    assert text == Text(text="look")
    assert image == Image(data="QUJD", media_type="image/png", detail="low")
    assert file == File(data="QUJD", media_type="application/pdf", name="a.pdf")
    assert isinstance(video, Opaque)
    assert (video.dialect, video.type) == (Dialect.OPENAI, "video_url")


def test_a_turn_with_tools_is_what_it_means() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    request = asked(
        messages=[
            {"role": "developer", "content": "be kind"},
            {"role": "assistant", "content": "", "tool_calls": [call], "reasoning_content": "hm"},
            {"role": "tool", "tool_call_id": "c", "content": "done"},
        ],
    ).request
    developer, assistant, tool = request.messages
    assert (developer.role, developer.plain) == (Role.DEVELOPER, True)
    assert assistant.parts == [Reasoning(text="hm"), ToolCall(id="c", name="f", arguments="{}")]
    assert list(tool.parts) == [ToolResult(call_id="c", content=(Text(text="done"),))]


def test_a_refusal_and_both_names_of_reasoning_are_understood() -> None:
    said = {"role": "assistant", "content": None, "refusal": "no", "reasoning": "a", "reasoning_content": "a"}
    thought, refusal = asked(messages=[said]).request.messages[0].parts
    assert isinstance(thought, Reasoning)
    assert (thought.text, refusal) == ("a", Refusal(text="no"))
    assert passed_on({"model": "m", "messages": [said]})["messages"] == [said]


@pytest.mark.parametrize(
    ("choice", "mode", "name"),
    [
        ("required", ToolMode.REQUIRED, None),
        ({"type": "function", "function": {"name": "f"}}, ToolMode.TOOL, "f"),
        ({"type": "custom", "custom": {"name": "f"}}, ToolMode.TOOL, "f"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}, ToolMode.ALLOWED, None),
    ],
)
def test_the_choice_of_a_tool_is_understood(choice: Any, mode: ToolMode, name: str | None) -> None:
    found = asked(tool_choice=choice).request.tool_choice
    assert found is not None
    assert (found.mode, found.name) == (mode, name)


def test_the_form_of_the_answer_is_understood() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "o", "schema": {"type": "object"}, "strict": True}}
    output = asked(response_format=form).request.output
    assert output is not None
    assert (output.kind, output.name, output.strict) == (OutputKind.SCHEMA, "o", True)
    assert told(asked(response_format={"type": "text"}).request)["response_format"] == {"type": "text"}


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"messages": "hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [HI, {"role": "user"}]}, "messages[1].content"),
        ({"messages": [HI, HI, {"role": "user", "content": 5}]}, "messages[2].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant"}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant", "tool_calls": [CALL, {}]}]}, "messages[0].tool_calls[1].id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{**CALL, "function": {"name": 1}}]}]},
            "messages[0].tool_calls[0].function.name",
        ),
        ({"temperature": 3}, "temperature"),
        ({"top_p": "much"}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"n": 129}, "n"),
        ({"stop": [1]}, "stop[0]"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"function": {}}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": 1}}]}, "tools[0].function.strict"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": "x"}}, "stream_options.include_usage"),
        ({"store": "x"}, "store"),
        ({"modalities": ["smell"]}, "modalities[0]"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        asked(**fields)
    assert refused.value.data["param"] == param


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff{}", b'"x"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        SERVER.decode(body)


def test_broken_json_is_refused() -> None:
    with pytest.raises(InvalidParameter) as refused:
        SERVER.decode(b'{"model": "m", "messages": [')
    assert refused.value.data["param"] == "body"
