"""Requests of Anthropic's own clients: read into the message model, and sent on as they came."""

import json
from typing import Any

import pytest

from steward.services.models.errors import CannotExpress, InvalidParameter
from steward.services.models.messages import (
    CacheHint,
    Dialect,
    File,
    Image,
    Message,
    ModelRequest,
    Opaque,
    OutputKind,
    Reasoning,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolMode,
    ToolResult,
)
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer, beta_headers, with_betas

CLIENT = AnthropicClient()
SERVER = AnthropicServer()
ASK: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}

EVERYTHING: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 2048,
    "stream": True,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}, "new": 1}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}, "fresh": {"a": [1.50]}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}, "transformations": {}},
                {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "image", "source": {"type": "hologram", "beam": 1}},
                {"type": "image", "source": {"type": "url", "url": "https://x.example", "size": 2}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
                    "title": "Terms",
                    "context": "of 2026",
                    "citations": {"enabled": True},
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_2"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "c"}]}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "r"}]},
                {"type": "never_heard_of", "deep": {"er": None}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln", "more": 1},
                {"type": "redacted_thinking", "data": "ZGF0YQ=="},
                {"type": "text", "text": "It says", "citations": [{"type": "char_location", "cited_text": "x"}]},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "tool_use", "id": "a", "name": "find", "input": {"n": 123456789012345678901234567890}},
                {
                    "type": "tool_use",
                    "id": "b",
                    "name": "find",
                    "input": {},
                    "caller": {"type": "code", "tool_id": "x"},
                },
            ],
        },
        {
            "role": "user",
            "unknown": "kept",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "bare", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "cache_control": {"type": "ephemeral", "ttl": "5m"},
                    "content": [
                        {"type": "text", "text": "in a list"},
                        {"type": "image", "source": {"type": "url", "url": "https://x.example/b.png"}},
                        {"type": "tool_reference", "tool_name": "find"},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "alone in a list"}]},
                {"type": "tool_result", "tool_use_id": "d"},
                {"type": "text", "text": "and now?", "cache_control": {"type": "persistent", "days": 3}},
            ],
        },
        {"role": "system", "content": "From here on, in French."},
        {"role": "assistant", "content": "Alors"},
    ],
    "tools": [
        {
            "name": "find",
            "description": "Finds",
            "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
            "strict": True,
            "cache_control": {"type": "ephemeral"},
            "defer_loading": True,
        },
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        {"type": "mcp_toolset", "mcp_server_name": "docs"},
    ],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "temperature": 1.0,
    "top_p": 0.5,
    "top_k": 3,
    "stop_sequences": ["END"],
    "service_tier": "standard_only",
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
    "output_config": {
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object", "x": 1e2}},
        "task_budget": {"type": "tokens", "total": 20000},
    },
    "metadata": {"user_id": "u-1", "more": "m"},
    "cache_control": {"type": "ephemeral"},
    "container": "container_1",
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    "mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "docs"}],
    "speed": "fast",
    "of_tomorrow": [None, {"x": None}],
}


def decode(body: dict[str, Any]) -> ModelRequest:
    return SERVER.decode(json.dumps(body).encode()).request


def encode(request: ModelRequest, *, stream: bool = False) -> dict[str, Any]:
    return json.loads(CLIENT.encode(request, model=request.model, stream=stream))


def parts_of(*blocks: dict[str, Any], role: str = "user") -> list[Any]:
    return [
        part for m in decode({**ASK, "messages": [{"role": role, "content": [*blocks]}]}).messages for part in m.parts
    ]


def test_a_request_with_everything_goes_out_as_it_came() -> None:
    asked = SERVER.decode(json.dumps(EVERYTHING).encode())
    assert asked.stream
    assert json.loads(CLIENT.encode(asked.request, model="claude", stream=asked.stream)) == EVERYTHING


def test_numbers_and_unknown_fields_go_out_in_the_same_characters() -> None:
    sent = CLIENT.encode(decode(EVERYTHING), model="m", stream=False)
    assert b"123456789012345678901234567890" in sent
    assert b'{"a": [1.5]}' in sent


