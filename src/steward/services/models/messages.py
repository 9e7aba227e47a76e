"""The one message model: what any dialect says to a model and hears from it, without a dialect's own form.

It holds everything that OpenAI Chat Completions, OpenAI Responses, Anthropic Messages and Embeddings can say. What only
one dialect knows is kept as it came: whole parts as `Opaque`, single fields in `extra`. Both are given back to that
dialect unchanged; another dialect refuses them by name (`CannotExpress`), for nothing is dropped in silence.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from steward.services.models.parts import (
    Audio,
    CacheHint,
    Dialect,
    Extra,
    File,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)

__all__ = [
    "Audio",
    "CacheHint",
    "Choice",
    "Delta",
    "Dialect",
    "EmbeddingReply",
    "EmbeddingRequest",
    "Extra",
    "Failed",
    "File",
    "Finished",
    "Image",
    "Message",
    "ModelReply",
    "ModelRequest",
    "Opaque",
    "OutputFormat",
    "OutputKind",
    "Part",
    "PartFinished",
    "PartStarted",
    "Reasoning",
    "Refusal",
    "Role",
    "Started",
    "StopReason",
    "StreamEvent",
    "Text",
    "Thinking",
    "Tokens",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolMode",
    "ToolResult",
    "Usage",
    "UsageReport",
]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: Role
    parts: Sequence[Part]
    name: str | None = None
    phase: str | None = None
    """Of an assistant's message: `commentary` or `final_answer` (Responses)."""
    id: str | None = None
    """Of a Responses item."""
    joined: bool = False
    """Whether it was one message with the one before it, as tool results and a user's words are with Anthropic."""
    plain: bool = False
    """Whether its content was a bare string; the meaning is the same."""
    extra: Extra = {}


class Tool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that the model may call."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw | None = None
    """JSON Schema of the arguments; none for a custom tool."""
    strict: bool | None = None
    custom: bool = False
    format: msgspec.Raw | None = None
    """Of a custom tool: the grammar of its input."""
    cache: CacheHint | None = None
    opaque: msgspec.Raw | None = None
    """A provider's own tool, such as web search, as it came; then nothing else but `name` counts."""
    dialect: Dialect | None = None
    """Whose own tool it is, where `opaque` is there."""
    extra: Extra = {}


