"""A request of a client, read: every documented parameter by its type, any other one as it came.

What OpenAI alone can do is not ours to refuse: `store`, `audio`, `modalities`, `prediction`, `web_search_options`,
`moderation`, `functions`, `function_call`, `prompt_cache_*`, `safety_identifier` and what nobody knows here go into
`ModelRequest.extra` and so to a provider of this dialect unchanged; another dialect refuses them by name. That a
provider keeps what it was told (`store: true`) is the caller's wish and is passed on as such.

Normal forms: null is absence; one stop sequence is a list of one; `modalities: ["text"]`, which is the default, is left
out; `max_tokens` and `max_completion_tokens` are one parameter. `top_k`, which providers such as vLLM know, is read.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from steward.kit.errors import MalformedRequest
from steward.services.models.errors import InvalidParameter
from steward.services.models.messages import Dialect, ModelRequest, Thinking
from steward.services.models.wire.openai.fields import NULL, Fields, encode, fields_of, items_of, read
from steward.services.models.wire.openai.messages_in import read_messages
from steward.services.models.wire.openai.tools import read_output, read_tool, read_tool_choice
from steward.services.models.wire.ports import Asked

_Count = Annotated[int, Meta(ge=1)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Object = dict[str, msgspec.Raw]


class _Params(msgspec.Struct):
    """What is read; the second part is only checked, for it is passed on."""

    model: Annotated[str, Meta(min_length=1, max_length=300)]
    messages: msgspec.Raw
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: _Share | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    tools: msgspec.Raw = NULL
    tool_choice: msgspec.Raw = NULL
    parallel_tool_calls: bool | None = None
    response_format: msgspec.Raw = NULL
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: int | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    logit_bias: dict[str, int | float] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    stream: bool | None = None
    stream_options: _Object | None = None


class _Passed(msgspec.Struct):
    """What is passed on, so far as OpenAI documents its form."""

    store: bool | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    audio: _Object | None = None
    prediction: _Object | None = None
    web_search_options: _Object | None = None
    moderation: _Object | None = None
    functions: list[_Object] | None = None
    function_call: str | _Object | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: _Object | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None


class _Streaming(msgspec.Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


_PARAMS: Final = msgspec.json.Decoder(_Params)
_PASSED: Final = msgspec.json.Decoder(_Passed)
_STREAMING: Final = msgspec.json.Decoder(_Streaming)
_KNOWN: Final = frozenset(_Params.__struct_fields__)
_TEXT_ONLY: Final = b'["text"]'


def read_request(body: bytes) -> Asked:
    """A request. Raises `InvalidParameter` naming the parameter, and `MalformedRequest` for what is no JSON object."""
    check_readable(body)
    params = read(_PARAMS, body, "")
    extra = _extra(body)
    options = params.stream_options or {}
    if options and not params.stream:
        raise InvalidParameter("stream_options", "is for streams: set stream to true, or leave it out")
    streaming = read(_STREAMING, encode(options), "stream_options") if options else _Streaming()
    if left := {name: raw for name, raw in options.items() if name not in _Streaming.__struct_fields__}:
        extra["stream_options"] = msgspec.Raw(encode(left))
    return Asked(
        request=_request(params, extra),
        stream=bool(params.stream),
        include_usage=bool(streaming.include_usage),
        include_obfuscation=bool(streaming.include_obfuscation),
    )


def check_readable(body: bytes) -> None:
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: byte {error.start} begins no character") from error
    if body.lstrip()[:1] != b"{":
        raise MalformedRequest("the body is no JSON object: send one with at least model and messages")


def _extra(body: bytes) -> Fields:
    fields = fields_of(body, "")
    extra = {name: raw for name, raw in fields.items() if name not in _KNOWN and raw != NULL}
    if extra:
        read(_PASSED, body, "")
        if "modalities" in extra and b"".join(bytes(extra["modalities"]).split()) == _TEXT_ONLY:
            del extra["modalities"]
    return extra


def _request(params: _Params, extra: Fields) -> ModelRequest:
    output = None if params.response_format == NULL else read_output(params.response_format)
    if output is None and params.response_format != NULL:
        extra["response_format"] = params.response_format
    tools = () if params.tools == NULL else items_of(params.tools, "tools")
    return ModelRequest(
        model=params.model,
        messages=read_messages(params.messages),
        dialect=Dialect.OPENAI,
        max_output_tokens=_limit(params),
        temperature=params.temperature,
        top_p=params.top_p,
        top_k=params.top_k,
        stop=[params.stop] if isinstance(params.stop, str) else params.stop or (),
        tools=[read_tool(raw, f"tools[{place}]") for place, raw in enumerate(tools)],
        tool_choice=None if params.tool_choice == NULL else read_tool_choice(params.tool_choice),
        parallel_tool_calls=params.parallel_tool_calls,
        output=output,
        thinking=Thinking(effort=params.reasoning_effort) if params.reasoning_effort else None,
        choices=params.n or 1,
        extra=extra,
        **_same(params),
    )


def _limit(params: _Params) -> int | None:
    older, newer = params.max_tokens, params.max_completion_tokens
    if older is not None and newer is not None and older != newer:
        raise InvalidParameter("max_tokens", f"is {older} while max_completion_tokens is {newer}: give one of them")
    return older if newer is None else newer


SAME: Final = (
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "user",
    "metadata",
    "service_tier",
    "verbosity",
)
"""Parameters that have the same name and form here and in the message model."""


def _same(params: _Params) -> Mapping[str, Any]:
    return {name: value for name in SAME if (value := getattr(params, name)) is not None}
