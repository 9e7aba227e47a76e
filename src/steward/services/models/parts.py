"""Who speaks, in which dialect, and the parts that a message is made of."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

Extra = Mapping[str, msgspec.Raw]
"""JSON by field name, as it came in the request's or the provider's own dialect."""


class Dialect(StrEnum):
    """A wire format."""

    OPENAI = "openai"
    """OpenAI Chat Completions."""
    RESPONSES = "responses"
    """OpenAI Responses (Open Responses)."""
    ANTHROPIC = "anthropic"
    """Anthropic Messages, version 2023-06-01."""


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    """Instructions of the application's developer; to dialects that do not know them they are the system's."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """Results of tool calls."""


class CacheHint(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the provider to keep the prompt up to here. A dialect that caches by itself leaves it out."""

    ttl: str | None = None
    """`5m` or `1h`; the provider's default when absent."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    cache: CacheHint | None = None
    extra: Extra = {}


class Text(_Part, frozen=True, kw_only=True, tag="text"):
    text: str


class Refusal(_Part, frozen=True, kw_only=True, tag="refusal"):
    """The model's words by which it refuses."""

    text: str


class Image(_Part, frozen=True, kw_only=True, tag="image"):
    """An image by address or by content; exactly one of `url`, `data` and `file_id` is there."""

    url: str | None = None
    data: str | None = None
    """Base64."""
    media_type: str | None = None
    file_id: str | None = None
    detail: str | None = None
    """`low`, `high` or `auto`."""


class File(_Part, frozen=True, kw_only=True, tag="file"):
    """A document by address, content or id; plain text goes in `text`."""

    url: str | None = None
    data: str | None = None
    """Base64."""
    media_type: str | None = None
    file_id: str | None = None
    name: str | None = None
    text: str | None = None


class Audio(_Part, frozen=True, kw_only=True, tag="audio"):
    data: str
    """Base64."""
    format: str
    """`wav` or `mp3`."""


class Reasoning(_Part, frozen=True, kw_only=True, tag="reasoning"):
    """What the model thought; given back unchanged, for providers check it."""

    text: str = ""
    signature: str | None = None
    """Anthropic's proof that the text is unchanged."""
    redacted: str | None = None
    """Encrypted thinking in place of text."""
    id: str | None = None
    """Of a Responses item."""
    encrypted: str | None = None
    """`encrypted_content` of a Responses item."""
    summary: Sequence[str] = ()


class ToolCall(_Part, frozen=True, kw_only=True, tag="tool_call"):
    """The model asks for a tool."""

    id: str
    name: str
    arguments: str
    """As the model wrote them: JSON, or free text for a custom tool."""
    custom: bool = False
    """Whether `arguments` is free text."""
    item_id: str | None = None
    """Of a Responses item."""


class ToolResult(_Part, frozen=True, kw_only=True, tag="tool_result"):
    call_id: str
    content: Sequence["Text | Image | File | Opaque"]
    is_error: bool = False
    custom: bool = False


class Opaque(_Part, frozen=True, kw_only=True, tag="opaque"):
    """A part that one dialect alone knows, such as a server's own tool use: given back as it came."""

    dialect: Dialect
    type: str
    raw: msgspec.Raw


Part = Text | Refusal | Image | File | Audio | Reasoning | ToolCall | ToolResult | Opaque
