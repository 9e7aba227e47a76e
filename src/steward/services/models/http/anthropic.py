"""Anthropic's surface: Messages, and counting of their tokens."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import post

from steward.kit.web import (
    NAMES_ONE,
    Caller,
    EventStream,
    RawJson,
    fails_as,
    reads_as,
    takes_bytes,
    takes_depth,
    takes_seconds,
)
from steward.services.models.http import described, failures
from steward.services.models.http.answering import (
    MOST_BYTES,
    MOST_DEPTH,
    MOST_SECONDS,
    AnyRequest,
    answered,
    decoded,
    header,
    headers_of,
)
from steward.services.models.http.openai import ModelsPort
from steward.services.models.http.options import Headers, options_of
from steward.services.models.wire.anthropic import AnthropicServer, with_betas
from steward.services.models.wire.ports import Asked

TAGS: Final = ("Models: Anthropic",)
CALL: Final[Mapping[str, object]] = {
    **takes_bytes(MOST_BYTES),
    **takes_depth(MOST_DEPTH),
    **takes_seconds(MOST_SECONDS),
    **NAMES_ONE,
    **fails_as(failures.ANTHROPIC),
}
PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
"""What Anthropic itself sends in a silent stream."""
_BETA: Final = b"anthropic-beta"
_LIMIT: Final = "max_tokens"


@post(
    "/v1/messages",
    tags=TAGS,
    status_code=200,
    opt={**CALL, **reads_as(described.MessagesBody, described.AnthropicMessage)},
)
async def create_message(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson | EventStream:
    """Answer a conversation, in the dialect of Anthropic Messages

    Whole or, with `stream`, as server-sent events. Header fields `Steward-…` as for chat completions; `anthropic-beta`
    goes to a provider of the same dialect. Needs `model:call`.
    """
    headers = headers_of(request)
    codec = AnthropicServer()
    asked = _with_betas(await decoded(codec.decode, await request.body()), headers)
    return await answered(ctx, models, codec, asked, options_of(headers), heartbeat=PING)


@post(
    "/v1/messages/count_tokens",
    tags=TAGS,
    status_code=200,
    opt={**CALL, **reads_as(described.CountTokensBody, described.CountedTokens)},
)
async def count_message_tokens(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """Count the tokens of a request of Anthropic Messages, without asking a provider

    By the model's own vocabulary where that is known, else an estimate. Needs `model:call`.
    """
    asked = await decoded(_decode_uncounted, await request.body())
    counted = await models.count_tokens(ctx, request=asked.request)
    return RawJson(msgspec.json.encode({"input_tokens": counted.tokens}))


def _with_betas(asked: Asked, headers: Headers) -> Asked:
    names = header(headers, _BETA)
    return msgspec.structs.replace(asked, request=with_betas(asked.request, names)) if names else asked


def _decode_uncounted(body: bytes) -> Asked:
    """A request that has no limit of tokens, for none are asked for."""
    try:
        fields = msgspec.json.decode(body, type=Mapping[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # The codec says it in the right words.
        return AnthropicServer().decode(body)
    return AnthropicServer().decode(msgspec.json.encode({_LIMIT: 1, **fields}))
