"""What the tests of the Responses dialect share: a server, its frames read back, and OpenAI's own types as judges."""

import json
from collections.abc import Iterable
from typing import Any, get_args

from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from steward.kit.ids import Ids
from steward.kit.testing.clock import FakeClock
from steward.services.models.messages import ModelReply, StreamEvent
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.responses.server import ResponsesServer

KINDS = {one.model_fields["type"].annotation.__args__[0]: one for one in get_args(get_args(ResponseStreamEvent)[0])}
RESPONSE = TypeAdapter(Response)

OPEN_RESPONSES = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
]
"""What the schema of 2026-04-24 requires of a ResponseResource."""
NULLABLE = [
    "completed_at",
    "incomplete_details",
    "previous_response_id",
    "instructions",
    "error",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
]
NEVER_NULL = [name for name in OPEN_RESPONSES if name not in NULLABLE]


def server() -> ResponsesServer:
    clock = FakeClock()
    return ResponsesServer(clock=clock, ids=Ids(clock))


def asked(**body: object) -> Asked:
    return server().decode(json.dumps({"model": "m", "input": "hi", **body}).encode())


def known(response: dict[str, Any]) -> dict[str, Any]:
    """Without the items that are extensions: OpenAI's client passes them on, its types do not know them."""
    return {**response, "output": [item for item in response["output"] if ":" not in item["type"]]}


def check(response: dict[str, Any]) -> dict[str, Any]:
    """Hold a response to both schemas."""
    RESPONSE.validate_python(known(response))
    assert [name for name in OPEN_RESPONSES if name not in response] == []
    assert [name for name in NEVER_NULL if response[name] is None] == []
    assert {"effort", "summary"} <= response["reasoning"].keys()
    assert "format" in response["text"]
    for tool in response["tools"]:
        assert tool["type"] != "function" or {"description", "parameters", "strict"} <= tool.keys()
    for item in response["output"]:
        assert {"id", "type", "status"} <= item.keys()
        assert None not in item.values()
    return response


def encoded(reply: ModelReply, given: Asked | None = None) -> dict[str, Any]:
    return check(json.loads(server().encode(reply, given or asked())))


def streamed(events: Iterable[StreamEvent], given: Asked | None = None, *, end: bool = True) -> list[dict[str, Any]]:
    """The events of a stream, each held to OpenAI's type of its name."""
    encoder = server().stream(given or asked(stream=True))
    wire = b"".join([*(encoder.encode(event) for event in events), encoder.end() if end else b""])
    frames = wire.decode().split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    told: list[dict[str, Any]] = []
    for number, frame in enumerate(frames[:-2]):
        head, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert head == f"event: {event['type']}"
        assert event["sequence_number"] == number
        if "response" in event:
            KINDS[event["type"]].model_validate({**event, "response": known(event["response"])})
        elif ":" not in event.get("item", event)["type"]:
            KINDS[event["type"]].model_validate(event)
        told.append(event)
    return told


def accumulated(told: Iterable[dict[str, Any]]) -> Response:
    """What OpenAI's client makes of a stream."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=[], text_format=omit)
    for event in told:
        state.handle_event(KINDS[event["type"]].model_validate(event))
    completed = state._completed_response
    assert completed is not None
    return completed


def kinds(told: Iterable[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in told]
