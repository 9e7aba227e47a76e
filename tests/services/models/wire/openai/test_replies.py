"""Whole answers: of providers of the dialect, and as clients of the dialect are told them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Choice,
    Dialect,
    ModelReply,
    Opaque,
    Reasoning,
    Refusal,
    StopReason,
    Text,
    ToolCall,
    Usage,
)
from tests.services.models.wire.openai.speech import CLIENT, answer, choice, heard, repeated, usage
from tests.services.models.wire.openai.test_requests import calls, some, with_unknown

unknown = with_unknown({})
spoken = with_unknown(
    {"role": st.just("assistant"), "content": some, "refusal": st.none()},
    reasoning_content=some,
    annotations=st.just([{"type": "url_citation", "url_citation": {"url": "https://x.example"}}]),
)
called = with_unknown(
    {"role": st.just("assistant"), "content": st.one_of(st.none(), some), "refusal": st.none(), "tool_calls": calls},
    reasoning=some,
    reasoning_details=st.just([{"type": "reasoning.text", "text": "x", "signature": "s"}]),
)
refused = with_unknown({"role": st.just("assistant"), "content": st.none(), "refusal": some})
audible = with_unknown(
    {
        "role": st.just("assistant"),
        "content": st.none(),
        "refusal": st.none(),
        "audio": st.just({"id": "a", "data": ""}),
    }
)
ends = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "end_turn", "strange"])
choices = with_unknown(
    {
        "index": st.integers(0, 3),
        "message": st.one_of(spoken, called, refused, audible),
        "logprobs": st.one_of(st.none(), st.just({"content": [], "refusal": None})),
        "finish_reason": ends,
    },
    native_finish_reason=some,
)
counts = st.integers(0, 9)
usages = st.builds(
    lambda read, cached, said, thought, more, odd: {
        **usage(read + cached, said + thought, **more),
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0, **odd},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": said,
        },
    },
    counts, counts, counts, counts, unknown, unknown,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(told=st.lists(choices, min_size=1, max_size=3), used=usages, more=unknown)
def test_an_answer_of_the_dialect_is_told_again_whole(
    told: list[dict[str, Any]], used: dict[str, Any], more: dict[str, Any]
) -> None:
    said = answer(*told, usage=used, service_tier="default", system_fingerprint=None, **more)
    assert repeated(heard(said)) == said


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("said", "word", "stop", "raw"),
    [
        ({"content": "x"}, "stop", StopReason.END, None),
        ({"content": "x"}, "length", StopReason.LENGTH, None),
        ({"content": "x"}, "content_filter", StopReason.FILTERED, None),
        ({"tool_calls": [CALL]}, "tool_calls", StopReason.TOOL_CALLS, None),
        ({"tool_calls": [CALL]}, "stop", StopReason.TOOL_CALLS, "stop"),
        ({"function_call": CALL["function"]}, "function_call", StopReason.TOOL_CALLS, "function_call"),
        ({"refusal": "no"}, "stop", StopReason.REFUSED, "stop"),
        ({"content": "x"}, "model_length", StopReason.CONTEXT, "model_length"),
        ({"content": "x"}, "max_tokens", StopReason.LENGTH, "max_tokens"),
        ({"content": "x"}, "fog", StopReason.OTHER, "fog"),
        ({"content": "x"}, None, StopReason.OTHER, None),
        ({"tool_calls": [CALL]}, None, StopReason.TOOL_CALLS, None),
    ],
)
def test_why_an_answer_ended(said: dict[str, Any], word: str | None, stop: StopReason, raw: str | None) -> None:
    found = heard(answer(choice(said, word))).choices[0]
    assert (found.stop, found.stop_raw) == (stop, raw)


def test_a_matched_stop_sequence_is_heard() -> None:
    found = heard(answer(choice({"content": "x"}, stop_reason="END"))).choices[0]
    assert (found.stop, found.stop_sequence) == (StopReason.STOP_SEQUENCE, "END")


@pytest.mark.parametrize(
    ("stop", "parts", "word"),
    [
        (StopReason.END, [Text(text="x")], "stop"),
        (StopReason.STOP_SEQUENCE, [Text(text="x")], "stop"),
        (StopReason.LENGTH, [Text(text="x")], "length"),
        (StopReason.CONTEXT, [Text(text="x")], "length"),
        (StopReason.TOOL_CALLS, [ToolCall(id="c", name="f", arguments="{}")], "tool_calls"),
        (StopReason.FILTERED, [], "content_filter"),
        (StopReason.REFUSED, [], "content_filter"),
        (StopReason.REFUSED, [Refusal(text="no")], "stop"),
        (StopReason.PAUSED, [], "stop"),
        (StopReason.OTHER, [], "stop"),
    ],
)
def test_why_another_dialects_answer_ended(stop: StopReason, parts: list[Any], word: str) -> None:
    reply = foreign(*parts, stop=stop, stop_raw="end_turn")
    assert repeated(reply)["choices"][0]["finish_reason"] == word


def foreign(*parts: Any, stop: StopReason = StopReason.END, **fields: Any) -> ModelReply:
    """An answer of Anthropic."""
    return ModelReply(
        id="msg_1",
        model="claude",
        choices=[Choice(parts=parts, stop=stop, **fields)],
        usage=Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2, cache_write_tokens=3),
        dialect=Dialect.ANTHROPIC,
        extra={"type": msgspec.Raw(b'"message"')},
    )


def test_another_dialects_answer_is_told_in_this_form() -> None:
    told = repeated(
        foreign(
            Reasoning(text="hm", signature="s"),
            Reasoning(redacted="xyz"),
            Text(text="a"),
            Opaque(dialect=Dialect.ANTHROPIC, type="server_tool_use", raw=msgspec.Raw(b"{}")),
            Text(text="b", extra={"citations": msgspec.Raw(b"[]")}),
            ToolCall(id="toolu_1", name="f", arguments='{"a":1}'),
            stop=StopReason.TOOL_CALLS,
        )
    )
    created = told.pop("created")
    assert created > 1_700_000_000
    assert told == {
        "id": "chatcmpl-msg_1",
        "object": "chat.completion",
        "model": "claude",
        "choices": [
            choice(
                {
                    "content": "ab",
                    "reasoning_content": "hm",
                    "thinking_blocks": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "redacted_thinking", "data": "xyz"},
                    ],
                    "tool_calls": [
                        {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
                    ],
                },
                "tool_calls",
            )
        ],
        "usage": usage(9, 4, prompt_tokens_details={"cached_tokens": 2, "audio_tokens": 0, "cache_write_tokens": 3}),
    }


def test_openais_own_types_read_our_answers() -> None:
    body = repeated(foreign(Text(text="hi"), ToolCall(id="c", name="f", arguments="{}")))
    assert ChatCompletion.model_validate(body, strict=False).choices[0].message.content == "hi"


def test_a_cached_answer_says_so_and_another_one_nothing() -> None:
    reply = heard(answer())
    assert "from_cache" not in repeated(reply)
    assert repeated(msgspec.structs.replace(reply, from_cache="exact"))["from_cache"] == "exact"


def test_what_providers_leave_out_is_made_up_for() -> None:
    bare = {
        "choices": [{"message": {"content": "x", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}}]
    }
    reply = heard(bare)
    text, call = reply.choices[0].parts
    assert isinstance(call, ToolCall)
    assert (text, call.arguments) == (Text(text="x"), '{"a": 1}')
    assert call.id.startswith("call_")
    assert reply.usage == Usage()
    told = repeated(reply)
    assert told["id"].startswith("chatcmpl-")
    assert told["created"] > 1_700_000_000


def test_calls_without_ids_get_different_ones_that_stay_the_same() -> None:
    call = {"id": "", "function": {"name": "f"}}
    first, again = (heard(answer(choice({"tool_calls": [call, call]}))) for _ in range(2))
    other = heard(answer(choice({"tool_calls": [call]}), id="chatcmpl-2"))
    ids = [part.id for part in first.choices[0].parts if isinstance(part, ToolCall)]
    assert first == again
    assert len({*ids, other.choices[0].parts[0].id}) == 3  # pyright: ignore[reportAttributeAccessIssue] a call it is


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_heard_under_either_name(name: str) -> None:
    thought, text = heard(answer(choice({"content": "x", name: "hm"}))).choices[0].parts
    assert isinstance(thought, Reasoning)
    assert (thought.text, text) == ("hm", Text(text="x"))


def test_parts_of_a_list_are_heard() -> None:
    said = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "x"}]
    told = answer(choice({"content": said}))
    parts = heard(told).choices[0].parts
    assert [type(part) for part in parts] == [Opaque, Text]
    assert repeated(heard(told)) == told


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (usage(9, 4), Usage(input_tokens=9, output_tokens=4)),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 3},
            Usage(input_tokens=9, output_tokens=4, cache_read_tokens=6),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 5},
            Usage(input_tokens=9, cache_read_tokens=5, output_tokens=4),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(input_tokens=9, output_tokens=11, reasoning_tokens=7),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 3, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 1},
            },
            Usage(
                input_tokens=9,
                output_tokens=4,
                cache_read_tokens=2,
                cache_write_tokens=1,
                reasoning_tokens=2,
                audio_input_tokens=3,
                audio_output_tokens=1,
            ),
        ),
        ({"prompt_tokens": None, "completion_tokens": 4.0, "prompt_tokens_details": None}, Usage(output_tokens=4)),
        (
            {"completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 5}},
            Usage(output_tokens=3, reasoning_tokens=3),
        ),
    ],
)
def test_usage_is_counted_in_every_form(told: dict[str, Any], found: Usage) -> None:
    counted = heard(answer(usage=told)).usage
    assert msgspec.structs.replace(counted, extra={}) == found


def test_usage_that_was_set_right_is_told_again_as_it_came() -> None:
    odd = usage(9, 4, total_tokens=20, cost=0.25)
    assert repeated(heard(answer(usage=odd)))["usage"] == odd


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hi",
        b"[]",
        b"{}",
        b'{"choices":null}',
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":5}]}',
        b'{"choices":[{"message":{"content":5}}]}',
        b'{"choices":[{"message":{"content":"\xff"}}]}',
    ],
)
def test_an_unreadable_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(ProviderFailure) as failed:
        CLIENT.decode(body)
    assert failed.value.kind is FailureKind.MALFORMED


def test_an_error_in_an_answer_of_status_200_is_one() -> None:
    with pytest.raises(ProviderFailure, match="busy") as failed:
        CLIENT.decode(json.dumps({"error": {"message": "busy", "code": 429}}).encode())
    assert failed.value.kind is FailureKind.RATE_LIMITED
