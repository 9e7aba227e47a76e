"""Streams: of providers of the dialect, and as clients of the dialect get them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.folding import Assembly, replay
from steward.services.models.messages import (
    Delta,
    Dialect,
    Extra,
    Failed,
    Finished,
    ModelReply,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)
from steward.services.models.wire.ports import ServerEvent
from tests.services.models.wire.openai.speech import (
    CLIENT,
    answer,
    choice,
    chunk,
    chunks_of,
    events,
    heard,
    repeated,
    streamed,
    usage,
    written,
)
from tests.services.models.wire.openai.test_replies import foreign


def folded(said: list[StreamEvent]) -> ModelReply:
    whole = Assembly()
    for event in said:
        whole.add(event)
    return whole.reply()


def as_bytes(extra: Extra) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in extra.items()}


def call(index: int | None = 0, **fields: Any) -> dict[str, Any]:
    """A delta with one tool call."""
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    told = {"index": index, **fields, **({"function": function} if function else {})}
    return {"tool_calls": [{name: value for name, value in told.items() if value is not None}]}


more_of_it = st.text("{}", max_size=2)
deltas = st.one_of(
    st.builds(lambda text: {"content": text}, st.text("ab", max_size=3)),
    st.builds(lambda text: {"reasoning_content": text}, st.text("cd", max_size=3)),
    st.builds(lambda text: {"reasoning": text}, st.text("ef", max_size=3)),
    st.builds(lambda text: {"refusal": text}, st.text("gh", max_size=3)),
    st.builds(
        lambda index, more: call(index, id=f"c{index}", name="f", arguments=more),
        st.integers(0, 2),
        st.text("{", max_size=2),
    ),
    st.builds(lambda index, more: call(index, arguments=more), st.integers(0, 2), st.text("}", max_size=2)),
    st.just({"annotations": [{"type": "x"}]}),
    st.just({"role": "assistant", "content": "", "channel": "final"}),
    st.just({"audio": {"data": "QUJD"}}),
    st.just({"content": "x", "reasoning": None, "reasoning_details": [{"type": "reasoning.text", "text": "y"}]}),
)


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    started: set[tuple[int, int]] = set()
    for delta in draw(st.lists(deltas, max_size=12)):
        index = draw(st.integers(0, 1))
        for one in delta.get("tool_calls", ()):
            if "id" not in one and (index, one["index"]) not in started:
                break
            started.add((index, one["index"]))
        else:
            said = chunk(delta, service_tier="default")
            said["choices"][0]["index"] = index
            found.append(said)
    for index in sorted({one["choices"][0]["index"] for one in found} | {0}):
        said = chunk({}, draw(st.sampled_from(["stop", "length", "tool_calls", "odd"])), service_tier="default")
        said["choices"][0] |= {"index": index, "native_finish_reason": "x"}
        found.append(said)
    return [*found, chunk(choices=[], usage=usage(7, 5), service_tier="default", moderation={"input": 1})]


@settings(max_examples=60, deadline=None)
@given(said=streams())
def test_a_stream_of_the_dialect_is_told_again_whole(said: list[dict[str, Any]]) -> None:
    found = events(streamed(said))
    assert events(written(found)) == found


def test_an_answer_that_is_replayed_as_a_stream_says_the_same() -> None:
    call_told = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "x_call": 1}
    strange = {"id": "m", "type": "mcp", "mcp": {"x": 1}}
    said = answer(
        {**choice({"content": "x", "reasoning": "hm", "reasoning_details": [{"x": 1}]}), "native_finish_reason": "e"},
        {**choice({"refusal": "no"}), "index": 1},
        {**choice({"tool_calls": [call_told, strange, {**call_told, "id": "d"}]}, "tool_calls"), "index": 2},
        {**choice({"audio": {"id": "a", "data": "QQ==", "transcript": "x"}}), "index": 3},
        service_tier="flex",
        x_new={"a": [1]},
    )
    assert repeated(folded(events(written(list(replay(heard(said))))))) == said


def test_the_events_of_a_plain_stream() -> None:
    found = events(
        streamed(
            [
                chunk({"role": "assistant", "content": "", "refusal": None}, obfuscation="xx"),
                chunk({"content": "Hel"}, usage=None),
                chunk({"content": "lo"}),
                chunk({}, "stop"),
                chunk(choices=[], usage=usage()),
            ]
        )
    )
    assert found == [
        Started(id="chatcmpl-1", model="gpt-4.1", created=1700000000, dialect=Dialect.OPENAI),
        PartStarted(index=0, part=Text(text="")),
        Delta(index=0, text="Hel"),
        Delta(index=0, text="lo"),
        PartFinished(index=0),
        Finished(stop=StopReason.END),
        UsageReport(usage=Usage(input_tokens=9, output_tokens=4)),
    ]


def test_parallel_calls_follow_on_each_other() -> None:
    found = events(
        streamed(
            [
                chunk({"content": "x", **call(0, id="a", type="function", name="f", arguments="")}),
                chunk(call(0, arguments='{"a"')),
                chunk(call(0, arguments=":1}")),
                chunk(call(1, id="b", type="function", name="g", arguments="{}")),
                chunk({}, "tool_calls"),
            ]
        )
    )
    reply = folded(found)
    assert reply.choices[0].parts == [
        Text(text="x"),
        ToolCall(id="a", name="f", arguments='{"a":1}'),
        ToolCall(id="b", name="g", arguments="{}"),
    ]
    assert [event.index for event in found if isinstance(event, PartFinished)] == [0, 1, 2]
    assert reply.choices[0].stop is StopReason.TOOL_CALLS


A1, B2 = {"id": "a", "name": "f", "arguments": "1"}, {"id": "b", "name": "f", "arguments": "2"}
NEW = {"name": "f", "arguments": "2"}


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([call(0, **A1), call(0, **B2)], id="one index"),
        pytest.param([call(None, **A1), call(None, **B2)], id="no index"),
        pytest.param([call(None, name="f", arguments="1"), call(None, **NEW)], id="neither index nor id"),
        pytest.param([call(0, id="a", name="f"), call(0, **A1), call(1, **NEW)], id="name repeated"),
        pytest.param([call(0, id="a"), call(0, name="f", arguments="1"), call(1, **B2)], id="name later"),
        pytest.param([call(None, id="a", name="f"), call(None, arguments="1"), call(1, **NEW)], id="no index later"),
    ],
)
def test_calls_are_told_apart_whatever_is_missing(said: list[dict[str, Any]]) -> None:
    reply = folded(events(streamed([*(chunk(delta) for delta in said), chunk({}, "tool_calls")])))
    found = [part for part in reply.choices[0].parts if isinstance(part, ToolCall)]
    assert [part.arguments for part in found] == ["1", "2"]
    assert len({part.id for part in found}) == 2
    assert all(part.id and part.name == "f" for part in found)


def test_custom_and_older_calls_are_heard_and_told() -> None:
    said = [
        chunk({"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "a"}}]}),
        chunk({"tool_calls": [{"index": 0, "custom": {"input": "b"}}]}),
        chunk({"function_call": {"name": "g", "arguments": "1"}}),
        chunk({"function_call": {"arguments": "2"}}),
        chunk({}, "function_call"),
    ]
    found = events(streamed(said))
    assert folded(found).choices[0].parts == [
        ToolCall(id="a", name="f", arguments="ab", custom=True),
        ToolCall(id="", name="g", arguments="12"),
    ]
    told = chunks_of(written(found))
    assert [one["choices"][0]["delta"].get("function_call") for one in told if one["choices"]][4:6] == [
        {"name": "g", "arguments": ""},
        {"arguments": "1"},
    ]
    assert repeated(folded(found))["choices"][0]["message"]["function_call"] == {"name": "g", "arguments": "12"}


def test_unknown_fields_of_a_streamed_call_are_kept() -> None:
    first = {"index": 5, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{", "x": 1}, "y": 2}
    more = {"index": 5, "function": {"arguments": "}"}, "z": [3]}
    said = [chunk({"content": "x"}), chunk({"tool_calls": [first]}), chunk({"tool_calls": [more]}), chunk({}, "stop")]
    found = events(streamed(said))
    call_told = folded(found).choices[0].parts[1]
    assert (type(call_told), as_bytes(call_told.extra)) == (ToolCall, {"function": b'{"x":1}', "y": b"2", "z": b"[3]"})
    told = chunks_of(written(found))
    assert [one["choices"][0]["delta"].get("tool_calls") for one in told][2:5] == [
        [{**first, "index": 0, "function": {"name": "f", "arguments": "", "x": 1}}],
        [{"index": 0, "function": {"arguments": "{"}}],
        [{"index": 0, "function": {"arguments": "}"}}],
    ]
    assert told[5]["choices"][0]["delta"] == {"tool_calls": [{"index": 0, "z": [3]}]}
    assert folded(events(written(found))) == folded(found)


def test_a_call_without_a_name_is_malformed() -> None:
    with pytest.raises(ProviderFailure, match="without a name") as failed:
        events(streamed([chunk(call(0, id="a", arguments="1")), chunk({}, "stop")]))
    assert failed.value.kind is FailureKind.MALFORMED


def test_whatever_providers_leave_out_or_send_too_much() -> None:
    bare = [
        {"id": "", "model": "", "choices": [], "prompt_filter_results": [1]},
        {"id": "x", "choices": [{"delta": {"reasoning": "hm", "content": None, "tool_calls": None}}]},
        {"id": "x", "choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
        {"id": "x", "choices": [{"delta": {"content": "b"}, "finish_reason": "length"}], "x_new": 1},
        {"id": "x", "choices": [{"delta": None, "finish_reason": "length"}], "usage": {"completion_tokens": 2}},
    ]
    found = events(streamed(bare, done=False))
    reply = folded(found)
    assert [part.text for part in reply.choices[0].parts if isinstance(part, Text | Reasoning)] == ["hm", "ab"]
    assert reply.choices[0].stop is StopReason.LENGTH
    assert [event.usage.output_tokens for event in found if isinstance(event, UsageReport)] == [1, 2]
    assert as_bytes(reply.extra) == {"prompt_filter_results": b"[1]", "x_new": b"1"}


def test_without_usage_there_is_no_report_and_nothing_is_lost() -> None:
    found = events(streamed([chunk({"content": "a"}), chunk({}, "stop", x_new=1)]))
    assert not [event for event in found if isinstance(event, UsageReport)]
    assert chunks_of(written(found))[-1]["x_new"] == 1


def test_the_first_and_the_last_of_a_choice_tell_unknown_fields() -> None:
    said = [
        chunk({"content": "a"}, system_fingerprint="fp", provider="P"),
        chunk({"annotations": [{"type": "t"}], "channel": "x"}, system_fingerprint="fp", provider="P"),
        chunk({}, "stop", system_fingerprint="fp", provider="P"),
        chunk(choices=[], usage=usage(), system_fingerprint="fp", provider="P", service_tier="flex"),
    ]
    reply = folded(events(streamed(said)))
    text = reply.choices[0].parts[0]
    assert {name: bytes(raw) for name, raw in text.extra.items()} == {
        "annotations": b'[{"type": "t"}]',
        "channel": b'"x"',
    }
    assert {name: bytes(raw) for name, raw in reply.extra.items()} == {
        "system_fingerprint": b'"fp"',
        "provider": b'"P"',
        "service_tier": b'"flex"',
    }


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ([], FailureKind.CUT),
        ([chunk({"content": "a"})], FailureKind.CUT),
        ([chunk({}, "error")], FailureKind.BROKEN),
        ([{"error": {"message": "no", "code": 429}}], FailureKind.RATE_LIMITED),
        ([{"error": {"message": "no", "type": "server_error"}}], FailureKind.BROKEN),
        ([{"error": {"message": "no", "type": "insufficient_quota"}}], FailureKind.QUOTA),
        ([{"error": {"message": "no", "code": "context_length_exceeded"}}], FailureKind.CONTEXT),
        ([{"error": "overloaded"}], FailureKind.BROKEN),
        ([{"choices": [{"index": 0, "error": {"code": 502, "message": "x"}}]}], FailureKind.BROKEN),
        ([{"choices": 5}], FailureKind.MALFORMED),
        ([{"choices": [{"delta": {"tool_calls": [5]}}]}], FailureKind.MALFORMED),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_that_breaks_says_how(said: list[dict[str, Any]], kind: FailureKind, *, done: bool) -> None:
    with pytest.raises(ProviderFailure) as failed:
        events(streamed(said, done=done))
    assert failed.value.kind is kind
    assert not failed.value.unbilled


def test_a_choice_that_did_not_end_is_cut_though_another_did() -> None:
    other = chunk({"content": "b"})
    other["choices"][0]["index"] = 1
    with pytest.raises(ProviderFailure, match="ended before"):
        events(streamed([chunk({"content": "a"}), other, chunk({}, "stop")]))


@pytest.mark.parametrize("event", [ServerEvent(b"hi"), ServerEvent(b'{"choices":[{"delta":{"content":"\xff"}}]}')])
def test_an_unreadable_event_is_malformed(event: ServerEvent) -> None:
    with pytest.raises(ProviderFailure) as failed:
        CLIENT.stream().feed(event)
    assert failed.value.kind is FailureKind.MALFORMED


def test_an_event_named_error_is_one() -> None:
    with pytest.raises(ProviderFailure, match="no tool") as failed:
        CLIENT.stream().feed(ServerEvent(b'{"error":{"message":"no tool","status_code":400}}', "error"))
    assert failed.value.kind is FailureKind.REFUSED


def test_the_usage_of_a_stream_that_broke_is_heard_before_it() -> None:
    stream = CLIENT.stream()
    stream.feed(ServerEvent(json.dumps(chunk({"content": "a"})).encode()))
    told = stream.feed(ServerEvent(json.dumps(chunk(error={"code": 502, "message": "x"}, usage=usage())).encode()))
    assert [event.usage.output_tokens for event in told if isinstance(event, UsageReport)] == [4]
    with pytest.raises(ProviderFailure):
        stream.end()


def spoken(**started: Any) -> list[StreamEvent]:
    return [
        Started(id="msg_1", model="claude", dialect=Dialect.ANTHROPIC, **started),
        PartStarted(index=0, part=Reasoning()),
        Delta(index=0, text="h"),
        Delta(index=0, text="m"),
        Delta(index=0, signature="sig"),
        PartFinished(index=0),
        PartStarted(index=1, part=Text(text="")),
        Delta(index=1, text="hi"),
        Delta(index=1, raw=msgspec.Raw(b'{"citation":1}')),
        PartFinished(index=1),
        PartStarted(index=2, part=ToolCall(id="t", name="f", arguments="")),
        Delta(index=2, arguments="{}"),
        PartFinished(index=2),
        Finished(stop=StopReason.TOOL_CALLS, stop_raw="tool_use"),
        UsageReport(usage=Usage(input_tokens=9, output_tokens=4)),
    ]


def test_another_dialects_stream_is_told_in_this_form() -> None:
    told = chunks_of(written(spoken(created=5)))
    assert {(one["id"], one["object"], one["created"], one["model"]) for one in told} == {
        ("chatcmpl-msg_1", "chat.completion.chunk", 5, "claude")
    }
    function = {"name": "f", "arguments": ""}
    assert [one["choices"][0]["delta"] for one in told[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "sig"}]},
        {"content": "hi"},
        {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert [one["choices"][0]["finish_reason"] for one in told[:-1]] == [None] * 7 + ["tool_calls"]
    assert [one["usage"] for one in told] == [None] * 8 + [usage()]
    assert told[-1]["choices"] == []


def test_openais_own_types_read_our_chunks() -> None:
    for one in chunks_of(written(spoken(), include_obfuscation=True)):
        read = ChatCompletionChunk.model_validate(one)
        assert read.object == "chat.completion.chunk"
        assert len(json.dumps(one, separators=(",", ":"))) % 32 == 0


def test_without_include_usage_there_is_none() -> None:
    told = chunks_of(written(spoken(), include_usage=False))
    assert not [one for one in told if "usage" in one or not one["choices"]]


def test_a_cached_stream_says_so_in_its_first_chunk() -> None:
    told = chunks_of(written(spoken(from_cache="semantic")))
    assert [one.get("from_cache") for one in told] == ["semantic"] + [None] * 8
    assert not [one for one in chunks_of(written(spoken())) if "from_cache" in one]


def test_a_failed_stream_ends_with_an_error_and_is_not_done() -> None:
    failed = Failed(code="providers_unavailable", message="gone")
    told = written([*spoken()[:8], failed])
    error = {"message": "gone", "type": "server_error", "param": None, "code": "providers_unavailable"}
    last = told.strip().split(b"\n\n")[-1]
    assert json.loads(last.removeprefix(b"data: ")) == {"error": error}


def test_a_refusal_in_a_stream_ends_as_openai_ends_it() -> None:
    said = [
        Started(id="r", model="m", dialect=Dialect.RESPONSES),
        PartStarted(index=0, part=Refusal(text="")),
        Delta(index=0, text="no"),
        PartFinished(index=0),
        Finished(stop=StopReason.REFUSED),
    ]
    told = chunks_of(written(said))
    assert [one["choices"][0]["delta"] for one in told][1:] == [{"refusal": "no"}, {}]
    assert told[-1]["choices"][0]["finish_reason"] == "stop"


def test_log_probabilities_go_with_their_text() -> None:
    one = {"content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}], "refusal": None}
    said = [chunk({"content": "a"}), chunk({}, "stop")]
    said[0]["choices"][0]["logprobs"] = one
    found = events(streamed(said))
    assert [one["choices"][0]["logprobs"] for one in chunks_of(written(found))] == [None, one, None]
    assert heard_again(found) == one


def heard_again(found: list[StreamEvent]) -> Any:
    return repeated(folded(found))["choices"][0]["logprobs"]


def test_several_choices_each_have_their_role_and_end() -> None:
    said = [chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop"), chunk({}, "length")]
    for place in (1, 3):
        said[place]["choices"][0]["index"] = 1
    told = [one["choices"][0] for one in chunks_of(written(events(streamed(said))))]
    roles = [one["index"] for one in told if "role" in one["delta"]]
    ended = {one["index"]: one["finish_reason"] for one in told if one["finish_reason"]}
    assert (roles, ended) == ([0, 1], {0: "stop", 1: "length"})


def test_a_replayed_foreign_answer_is_told_as_a_stream() -> None:
    told = chunks_of(written(list(replay(foreign(Reasoning(redacted="xyz"), Text(text="hi"))))))
    deltas_told = [one["choices"][0]["delta"] for one in told if one["choices"]]
    assert {"thinking_blocks": [{"type": "redacted_thinking", "data": "xyz"}]} in deltas_told
    assert {"content": "hi"} in deltas_told
