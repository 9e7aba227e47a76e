"""Streams: read from Anthropic event by event, and told so that its official client puts the same message together."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from anthropic.lib.streaming._messages import accumulate_event  # the official client's own
from anthropic.types import Message as OfficialMessage
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.folding import replay
from steward.services.models.messages import (
    Choice,
    Delta,
    Dialect,
    Failed,
    Finished,
    ModelReply,
    ModelRequest,
    Opaque,
    Part,
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
from steward.services.models.wire.anthropic import AnthropicClient, AnthropicServer
from steward.services.models.wire.ports import Asked, ServerEvent
from tests.services.models.wire.anthropic.recordings import server_events

CLIENT = AnthropicClient()
SERVER = AnthropicServer()
ASKED = Asked(request=ModelRequest(model="m", messages=()))
EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 1, "service_tier": "standard"},
        "of_tomorrow": 1,
    },
}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}
STOP = {"type": "message_stop"}
FOREIGN = Started(id="chatcmpl-1", model="gpt", dialect=Dialect.OPENAI)
DONE = (Finished(stop=StopReason.END), UsageReport(usage=Usage(input_tokens=8, cache_read_tokens=3, output_tokens=5)))
CALL = ToolCall(id="a", name="f", arguments="")
FREE = ToolCall(id="c", name="h", arguments="", custom=True)


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def read(*events: dict[str, Any], named: bool = True) -> list[StreamEvent]:
    decoder = CLIENT.stream()
    said = [
        one
        for event in events
        for one in decoder.feed(ServerEvent(json.dumps(event).encode(), event["type"] if named else ""))
    ]
    return [*said, *decoder.end()]


def write(events: Iterable[StreamEvent], *, end: bool = True) -> list[dict[str, Any]]:
    encoder = SERVER.stream(ASKED)
    frames = b"".join([encoder.encode(event) for event in events]) + (encoder.end() if end else b"")
    events_said = server_events(frames.decode())
    told = [json.loads(event.data) for event in events_said]
    assert [event.event for event in events_said] == [one["type"] for one in told]
    return told


def accumulated(told: list[dict[str, Any]]) -> OfficialMessage:
    """What the official client makes of it; blocks stand one after the other."""
    message: Any = None
    buffers: dict[int, bytes] = {}
    opened: list[int] = []
    for one in told:
        if one["type"] == "content_block_start":
            assert not opened
            assert one["index"] == len(message.content)
            opened.append(one["index"])
        elif one["type"] == "content_block_stop":
            assert opened == [one["index"]]
            opened.clear()
        elif one["type"] == "content_block_delta":
            assert opened == [one["index"]]
        message = accumulate_event(event=EVENT.validate_python(one), current_snapshot=message, json_bufs=buffers)
    assert not opened
    return message


def part(index: int, held: Part, *deltas: Delta) -> list[StreamEvent]:
    return [PartStarted(index=index, part=held), *deltas, PartFinished(index=index)]


def test_a_stream_is_read_event_by_event() -> None:
    assert read(
        START,
        {"type": "ping"},
        *block(
            0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "he"}, {"type": "text_delta", "text": "y"}
        ),
        {"type": "event_of_tomorrow", "x": 1},
        END,
        STOP,
    ) == [
        Started(
            id="msg_1",
            model="claude",
            usage=Usage(
                input_tokens=7,
                cache_read_tokens=4,
                output_tokens=1,
                extra={"service_tier": msgspec.Raw(b'"standard"')},
            ),
            dialect=Dialect.ANTHROPIC,
            extra={"of_tomorrow": msgspec.Raw(b"1")},
        ),
        PartStarted(index=0, part=Text(text="")),
        Delta(index=0, text="he"),
        Delta(index=0, text="y"),
        PartFinished(index=0),
        Finished(stop=StopReason.END),
        UsageReport(
            usage=Usage(
                input_tokens=7,
                cache_read_tokens=4,
                output_tokens=9,
                extra={"service_tier": msgspec.Raw(b'"standard"')},
            )
        ),
    ]


def test_events_need_no_name() -> None:
    events = (START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "x"}), END, STOP)
    assert read(*events, named=False) == read(*events)


def test_thinking_tools_and_unknown_blocks_are_read() -> None:
    events = read(
        START,
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "thinking_delta", "thinking": "m", "estimated_tokens": 50},
            {"type": "thinking_delta", "thinking": "", "estimated_tokens": 50},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *block(
            1,
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"x":'},
            {"type": "input_json_delta", "partial_json": "1}"},
        ),
        *block(2, {"type": "tool_use", "id": "u", "name": "g", "input": {}}),
        *block(3, {"type": "redacted_thinking", "data": "x"}),
        END,
        STOP,
    )
    assert events[1:-2] == [
        PartStarted(index=0, part=Reasoning(text="", signature="")),
        Delta(index=0, text="hm"),
        Delta(index=0, text="m"),
        Delta(index=0, raw=msgspec.Raw(b'{"type": "thinking_delta", "thinking": "", "estimated_tokens": 50}')),
        Delta(index=0, signature="c2ln"),
        PartFinished(index=0),
        PartStarted(index=1, part=ToolCall(id="t", name="f", arguments="")),
        Delta(index=1, arguments=""),
        Delta(index=1, arguments='{"x":'),
        Delta(index=1, arguments="1}"),
        PartFinished(index=1),
        PartStarted(index=2, part=ToolCall(id="u", name="g", arguments="")),
        Delta(index=2, arguments="{}"),
        PartFinished(index=2),
        PartStarted(index=3, part=Reasoning(redacted="x")),
        PartFinished(index=3),
    ]


def test_a_part_is_given_whole_where_its_deltas_are_anthropics_own() -> None:
    events = read(
        START,
        *block(
            0,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "so"},
            {"type": "citations_delta", "citation": {"n": 1}},
            {"type": "citations_delta", "citation": {"n": 2}},
        ),
        *block(
            1,
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query":"q"}'},
        ),
        *block(2, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "sum"}),
        *block(3, {"type": "odd"}, {"type": "odd_delta", "x": 1}),
        END,
        STOP,
    )
    whole = [event.part for event in events if isinstance(event, PartFinished)]
    assert isinstance(whole[0], Text)
    assert (whole[0].text, bytes(whole[0].extra["citations"])) == ("so", b'[{"n": 1},{"n": 2}]')
    assert isinstance(whole[1], Opaque)
    assert json.loads(bytes(whole[1].raw))["input"] == {"query": "q"}
    assert isinstance(whole[2], Opaque)
    assert json.loads(bytes(whole[2].raw)) == {"type": "compaction", "content": "sum"}
    assert whole[3] is None


def test_several_ends_and_no_stop_are_understood() -> None:
    middle = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 5}}
    last = END | {"delta": {"stop_reason": "compaction", "container": {"id": "c"}}, "context_management": {}}
    events = read(START, middle, last)
    assert [type(event) for event in events] == [Started, UsageReport, Finished, UsageReport]
    assert events[2] == Finished(
        stop=StopReason.OTHER, stop_raw="compaction", extra={"container": msgspec.Raw(b'{"id": "c"}')}
    )
    said = write(events)[-2]
    assert (said["delta"]["stop_reason"], said["delta"]["container"], said["context_management"]) == (
        "compaction",
        {"id": "c"},
        {},
    )


def test_an_answer_that_just_stops_has_no_reason() -> None:
    assert read(START, STOP)[1:2] == [Finished(stop=StopReason.OTHER)]


@pytest.mark.parametrize("events", [(), (START,), (START, *block(0, {"type": "text", "text": "half"}))])
def test_a_stream_that_is_cut_is_a_failure(events: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ProviderFailure) as failed:
        read(*events)
    assert failed.value.kind is FailureKind.CUT


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", FailureKind.OVERLOADED),
        ("rate_limit_error", FailureKind.RATE_LIMITED),
        ("api_error", FailureKind.BROKEN),
        ("error_of_tomorrow", FailureKind.BROKEN),
        ("timeout_error", FailureKind.TIMED_OUT),
        ("invalid_request_error", FailureKind.REFUSED),
    ],
)
def test_an_error_event_is_a_failure_that_may_be_billed(kind: str, expected: FailureKind) -> None:
    with pytest.raises(ProviderFailure) as failed:
        read(START, {"type": "error", "error": {"type": kind, "message": "Overloaded"}})
    assert (failed.value.kind, failed.value.code, failed.value.message) == (expected, kind, "Overloaded")
    assert not failed.value.unbilled


@pytest.mark.parametrize(
    "event",
    [
        ServerEvent(b"{", "message_start"),
        ServerEvent(b'{"type":"message_start"}', "message_start"),
        ServerEvent(b'{"index":0,"content_block":{"type":"text","text":""}}', "content_block_start"),
        ServerEvent(b'{"index":7,"delta":{"type":"text_delta","text":"x"}}', "content_block_delta"),
        ServerEvent(b'{"index":7}', "content_block_stop"),
        ServerEvent(b'{"type":"message_stop"}', "message_stop"),
        ServerEvent(b"[]", ""),
    ],
)
def test_an_event_that_cannot_be_is_a_failure(event: ServerEvent) -> None:
    with pytest.raises(ProviderFailure) as failed:
        CLIENT.stream().feed(event)
    assert failed.value.kind is FailureKind.MALFORMED


def test_the_official_client_puts_together_what_another_provider_said() -> None:
    told = write(
        [
            FOREIGN,
            *part(0, Reasoning(), Delta(index=0, text="hm"), Delta(index=0, text="m")),
            *part(1, Text(text=""), Delta(index=1, text="hel"), Delta(index=1, text="lo")),
            *part(2, CALL, Delta(index=2, arguments='{"x":'), Delta(index=2, arguments="1}")),
            *part(3, ToolCall(id="b", name="g", arguments='{"y":2}')),
            *part(4, FREE, Delta(index=4, arguments='a "'), Delta(index=4, arguments="b")),
            *part(5, Refusal(text=""), Delta(index=5, text="no")),
            *part(6, Opaque(dialect=Dialect.OPENAI, type="x", raw=msgspec.Raw(b"{}"))),
            Finished(stop=StopReason.TOOL_CALLS),
            DONE[1],
        ]
    )
    message = accumulated(told)
    assert [one.to_dict() for one in message.content] == [
        {"type": "thinking", "thinking": "hmm", "signature": ""},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {"y": 2}},
        {"type": "tool_use", "id": "c", "name": "h", "input": {"input": 'a "b'}},
        {"type": "text", "text": "no"},
    ]
    assert (message.id, message.model, message.stop_reason) == ("chatcmpl-1", "gpt", "tool_use")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (5, 3, 5)


def test_parts_that_overlap_are_told_one_after_the_other() -> None:
    told = write(
        [
            FOREIGN,
            PartStarted(index=0, part=Text(text="")),
            Delta(index=0, text="let me "),
            PartStarted(index=1, part=ToolCall(id="a", name="f", arguments="")),
            PartStarted(index=2, part=ToolCall(id="b", name="g", arguments="")),
            Delta(index=2, arguments='{"y":'),
            Delta(index=1, arguments='{"x":'),
            Delta(index=0, text="look"),
            Delta(index=2, arguments="2}"),
            Delta(index=1, arguments="1}"),
            PartFinished(index=0),
            PartFinished(index=1),
            PartFinished(index=2),
            *DONE,
        ]
    )
    assert [one.to_dict() for one in accumulated(told).content] == [
        {"type": "text", "text": "let me "},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {"y": 2}},
        {"type": "text", "text": "look"},
    ]


def test_a_call_that_waits_is_told_as_soon_as_the_one_before_it_is_whole() -> None:
    encoder = SERVER.stream(ASKED)
    for event in (
        FOREIGN,
        PartStarted(index=0, part=CALL),
        PartStarted(index=1, part=msgspec.structs.replace(CALL, id="b")),
    ):
        encoder.encode(event)
    assert encoder.encode(Delta(index=1, arguments="{}")) == b""
    said = server_events(encoder.encode(PartFinished(index=0)).decode())
    assert [event.event for event in said] == ["content_block_stop", "content_block_start", "content_block_delta"]


def test_a_whole_answer_told_as_a_stream_has_its_fields_where_a_stream_has_them() -> None:
    container, edits = msgspec.Raw(b'{"id":"c"}'), msgspec.Raw(b'{"applied_edits":[]}')
    choice = Choice(parts=[Text(text="x")], stop=StopReason.END, extra={"stop_details": msgspec.Raw(b"{}")})
    reply = ModelReply(
        id="msg_1",
        model="m",
        choices=[choice],
        usage=Usage(),
        dialect=Dialect.ANTHROPIC,
        extra={"container": container, "context_management": edits},
    )
    said = write(replay(reply))[-2]
    assert said["delta"] == {
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": {},
        "container": {"id": "c"},
    }
    assert said["context_management"] == {"applied_edits": []}


def test_what_is_never_told_to_be_done_is_ended_with_the_stream() -> None:
    told = write(
        [
            FOREIGN,
            PartStarted(index=0, part=ToolCall(id="a", name="f", arguments="")),
            Delta(index=0, arguments="{}"),
            PartStarted(index=1, part=ToolCall(id="b", name="g", arguments="")),
            Delta(index=1, arguments='{"y":2}'),
            *DONE,
        ]
    )
    assert [one.to_dict()["input"] for one in accumulated(told).content] == [{}, {"y": 2}]


def test_a_part_without_words_makes_no_block_and_one_told_at_its_end_does() -> None:
    told = write(
        [
            FOREIGN,
            *part(0, Text(text="")),
            PartStarted(index=1, part=Reasoning()),
            PartFinished(index=1, part=Reasoning(summary=["a", "b"])),
            PartStarted(index=2, part=ToolCall(id="a", name="f", arguments="")),
            PartFinished(index=2, part=ToolCall(id="a", name="f", arguments='{"x":1}')),
            *DONE,
        ]
    )
    assert [one.to_dict() for one in accumulated(told).content] == [
        {"type": "thinking", "thinking": "a\n\nb", "signature": ""},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
    ]


def test_paragraphs_of_a_summary_are_parted() -> None:
    deltas = [
        Delta(index=0, summary="a", new_summary=True),
        Delta(index=0, summary="b"),
        Delta(index=0, summary="c", new_summary=True),
    ]
    message = accumulated(write([FOREIGN, *part(0, Reasoning(), *deltas), *DONE]))
    assert message.content[0].to_dict()["thinking"] == "ab\n\nc"


def test_other_choices_are_left_out() -> None:
    told = write([FOREIGN, PartStarted(index=0, choice=1, part=Text(text="x")), *DONE])
    assert [one["type"] for one in told] == ["message_start", "message_delta", "message_stop"]


def test_a_stream_that_breaks_ends_with_an_error_event() -> None:
    told = write(
        [FOREIGN, PartStarted(index=0, part=Text(text="x")), Failed(code="providers_unavailable", message="gone")],
        end=False,
    )
    assert told[-1] == {"type": "error", "error": {"type": "overloaded_error", "message": "gone"}}


@pytest.mark.parametrize(
    ("code", "kind"),
    [("budget_exhausted", "rate_limit_error"), ("provider_timed_out", "timeout_error"), ("internal", "api_error")],
)
def test_a_failure_in_a_stream_has_anthropics_type(code: str, kind: str) -> None:
    assert write([Failed(code=code, message="m")], end=False)[0]["error"]["type"] == kind


def test_a_stream_that_never_began_has_no_end() -> None:
    assert SERVER.stream(ASKED).end() == b""


def test_usage_is_told_first_and_last() -> None:
    first = Usage(input_tokens=20, cache_write_tokens=5, output_tokens=1)
    last = Usage(input_tokens=20, cache_write_tokens=5, cache_write_1h_tokens=3, output_tokens=9, reasoning_tokens=2)
    told = write([Started(id="a", model="b", usage=first), DONE[0], UsageReport(usage=last)])
    assert told[0]["message"]["usage"] == {
        "input_tokens": 15,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 1,
    }
    assert told[-2]["usage"] == {
        "input_tokens": 12,
        "cache_creation_input_tokens": 8,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 3},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 2},
    }