@pytest.mark.parametrize(
    "change",
    [
        {"tool_choice": {"type": "auto"}},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
        {"tool_choice": {"type": "none"}},
        {"tool_choice": {"type": "tool", "name": "find"}},
        {"tool_choice": {"type": "tool", "name": "find", "disable_parallel_tool_use": True}},
        {"tool_choice": {"type": "any", "of": "tomorrow"}},
        {"tool_choice": {"type": "pick", "from": ["a"]}},
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "between_tools"}},
        {"output_config": {"effort": "max"}},
        {"output_config": {"format": {"type": "grammar", "grammar": "x"}}},
        {"metadata": {"team": "t"}},
        {"system": "You are brief."},
        {"messages": [{"role": "system", "content": "first of all"}, {"role": "user", "content": "hi"}]},
        {
            "system": "one",
            "messages": [{"role": "system", "content": "two"}, {"role": "user", "content": "hi"}],
        },
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "before"},
                        {"type": "tool_result", "tool_use_id": "a", "content": "x"},
                        {"type": "text", "text": "after"},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "b", "content": "y"}]},
            ]
        },
        {"max_tokens": 0},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_it_goes_out_as_it_came(change: dict[str, Any]) -> None:
    body = ASK | change
    assert encode(decode(body)) == body


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ({"stream": False}, {}),
        ({"tools": [], "stop_sequences": []}, {}),
        ({"metadata": {"user_id": None}, "temperature": None}, {}),
        (
            {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        ),
        (
            {"tools": [{"type": "custom", "name": "f", "input_schema": {"type": "object"}}]},
            {"tools": [{"name": "f", "input_schema": {"type": "object"}}]},
        ),
    ],
)
def test_what_means_the_same_is_written_in_one_way(said: dict[str, Any], written: dict[str, Any]) -> None:
    assert encode(decode(ASK | said)) == ASK | written


def test_a_direct_call_is_said_by_saying_nothing() -> None:
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    assert parts_of({**call, "caller": {"type": "direct"}}, role="assistant") == [
        ToolCall(id="a", name="f", arguments='{"x": 1}')
    ]


def test_parameters_have_their_fields() -> None:
    request = decode(EVERYTHING)
    assert (request.max_output_tokens, request.temperature, request.top_p, request.top_k) == (2048, 1.0, 0.5, 3)
    assert (request.stop, request.service_tier, request.user) == (["END"], "standard_only", "u-1")
    assert (request.parallel_tool_calls, request.dialect) == (False, Dialect.ANTHROPIC)
    assert request.tool_choice is not None
    assert request.tool_choice.mode is ToolMode.REQUIRED
    assert request.thinking is not None
    assert (request.thinking.mode, request.thinking.budget_tokens, request.thinking.effort) == ("enabled", 1024, "low")
    assert request.output is not None
    assert request.output.kind is OutputKind.SCHEMA
    assert set(request.extra) == {
        "output_config", "metadata", "cache_control", "container", "context_management", "mcp_servers", "speed",
        "of_tomorrow",
    }  # fmt: skip


def test_system_is_the_first_message() -> None:
    first, second = decode(ASK | {"system": "Be brief."}).messages
    assert first == Message(role=Role.SYSTEM, parts=[Text(text="Be brief.")], plain=True)
    assert second == Message(role=Role.USER, parts=[Text(text="hi")], plain=True)


def test_results_are_told_apart_from_the_words_after_them() -> None:
    blocks = [
        {"type": "tool_result", "tool_use_id": "a", "content": "12"},
        {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "13"}], "is_error": True},
        {"type": "text", "text": "why?"},
    ]
    assert decode({**ASK, "messages": [{"role": "user", "content": blocks}]}).messages == [
        Message(role=Role.TOOL, parts=[ToolResult(call_id="a", content=[Text(text="12")])], plain=True),
        Message(role=Role.TOOL, parts=[ToolResult(call_id="b", content=[Text(text="13")], is_error=True)], joined=True),
        Message(role=Role.USER, parts=[Text(text="why?")], joined=True),
    ]


