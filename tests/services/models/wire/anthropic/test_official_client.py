"""The official client, with our codec in place of a provider: what it sends is read, what it hears it understands."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from steward.kit.errors import AppError
from steward.services.models.errors import InvalidParameter, ModelNotFound, ProvidersBusy, ProvidersUnavailable
from steward.services.models.folding import replay
from steward.services.models.messages import (
    Choice,
    Delta,
    Dialect,
    Failed,
    ModelReply,
    PartStarted,
    Reasoning,
    Role,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from steward.services.models.wire.anthropic import AnthropicServer
from steward.services.models.wire.ports import Asked

SERVER = AnthropicServer()
REPLY = ModelReply(
    id="chatcmpl-1",
    model="gpt",
    choices=[
        Choice(
            parts=[
                Reasoning(text="let me think"),
                Text(text="I look it up."),
                ToolCall(id="call_1", name="find", arguments='{"id": 7}'),
            ],
            stop=StopReason.TOOL_CALLS,
        )
    ],
    usage=Usage(input_tokens=12, cache_read_tokens=2, output_tokens=5),
    dialect=Dialect.OPENAI,
)
HI: list[Any] = [{"role": "user", "content": "hi"}]
Answer = Callable[[Asked], httpx2.Response]


class Served:
    """The official client, and what it asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        transport = httpx2.MockTransport(self._serve)
        self.client = anthropic.Anthropic(
            api_key="k", base_url="http://models.example", max_retries=0, http_client=httpx2.Client(transport=transport)
        )

    def _serve(self, request: httpx2.Request) -> httpx2.Response:
        asked = SERVER.decode(request.content)
        self.asked.append(asked)
        return self._answer(asked)


def whole(asked: Asked) -> httpx2.Response:
    return httpx2.Response(200, content=SERVER.encode(REPLY, asked), headers={"content-type": "application/json"})


def streamed(events: list[StreamEvent]) -> Answer:
    def answer(asked: Asked) -> httpx2.Response:
        return httpx2.Response(
            200, content=b"".join(_frames(events, asked)), headers={"content-type": "text/event-stream"}
        )

    return answer


def _frames(events: list[StreamEvent], asked: Asked) -> Iterator[bytes]:
    encoder = SERVER.stream(asked)
    for event in events:
        yield encoder.encode(event)
    if not isinstance(events[-1], Failed):
        yield encoder.end()


def test_it_reads_a_whole_answer_and_gives_it_back() -> None:
    served = Served(whole)
    message = served.client.messages.create(model="m", max_tokens=9, messages=HI)
    result: Any = {"type": "tool_result", "tool_use_id": "call_1", "content": "found"}
    served.client.messages.create(
        model="m",
        max_tokens=9,
        messages=[*HI, message.to_param(), {"role": "user", "content": [result]}],
    )
    assert [type(block).__name__ for block in message.content] == ["ThinkingBlock", "TextBlock", "ToolUseBlock"]
    assert message.usage.input_tokens == 10
    _, said, told = served.asked[1].request.messages
    assert said.parts == [
        Reasoning(text="let me think", signature=""),
        Text(text="I look it up."),
        ToolCall(id="call_1", name="find", arguments='{"id":7}'),
    ]
    assert (told.role, told.parts) == (Role.TOOL, [ToolResult(call_id="call_1", content=[Text(text="found")])])


def test_it_puts_a_stream_together() -> None:
    served = Served(streamed(list(replay(REPLY))))
    with served.client.messages.stream(model="m", max_tokens=9, messages=HI) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert served.asked[0].stream
    assert text == "I look it up."
    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "let me think", "signature": ""},
        {"type": "text", "text": "I look it up."},
        {"type": "tool_use", "id": "call_1", "name": "find", "input": {"id": 7}},
    ]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("tool_use", 10, 5)
    assert message.usage.cache_read_input_tokens == 2


def test_it_raises_when_a_stream_breaks() -> None:
    events: list[StreamEvent] = [
        Started(id="a", model="m"),
        PartStarted(index=0, part=Text(text="")),
        Delta(index=0, text="half"),
        Failed(code="providers_unavailable", message="the provider went away"),
    ]
    served = Served(streamed(events))
    with (
        pytest.raises(anthropic.APIStatusError, match="the provider went away"),
        served.client.messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        stream.until_done()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidParameter("max_tokens", "too many"), anthropic.BadRequestError),
        (ModelNotFound("m"), anthropic.NotFoundError),
        (ProvidersBusy("m", 3), anthropic.RateLimitError),
        (ProvidersUnavailable("m", "gone"), anthropic.InternalServerError),
    ],
)
def test_it_raises_its_own_class_for_each_failure(error: AppError, expected: type[anthropic.APIStatusError]) -> None:
    served = Served(lambda _: httpx2.Response(error.status, content=SERVER.error(error, "req-1")))
    with pytest.raises(expected) as raised:
        served.client.messages.create(model="m", max_tokens=9, messages=HI)
    body: Any = raised.value.body
    assert (body["error"]["message"], body["request_id"]) == (error.message, "req-1")
