"""The surfaces as the API's description shows them: the members that most callers use.

The codecs take and give every member of the dialects; what these structs leave out is described by
OpenAI and Anthropic.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Model = Annotated[str, Meta(description="An alias, or `connection/model`.", examples=["default"])]
Json = Mapping[str, Any]
Said = Annotated[Sequence[Json], Meta(min_length=1, examples=[[{"role": "user", "content": "When are you open?"}]])]
Input = Annotated[str | Sequence[Json], Meta(examples=["When are you open?"])]


class ChatCompletionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request of OpenAI Chat Completions; any other member of that API may stand beside these."""

    model: Model
    messages: Said
    """Each has `role` and `content`."""
    stream: bool | None = None
    """Whether the answer comes as server-sent events."""
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    tools: Sequence[Json] | None = None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the form of OpenAI Chat Completions."""

    id: str
    object: str
    """`chat.completion`."""
    created: int
    """Seconds since 1970."""
    model: str
    choices: Sequence[Json]
    usage: Json


class ResponseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request of OpenAI Responses; any other member of that API may stand beside these."""

    model: Model
    input: Input
    stream: bool | None = None
    """Whether the answer comes as server-sent events."""
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    tools: Sequence[Json] | None = None


class ResponseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the form of OpenAI Responses (Open Responses)."""

    id: str
    object: str
    """`response`."""
    created_at: int
    """Seconds since 1970."""
    status: str
    model: str
    output: Sequence[Json]


class EmbeddingsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request of OpenAI Embeddings; any other member of that API may stand beside these."""

    model: Model
    input: Annotated[str | Sequence[str | int | Sequence[int]], Meta(examples=["When are you open?"])]
    """One text, several, or token numbers."""
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: str | None = None
    """`float` or `base64`."""


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors in the form of OpenAI Embeddings."""

    object: str
    """`list`."""
    data: Sequence[Json]
    model: str
    usage: Json


class MessagesBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request of Anthropic Messages; any other member of that API may stand beside these."""

    model: Model
    max_tokens: Annotated[int, Meta(ge=1)]
    messages: Said
    """Each has `role` and `content`."""
    system: str | Sequence[Json] | None = None
    stream: bool | None = None
    """Whether the answer comes as server-sent events."""
    tools: Sequence[Json] | None = None


class AnthropicMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the form of Anthropic Messages."""

    id: str
    type: str
    """`message`."""
    role: str
    model: str
    content: Sequence[Json]
    stop_reason: str | None
    usage: Json


class CountTokensBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request of Anthropic Messages of which only the tokens are counted."""

    model: Model
    messages: Said
    system: str | Sequence[Json] | None = None
    tools: Sequence[Json] | None = None


class CountedTokens(msgspec.Struct, frozen=True, kw_only=True):
    input_tokens: int


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A name that may be asked for, in the form of OpenAI's; with `anthropic-version` it is Anthropic's."""

    id: str


class ModelEntries(msgspec.Struct, frozen=True, kw_only=True):
    """Names that may be asked for, in the form of OpenAI's; with `anthropic-version` it is Anthropic's."""

    data: Sequence[ModelEntry]


class OpenAiFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in OpenAI's form; `error` has `message`, `type`, `param` and `code`."""

    error: Json


class AnthropicFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in Anthropic's form; `error` has `type` and `message`."""

    type: str
    """`error`."""
    error: Json