def test_images_and_documents_have_their_fields() -> None:
    parts = [part for part in decode(EVERYTHING).messages[1].parts if isinstance(part, Image | File)]
    assert [(p.url, p.data, p.media_type, p.file_id) for p in parts] == [
        (None, "aGk=", "image/png", None),
        ("https://x.example/a.png", None, None, None),
        (None, None, None, "file_1"),
        (None, "aGk=", "application/pdf", None),
        (None, None, "text/plain", None),
        ("https://x.example/a.pdf", None, None, None),
        (None, None, None, "file_2"),
    ]
    document, text = parts[3], parts[4]
    assert isinstance(document, File)
    assert isinstance(text, File)
    assert (document.name, text.text) == ("Terms", "plain")
    assert set(document.extra) == {"context", "citations"}


def test_cache_hints_are_typed() -> None:
    part = parts_of({"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}})[0]
    assert part.cache == CacheHint(ttl="1h")
    assert not part.extra


def test_thinking_and_unknown_blocks_are_kept_whole() -> None:
    thought, redacted, unknown = parts_of(
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "of_tomorrow", "a": None},
        role="assistant",
    )
    assert thought == Reasoning(text="hm", signature="")
    assert redacted == Reasoning(redacted="x")
    assert isinstance(unknown, Opaque)
    assert (unknown.type, bytes(unknown.raw)) == ("of_tomorrow", b'{"type": "of_tomorrow", "a": null}')


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": 1}, "model"),
        ({"model": None}, "model"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [1]}, "messages.0"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]},
            "messages.0.content.0.source.url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": 1}]}]},
            "messages.0.content.0.tool_use_id",
        ),
        ({"tools": [{"description": "no name"}]}, "tools.0.name"),
        ({"tool_choice": {"name": "f"}}, "tool_choice.type"),
        ({"thinking": "much"}, "thinking"),
        ({"stop_sequences": "END"}, "stop_sequences"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_cannot_be_is_refused_by_name(change: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        decode(ASK | change)
    assert refused.value.data["param"] == param


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model": "\xff"}', b'{"x": "\xff\xfe", "model": "m"}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidParameter, match="body"):
        SERVER.decode(body)


def test_a_limit_must_be_set_before_a_request_is_sent() -> None:
    with pytest.raises(CannotExpress, match="max_output_tokens"):
        encode(ModelRequest(model="m", messages=[]))


def test_betas_travel_with_the_request_and_never_in_its_body() -> None:
    request = with_betas(decode(ASK), "a-2025-01-01,b-2025-01-01")
    assert beta_headers(request) == CLIENT.request_headers(request) == {"anthropic-beta": "a-2025-01-01,b-2025-01-01"}
    assert encode(request) == ASK
    assert beta_headers(decode(ASK)) == {}
    assert beta_headers(with_betas(decode(ASK), "a\r\nx-api-key: k")) == {}
    assert beta_headers(decode(ASK | {"anthropic-beta": ["a"]})) == {}
    assert with_betas(decode(ASK), "") == decode(ASK)


def test_thinking_of_a_service_needs_no_mode() -> None:
    request = ModelRequest(model="m", messages=[], max_output_tokens=5000, thinking=Thinking(budget_tokens=2000))
    assert encode(request)["thinking"] == {"type": "enabled", "budget_tokens": 2000}


def test_headers_carry_the_key_where_it_is_wanted() -> None:
    assert CLIENT.headers("k") == {"anthropic-version": "2023-06-01", "x-api-key": "k"}
    assert CLIENT.headers(None) == {"anthropic-version": "2023-06-01"}
    assert CLIENT.headers("k", "api-key")["api-key"] == "k"
    assert CLIENT.headers("k", "Authorization")["Authorization"] == "Bearer k"


def test_a_base_url_may_end_with_the_version() -> None:
    assert CLIENT.path_for("https://api.anthropic.com") == CLIENT.path == "/v1/messages"
    assert CLIENT.path_for("https://proxy.example/anthropic/v1/") == "/messages"
