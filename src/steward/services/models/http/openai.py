"""OpenAI's surface: Chat Completions, Responses, Embeddings and the list of models."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from steward.kit.web import (
    NAMES_ONE,
    Caller,
    ClockPort,
    EventStream,
    IdsPort,
    RawJson,
    fails_as,
    reads_as,
    takes_bytes,
    takes_depth,
    takes_seconds,
)
from steward.services.models.api import ModelsApi
from steward.services.models.errors import ModelNotFound
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
    told,
)
from steward.services.models.http.listing import anthropic_entry, anthropic_list, openai_entry, openai_list
from steward.services.models.http.options import options_of
from steward.services.models.wire.openai.embeddings import OpenAiEmbeddingsServer
from steward.services.models.wire.openai.server import OpenAiServer
from steward.services.models.wire.responses.server import ResponsesServer

ModelsPort = NamedDependency[SkipValidation[ModelsApi]]

TAGS: Final = ("Models: OpenAI",)
CALL: Final[Mapping[str, object]] = {
    **takes_bytes(MOST_BYTES),
    **takes_depth(MOST_DEPTH),
    **takes_seconds(MOST_SECONDS),
    **NAMES_ONE,
    **fails_as(failures.OPENAI),
}
_BOTH: Final[Mapping[str, object]] = {**fails_as(failures.OPENAI), **NAMES_ONE}
_VERSION: Final = b"anthropic-version"


@post(
    "/v1/chat/completions",
    tags=TAGS,
    status_code=200,
    opt={**CALL, **reads_as(described.ChatCompletionBody, described.ChatCompletion)},
)
async def create_chat_completion(
    ctx: Caller, request: AnyRequest, models: ModelsPort, clock: ClockPort, ids: IdsPort
) -> RawJson | EventStream:
    """Answer a conversation, in the dialect of OpenAI Chat Completions

    Whole or, with `stream`, as server-sent events. The header fields `Steward-Cache`, `Steward-Coalesce`,
    `Steward-Hedge`, `Steward-Task`, `Steward-Complexity`, `Steward-Agent`, `Steward-Run`, `Steward-Tags` and
    `Steward-Audience` say how the call is made. Needs `model:call`.
    """
    codec = OpenAiServer(clock, ids)
    asked = await decoded(codec.decode, await request.body())
    options = options_of(headers_of(request), asked.request.metadata)
    return await answered(ctx, models, codec, asked, options)


@post(
    "/v1/responses",
    tags=TAGS,
    status_code=200,
    opt={**CALL, **reads_as(described.ResponseBody, described.ResponseAnswer)},
)
async def create_response(
    ctx: Caller, request: AnyRequest, models: ModelsPort, clock: ClockPort, ids: IdsPort
) -> RawJson | EventStream:
    """Answer, in the dialect of OpenAI Responses (Open Responses)

    Nothing is stored: `previous_response_id` is refused. Header fields as for chat completions. Needs `model:call`.
    """
    codec = ResponsesServer(clock=clock, ids=ids)
    asked = await decoded(codec.decode, await request.body())
    options = options_of(headers_of(request), asked.request.metadata)
    return await answered(ctx, models, codec, asked, options)


@post(
    "/v1/embeddings",
    tags=TAGS,
    status_code=200,
    opt={**CALL, **reads_as(described.EmbeddingsBody, described.Embeddings)},
)
async def create_embeddings(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """Make vectors of texts, in the dialect of OpenAI Embeddings

    Header fields as for chat completions. Needs `model:call`.
    """
    codec = OpenAiEmbeddingsServer()
    asked = await decoded(codec.decode, await request.body())
    reply = await models.embed(ctx, request=asked, options=options_of(headers_of(request)))
    return RawJson(codec.encode(reply, asked), headers=told(reply.provider, reply.from_cache))


@get("/v1/models", tags=TAGS, opt={**fails_as(failures.OPENAI), **reads_as(None, described.ModelEntries)})
async def list_models(ctx: Caller, request: AnyRequest, models: ModelsPort) -> RawJson:
    """List the names that may be asked for

    In OpenAI's form, or in Anthropic's when `anthropic-version` is sent. Needs `model:call`.
    """
    found = await models.list_models(ctx)
    if header(headers_of(request), _VERSION):
        return RawJson(anthropic_list(found, request.query_params))
    return RawJson(openai_list(found))


@get("/v1/models/{name:path}", tags=TAGS, opt={**_BOTH, **reads_as(None, described.ModelEntry)})
async def get_model(ctx: Caller, request: AnyRequest, models: ModelsPort, name: FromPath[str]) -> RawJson:
    """Get one name that may be asked for

    In OpenAI's form, or in Anthropic's when `anthropic-version` is sent. Needs `model:call`.
    """
    wanted = str(name).removeprefix("/")
    found = next((each for each in await models.list_models(ctx) if each.name == wanted), None)
    if found is None:
        raise ModelNotFound(wanted)
    entry = anthropic_entry if header(headers_of(request), _VERSION) else openai_entry
    return RawJson(msgspec.json.encode(entry(found)))
