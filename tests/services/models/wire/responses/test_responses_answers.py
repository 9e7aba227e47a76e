"""Whole answers and streams of the Responses dialect, judged by the types of OpenAI's own client."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.services.costs.errors import PriceNotFound
from steward.services.models.errors import ModelNotFound, ProvidersBusy
from steward.services.models.folding import replay
from steward.services.models.messages import (
    Audio,
    Choice,
    Delta,
    Dialect,
    Failed,
    Finished,
    ModelReply,
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
from tests.services.models.wire.responses.made import accumulated, asked, check, encoded, kinds, server, streamed

USAGE = Usage(
    input_tokens=30, cache_read_tokens=10, cache_write_tokens=2, cache_write_1h_tokens=3, output_tokens=7,
    reasoning_tokens=4,
)  # fmt: skip
START = Started(id="chatcmpl-1", model="gpt-x", created=1_700_000_000, dialect=Dialect.OPENAI)


def reply(*parts: Part, stop: StopReason = StopReason.END, **fields: Any) -> ModelReply:
    choice = Choice(parts=parts, stop=stop, **{k: fields.pop(k) for k in ("phase", "logprobs") if k in fields})
    return ModelReply(id="x", model="gpt-x", created=5, choices=[choice], usage=USAGE, **fields)


def test_a_response_has_everything_that_both_schemas_want() -> None:
    response = encoded(reply(Text(text="Hello")))
    assert (response["status"], response["object"], response["created_at"]) == ("completed", "response", 5)
    assert response["store"] is False
    assert response["usage"] == {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 37,
    }
    (item,) = response["output"]
    assert (item["type"], item["role"], item["status"]) == ("message", "assistant", "completed")
    assert item["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]
    assert [part.split("_")[0] for part in (response["id"], item["id"])] == ["resp", "msg"]


def test_what_was_asked_is_repeated() -> None:
    body: dict[str, Any] = {
        "instructions": "Be brief.",
        "temperature": 0.25,
        "max_output_tokens": 99,
        "metadata": {"a": "b"},
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}],
        "tool_choice": {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}, "verbosity": "low"},
        "reasoning": {"effort": "high"},
        "store": True,
        "truncation": "auto",
        "top_p": None,
    }
    response = encoded(reply(Text(text="{}")), asked(**body))
    assert {name: response[name] for name in ("instructions", "temperature", "max_output_tokens", "metadata")} == {
        name: body[name] for name in ("instructions", "temperature", "max_output_tokens", "metadata")
    }
    assert response["tools"][0] == {
        "type": "function", "name": "f", "description": None, "parameters": None, "strict": None
    }  # fmt: skip
    assert response["tool_choice"]["mode"] == "auto"
    assert response["text"]["format"]["schema"] == {"type": "object"}
    assert response["reasoning"] == {"effort": "high", "summary": None}
    assert (response["store"], response["truncation"], response["top_p"]) == (False, "disabled", 1.0)


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (StopReason.END, "completed", None),
        (StopReason.TOOL_CALLS, "completed", None),
        (StopReason.STOP_SEQUENCE, "completed", None),
        (StopReason.LENGTH, "incomplete", "max_output_tokens"),
        (StopReason.CONTEXT, "incomplete", "max_output_tokens"),
        (StopReason.FILTERED, "incomplete", "content_filter"),
        (StopReason.REFUSED, "incomplete", "content_filter"),
        (StopReason.PAUSED, "incomplete", "max_messages"),
        (StopReason.OTHER, "completed", None),
    ],
)
def test_how_an_answer_ended(stop: StopReason, status: str, reason: str | None) -> None:
    whole = reply(Reasoning(text="t"), Text(text="a"), stop=stop)
    told = streamed(replay(whole))
    for response in (encoded(whole), check(told[-1]["response"])):
        assert response["status"] == status
        assert response["incomplete_details"] == (reason and {"reason": reason})
        assert [item["status"] for item in response["output"]] == ["completed", status]
        assert (response["completed_at"] is None) == (reason is not None)
    assert told[-1]["type"] == f"response.{status}"


def test_a_refusal_in_words_is_a_complete_answer() -> None:
    response = encoded(reply(Refusal(text="No."), stop=StopReason.REFUSED))
    assert response["status"] == "completed"
    assert response["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_a_phase_is_told() -> None:
    assert encoded(reply(Text(text="a"), phase="commentary"))["output"][0]["phase"] == "commentary"
    assert "phase" not in encoded(reply(Text(text="a")))["output"][0]


def test_citations_and_log_probabilities_of_other_dialects() -> None:
    cited = Text(
        text="Rain.",
        extra={
            "citations": msgspec.Raw(b'[{"type":"web_search_result_location","url":"https://a.example","title":"A"}]'),
            "annotations": msgspec.Raw(
                b'[{"type":"url_citation","url_citation":{"start_index":1,"end_index":2,"url":"u","title":"t"}}]'
            ),
        },
    )
    logprobs = msgspec.Raw(
        b'{"content":[{"token":"R","logprob":-1,"bytes":null,"top_logprobs":[{"token":"S","logprob":-2,"bytes":[83]}]}]}'
    )
    whole = reply(cited, logprobs=logprobs)
    for response in (encoded(whole), streamed(replay(whole))[-1]["response"]):
        (content,) = response["output"][0]["content"]
        assert [(one["url"], one["start_index"], one["end_index"]) for one in content["annotations"]] == [
            ("u", 1, 2),
            ("https://a.example", 0, 5),
        ]
        assert content["logprobs"][0]["top_logprobs"] == [{"token": "S", "logprob": -2, "bytes": [83]}]
        assert content["logprobs"][0]["bytes"] == []


def test_only_a_tier_that_the_dialect_knows_is_told() -> None:
    extra = {"service_tier": msgspec.Raw(b'"priority"')}
    assert encoded(reply(Text(text=""), dialect=Dialect.OPENAI, extra=extra))["service_tier"] == "priority"
    assert encoded(reply(Text(text=""), dialect=Dialect.ANTHROPIC, extra=extra))["service_tier"] == "default"


def test_where_an_answer_came_from_a_cache_it_says_so() -> None:
    assert encoded(reply(Text(text="a"), from_cache="exact"))["from_cache"] == "exact"
    assert "from_cache" not in encoded(reply(Text(text="a")))


def test_the_events_of_a_text() -> None:
    told = streamed(
        [START, PartStarted(index=0, part=Text(text="")), Delta(index=0, text="Hel"), Delta(index=0, text="lo"),
         PartFinished(index=0), Finished(stop=StopReason.END), UsageReport(usage=USAGE)]
    )  # fmt: skip
    assert kinds(told) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert accumulated(told).output_text == "Hello"
    assert told[-1]["response"]["usage"]["total_tokens"] == 37


def test_calls_that_grow_side_by_side_are_items_of_their_own() -> None:
    told = streamed(
        [
            START,
            PartStarted(index=0, part=Text(text="Well")),
            PartStarted(index=1, part=ToolCall(id="c1", name="f", arguments="")),
            Delta(index=1, arguments='{"a"'),
            PartStarted(index=2, part=ToolCall(id="c2", name="g", arguments="", custom=True)),
            Delta(index=2, arguments="ls"),
            Delta(index=1, arguments=":1}"),
            Delta(index=0, text=", see"),
            Finished(stop=StopReason.TOOL_CALLS),
            UsageReport(usage=USAGE),
        ]
    )
    output = accumulated(told).output
    assert [item.type for item in output] == ["message", "function_call", "custom_tool_call"]
    assert [getattr(item, "arguments", None) or getattr(item, "input", None) for item in output[1:]] == [
        '{"a":1}',
        "ls",
    ]
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "Well, see"
    for kind in ("function_call_arguments", "custom_tool_call_input"):
        assert [one for one in kinds(told) if kind in one][-1] == f"response.{kind}.done"


def test_a_call_without_arguments_has_an_empty_object_of_them() -> None:
    """Open Responses wants a delta before the end, and JSON."""
    told = streamed([START, PartStarted(index=0, part=ToolCall(id="c", name="f", arguments="")), PartFinished(index=0)])
    assert "response.function_call_arguments.delta" in kinds(told)
    assert accumulated(told).output[0].to_dict()["arguments"] == "{}"
    assert encoded(reply(ToolCall(id="c", name="f", arguments="")))["output"][0]["arguments"] == "{}"


def test_reasoning_is_told_as_text_and_summary_with_its_proof_at_the_end() -> None:
    told = streamed(
        [
            START,
            PartStarted(index=0, part=Reasoning()),
            Delta(index=0, text="I th"),
            Delta(index=0, text="ink"),
            Delta(index=0, summary="One", new_summary=True),
            Delta(index=0, summary="Two", new_summary=True),
            Delta(index=0, summary=" more"),
            Delta(index=0, signature="sig"),
            PartFinished(index=0),
            Finished(stop=StopReason.END),
        ]
    )
    (item,) = told[-1]["response"]["output"]
    assert item["content"] == [{"type": "reasoning_text", "text": "I think"}]
    assert [one["text"] for one in item["summary"]] == ["One", "Two more"]
    back = asked(input=[{**item, "content": None}]).request.messages[0].parts
    assert back == (Reasoning(text="I think", signature="sig", id=item["id"], summary=("One", "Two more")),)
    assert [one for one in kinds(told) if "summary" in one][:4] == [
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
    ]


def test_a_stream_that_breaks_ends_with_an_error_and_the_failed_response() -> None:
    encoder = server().stream(asked(stream=True))
    events: list[StreamEvent] = [START, PartStarted(index=0, part=Text(text="Hal")), Failed(code="cut", message="gone")]
    frames = b"".join(encoder.encode(event) for event in events).decode().split("\n\n")
    *_, error, failed = [json.loads(frame.split("data: ")[1]) for frame in frames[:-2]]
    assert frames[-2:] == ["data: [DONE]", ""]
    assert (error["type"], error["error"]["message"], error["error"]["code"], error["message"]) == (
        "error", "gone", "cut", "gone",
    )  # fmt: skip
    response = check(failed["response"])
    assert (failed["type"], response["status"]) == ("response.failed", "failed")
    assert response["error"] == {"code": "server_error", "message": "gone", "type": "cut"}
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["text"] == "Hal"


def test_lengths_are_hidden_where_asked() -> None:
    given = asked(stream=True, stream_options={"include_obfuscation": True})
    deltas = [one for one in streamed(replay(reply(Text(text="Hello"))), given) if one["type"].endswith(".delta")]
    assert [len(one["delta"] + one["obfuscation"]) for one in deltas] == [16]


def test_errors_have_openais_form() -> None:
    found = json.loads(server().error(ModelNotFound("gpt-9"), "req_1"))
    assert found["error"].keys() == {"message", "type", "param", "code"}
    assert (found["error"]["type"], found["error"]["code"]) == ("invalid_request_error", "model_not_found")
    assert json.loads(server().error(ProvidersBusy("m", 1.0), ""))["error"]["type"] == "rate_limit_error"
    assert json.loads(server().error(PriceNotFound("a", "b"), ""))["error"]["param"] is None


WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
FILLED = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PARTS = st.lists(
    st.builds(Text, text=WORDS)
    | st.builds(Refusal, text=WORDS)
    | st.builds(ToolCall, id=FILLED, name=FILLED, arguments=FILLED, custom=st.booleans())
    | st.builds(Reasoning, text=WORDS, signature=st.none() | FILLED, summary=st.lists(FILLED, max_size=2))
    | st.builds(Audio, data=FILLED, format=st.just("wav"))
    | st.builds(
        Opaque, dialect=st.just(Dialect.ANTHROPIC), type=st.just("x"), raw=st.just(msgspec.Raw(b'{"type":"x"}'))
    ),
    max_size=5,
    unique_by=lambda part: part.id if isinstance(part, ToolCall) else object(),
)
UNIQUE = {"id", "created_at"}


@settings(max_examples=50, deadline=None)
@given(parts=PARTS, stop=st.sampled_from(StopReason))
def test_a_stream_says_what_the_whole_answer_says(parts: list[Part], stop: StopReason) -> None:
    whole = reply(*parts, stop=stop)
    told = streamed(replay(whole))
    assert without_ids(told[-1]["response"]) == without_ids(encoded(whole))
    if told[-1]["type"] == "response.completed" and all(not isinstance(part, (Opaque, Audio)) for part in parts):
        assert len(accumulated(told).output) == len(told[-1]["response"]["output"])


def without_ids(response: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in response.items() if name not in UNIQUE}
    bare["output"] = [{name: value for name, value in item.items() if name != "id"} for item in response["output"]]
    return bare