class ToolMode(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    TOOL = "tool"
    """The one named."""
    ALLOWED = "allowed"
    """One of those named, by `required`."""


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    mode: ToolMode
    name: str | None = None
    custom: bool = False
    raw: msgspec.Raw | None = None
    """A form that one dialect alone knows (`allowed_tools`, a provider's own tool), as it came."""


class OutputKind(StrEnum):
    TEXT = "text"
    JSON = "json_object"
    SCHEMA = "json_schema"


class OutputFormat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    kind: OutputKind
    name: str | None = None
    description: str | None = None
    schema: msgspec.Raw | None = None
    strict: bool | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much the model is to think before it answers."""

    effort: str | None = None
    """`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`."""
    budget_tokens: int | None = None
    """Most tokens of thinking; they count as output."""
    mode: str | None = None
    """Anthropic's `enabled`, `adaptive` or `disabled`."""
    summary: str | None = None
    """Responses: `auto`, `concise` or `detailed`."""
    extra: Extra = {}


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model is asked."""

    model: str
    """An alias of the tenant, or `provider/model`."""
    messages: Sequence[Message]
    dialect: Dialect | None = None
    """In which it came, and whose `extra` is; None where it was made by a service."""
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: Sequence[str] = ()
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output: OutputFormat | None = None
    thinking: Thinking | None = None
    choices: int = 1
    """How many answers (`n`)."""
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: Mapping[str, float] | None = None
    user: str | None = None
    """The end user, as the provider is told."""
    metadata: Mapping[str, str] | None = None
    service_tier: str | None = None
    verbosity: str | None = None
    extra: Extra = {}
    """Parameters that have no field here; they go to a provider of the same dialect."""


class StopReason(StrEnum):
    END = "end"
    """The model came to its end."""
    LENGTH = "length"
    """At the limit of output tokens, asked for or reserved."""
    STOP_SEQUENCE = "stop_sequence"
    TOOL_CALLS = "tool_calls"
    FILTERED = "filtered"
    """The provider's filter cut it."""
    REFUSED = "refused"
    PAUSED = "paused"
    """Anthropic's `pause_turn`: to be continued by sending it back."""
    CONTEXT = "context"
    """The context window is full."""
    OTHER = "other"


Tokens = Annotated[int, Meta(ge=0)]


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens by class. `input_tokens` holds all that was read, cached and newly cached ones included."""

    input_tokens: Tokens = 0
    cache_read_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    """Newly cached for five minutes or the provider's usual time."""
    cache_write_1h_tokens: Tokens = 0
    """Newly cached for an hour; not among `cache_write_tokens`."""
    output_tokens: Tokens = 0
    """All that was written, reasoning included."""
    reasoning_tokens: Tokens = 0
    audio_input_tokens: Tokens = 0
    audio_output_tokens: Tokens = 0
    extra: Extra = {}
    """What else the provider counts, in its own form."""


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer."""

    parts: Sequence[Part]
    stop: StopReason
    index: int = 0
    stop_raw: str | None = None
    """The provider's word for `stop`, where ours is wider."""
    stop_sequence: str | None = None
    logprobs: msgspec.Raw | None = None
    phase: str | None = None
    extra: Extra = {}


class ModelReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole answer."""

    id: str
    model: str
    """The provider's name of what answered."""
    choices: Sequence[Choice]
    usage: Usage
    created: int = 0
    """Seconds since 1970."""
    dialect: Dialect | None = None
    """Of the provider that answered, and whose `extra` is."""
    extra: Extra = {}
    provider: str = ""
    """Name of the connection that answered."""
    from_cache: str = ""
    """`exact`, `semantic` or `shared` (an equal call in flight); empty where the provider was asked for this call."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    pass


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The first event of every stream."""

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None
    """What is known of it already."""
    dialect: Dialect | None = None
    provider: str = ""
    from_cache: str = ""
    extra: Extra = {}


class PartStarted(_Event, frozen=True, kw_only=True, tag="part_started"):
    """A part begins; `part` is what is known of it, usually without its text."""

    index: int
    """Of the part within its choice, from 0, in the order of beginning."""
    part: Part
    choice: int = 0


class Delta(_Event, frozen=True, kw_only=True, tag="delta"):
    """More of a part: exactly one of the fields says what."""

    index: int
    choice: int = 0
    text: str | None = None
    """More of the text of a `Text`, `Refusal` or `Reasoning`."""
    arguments: str | None = None
    """More of a tool call's arguments."""
    signature: str | None = None
    summary: str | None = None
    """More of the newest paragraph of a reasoning's summary."""
    new_summary: bool = False
    """Whether `summary` begins a paragraph."""
    raw: msgspec.Raw | None = None
    """A delta that the dialect alone knows (such as citations), as it came."""
    logprobs: msgspec.Raw | None = None
    """Beside `text`."""


class PartFinished(_Event, frozen=True, kw_only=True, tag="part_finished"):
    index: int
    choice: int = 0
    part: Part | None = None
    """The whole part, where the wire gave it."""


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """A choice is complete."""

    stop: StopReason
    choice: int = 0
    stop_raw: str | None = None
    stop_sequence: str | None = None
    extra: Extra = {}


class UsageReport(_Event, frozen=True, kw_only=True, tag="usage"):
    """The tokens so far; the last one counts, and a stream that was not cut has one before its end."""

    usage: Usage
    extra: Extra = {}
    """Of the answer as a whole, such as OpenAI's `service_tier`."""


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The stream broke after something was shown; always the last event."""

    code: str
    """Of the failure, as in docs/reference/errors.md."""
    message: str


StreamEvent = Started | PartStarted | Delta | PartFinished | Finished | UsageReport | Failed


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    model: str
    texts: Sequence[str] = ()
    tokens: Sequence[Sequence[int]] = ()
    """In place of `texts`: token numbers of the model's own vocabulary."""
    dimensions: int | None = None
    base64: bool = False
    """Whether vectors are to come as base64 of little-endian 32-bit floats."""
    single: bool = False
    """Whether the input was one text and no list."""
    user: str | None = None
    extra: Extra = {}


class EmbeddingReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    model: str
    vectors: Sequence[msgspec.Raw]
    """JSON each: a list of numbers, or a string of base64."""
    usage: Usage
    provider: str = ""
    from_cache: str = ""
    extra: Extra = {}
