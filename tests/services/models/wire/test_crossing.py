"""What a request of Responses, or one with Anthropic's header of betas, says to a provider of another dialect."""

import json
from typing import Any

import pytest

from steward.kit.clock import SystemClock
from steward.kit.ids import Ids
from steward.services.models.errors import CannotExpress
from steward.services.models.messages import Message, ModelRequest, Role, Text
from steward.services.models.wire.anthropic import AnthropicClient, with_betas
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.responses.server import ResponsesServer


def asked(**more: Any) -> ModelRequest:
    """A request in the dialect of Responses."""
    body = {"model": "m", "input": [{"role": "user", "content": "Hello"}], "max_output_tokens": 64, **more}
    return ResponsesServer(clock=SystemClock(), ids=Ids(SystemClock())).decode(json.dumps(body).encode()).request


def to_openai(request: ModelRequest) -> dict[str, Any]:
    return json.loads(OpenAiClient(newer=True).encode(request, model="m", stream=False))


def test_parameters_that_responses_shares_with_chat_are_told() -> None:
    told = to_openai(asked(prompt_cache_key="k", safety_identifier="s"))
    assert (told["prompt_cache_key"], told["safety_identifier"]) == ("k", "s")


def test_parameter_that_responses_has_alone_is_refused_by_name() -> None:
    with pytest.raises(CannotExpress, match="max_tool_calls"):
        to_openai(asked(max_tool_calls=3))


def test_phases_of_former_answers_go_to_either_dialect() -> None:
    history = [
        {"type": "message", "role": "user", "content": "Where is it?"},
        {"type": "message", "role": "assistant", "phase": "commentary", "content": "I look it up."},
        {"type": "message", "role": "assistant", "phase": "final_answer", "content": "On its way."},
        {"type": "message", "role": "user", "content": "Thanks. When?"},
    ]
    request = asked(input=history)
    assert len(to_openai(request)["messages"]) == 4
    told = json.loads(AnthropicClient().encode(request, model="m", stream=False))
    assert [message["role"] for message in told["messages"]] == ["user", "assistant", "assistant", "user"]


def test_header_of_betas_is_no_parameter_of_another_dialect() -> None:
    request = ModelRequest(
        model="m", messages=[Message(role=Role.USER, parts=[Text(text="Hello")])], max_output_tokens=64
    )
    assert "anthropic-beta" not in to_openai(with_betas(request, "context-1m-2025-08-07"))
