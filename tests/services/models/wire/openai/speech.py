"""Both sides of the dialect, as the tests here speak them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from steward.kit.clock import SystemClock
from steward.kit.ids import Ids
from steward.services.models.messages import Message, ModelReply, ModelRequest, Part, Role, StreamEvent, Text
from steward.services.models.wire.openai.client import OpenAiClient
from steward.services.models.wire.openai.server import OpenAiServer
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.sse import EventParser

CLIENT = OpenAiClient(newer=False)
NEWER = OpenAiClient(newer=True)
SERVER = OpenAiServer(SystemClock(), Ids(SystemClock()))
HI: dict[str, Any] = {"role": "user", "content": "hi"}


def asked(**fields: Any) -> Asked:
    return SERVER.decode(json.dumps({"model": "support", "messages": [HI], **fields}).encode())


def told(request: ModelRequest, *, stream: bool = False, client: OpenAiClient = CLIENT) -> dict[str, Any]:
    return json.loads(client.encode(request, model=request.model, stream=stream))


def passed_on(body: dict[str, Any], client: OpenAiClient = CLIENT) -> dict[str, Any]:
    """What a provider of the dialect gets when a client of it asks this."""
    got = SERVER.decode(json.dumps(body).encode())
    return told(got.request, stream=got.stream, client=client)


def message(*parts: Part, role: Role = Role.ASSISTANT) -> Message:
    return Message(role=role, parts=parts)


def made(*messages: Message, **fields: Any) -> ModelRequest:
    return ModelRequest(model="m", messages=messages or [message(Text(text="hi"), role=Role.USER)], **fields)


def answer(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A whole answer in the form in which it is told again."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-4.1",
        "choices": list(choices) or [choice({"content": "hello"})],
        "usage": usage(),
        **fields,
    }


def choice(said: dict[str, Any], ended: str | None = "stop", **fields: Any) -> dict[str, Any]:
    full = {"role": "assistant", "content": None, "refusal": None, **said}
    return {"index": 0, "message": full, "logprobs": None, "finish_reason": ended, **fields}


def usage(prompt: int = 9, completion: int = 4, **fields: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        **fields,
    }


def heard(reply: dict[str, Any]) -> ModelReply:
    return CLIENT.decode(json.dumps(reply).encode())


def repeated(reply: ModelReply) -> dict[str, Any]:
    return json.loads(SERVER.encode(reply, asked()))


def chunk(delta: dict[str, Any] | None = None, ended: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk of one choice, or with `choices=[]` of none."""
    one = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": ended}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-4.1"}
    return {**head, "choices": [one], **fields}


def streamed(chunks: Iterable[dict[str, Any]], *, done: bool = True) -> bytes:
    lines = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks]
    return b"".join([*lines, b"data: [DONE]\n\n" if done else b""])


def events(stream: bytes) -> list[StreamEvent]:
    """What a provider's stream says, its end included."""
    parser, decoder = EventParser(), CLIENT.stream()
    found = [event for each in parser.feed(stream) for event in decoder.feed(each)]
    return [*found, *decoder.end()]


def written(said: Sequence[StreamEvent], *, include_usage: bool = True, **options: Any) -> bytes:
    """The stream that a client gets."""
    encoder = SERVER.stream(asked(stream=True, stream_options={"include_usage": include_usage, **options}))
    return b"".join([*(encoder.encode(event) for event in said), encoder.end()])


def chunks_of(stream: bytes) -> list[dict[str, Any]]:
    """The chunks of a stream that ended well."""
    data = [event.data for event in EventParser().feed(stream)]
    assert data.pop() == b"[DONE]"
    return [json.loads(each) for each in data]
