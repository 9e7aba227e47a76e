"""Counts a request's tokens: exactly where the model's vocabulary is there and nothing else is in it, else nearly."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from steward.services.models.api import TokenCount
from steward.services.models.counting.bounds import MESSAGE, bound, unbounded
from steward.services.models.counting.estimates import Family, Sized, estimate, family_of
from steward.services.models.counting.vocabulary import Encoding, vocabulary_of
from steward.services.models.messages import (
    Audio,
    File,
    Image,
    ModelRequest,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

MOST_IMAGE: Final = 50_000
_IMAGE: Final = Sized(800, 800)
"""What an image usually has: 85 (OpenAI, `low`) to 1,600 (Anthropic, 1,568 pixels)."""
_THINKING: Final = 22
"""What Anthropic adds for it; nothing elsewhere that could be seen."""
_CHAT_MESSAGE: Final = 3
_CHAT_REQUEST: Final = 3
"""What OpenAI adds, as its cookbook says ("How to count tokens with tiktoken") and the recordings confirm."""
_PERCENT: Final = 100


class Counter:
    """Counts tokens without asking anybody."""

    def __init__(self, encodings: Mapping[str, Encoding] | None = None) -> None:
        """`encodings` as from `load_vocabularies`."""
        self._encodings = encodings or {}

    def count(self, request: ModelRequest, model: str) -> TokenCount:
        """How many tokens `request` has for `model`, as the provider names it; 0.1 to 0.5 ms for 2 KB.

        `error_percent` is the mean error of what the request is made of, by script, weighted by its tokens. Where a
        request has tools of the provider, or names what is stored there, what they read is not in the count.
        """
        most = bound(request, image_tokens=MOST_IMAGE)
        encoding = self._encodings.get(vocabulary_of(model) or "")
        if encoding is not None and (exact := _exactly(request, encoding)) is not None:
            return TokenCount(tokens=exact, exact=True, error_percent=0, bound=max(most, exact))
        sized = _nearly(request, family_of(model), encoding)
        tokens = max(1, round(sized.tokens))
        error = math.ceil(_PERCENT * sized.off / tokens)
        return TokenCount(tokens=tokens, exact=False, error_percent=error, bound=max(most, tokens))


def _exactly(request: ModelRequest, encoding: Encoding) -> int | None:
    """The tokens of a chat of nothing but words; None for any other."""
    if request.tools or request.output is not None or request.extra or unbounded(request):
        return None
    total = _CHAT_REQUEST
    for message in request.messages:
        total += _CHAT_MESSAGE
        if message.name:
            total += 1 + len(encoding.encode_ordinary(message.name))
        for part in message.parts:
            if not isinstance(part, Text):
                return None
            total += len(encoding.encode_ordinary(part.text))
    return total


def _nearly(request: ModelRequest, family: Family, encoding: Encoding | None) -> Sized:
    ruler = _Ruler(family, encoding)
    tools = bool(request.tools)
    added = family.request + family.message * len(request.messages) + (family.tools if tools else 0)
    if request.thinking is not None and family.tools > MESSAGE:
        added += _THINKING
    sized = Sized(added, family.tools_off if tools else family.off)
    for text in _schemas(request):
        one = ruler.json(text)
        sized = sized.plus(Sized(one.tokens * family.schemas, one.off * family.schemas))
    if request.output is not None:
        sized = sized.plus(Sized(family.output, family.output / 2))
    for message in request.messages:
        for part in message.parts:
            sized = sized.plus(ruler.part(part))
    return sized


def _schemas(request: ModelRequest) -> Iterator[str]:
    for tool in request.tools:
        if tool.opaque is None:
            yield f"{tool.name} {tool.description or ''} {_text(tool.parameters or tool.format)}"
    if request.output is not None:
        yield _text(request.output.schema)


def _text(raw: msgspec.Raw | None) -> str:
    return bytes(raw or b"").decode("utf-8", "replace")


class _Ruler:
    """Measures parts for one family."""

    def __init__(self, family: Family, encoding: Encoding | None) -> None:
        self._family = family
        self._encoding = encoding

    def words(self, text: str) -> Sized:
        if self._encoding is not None:
            return Sized(len(self._encoding.encode_ordinary(text)), 0)
        return estimate(text, self._family)

    def json(self, text: str) -> Sized:
        return estimate(text, self._family, json=True)

    def part(self, part: Part) -> Sized:
        match part:
            case Text() | Refusal():
                return self.words(part.text)
            case ToolCall():
                called = self.json(f"{part.name} {part.arguments}")
                return called.plus(Sized(self._family.call, self._family.call / 2))
            case ToolResult():
                whole = Sized(self._family.call, self._family.call / 2)
                for one in part.content:
                    whole = whole.plus(self.part(one))
                return whole
            case Reasoning():
                return self._thought(part)
            case Image():
                return _IMAGE
            case File() if part.text is not None:
                return self.words(part.text)
            case File() | Audio():
                return self._packed(part)
            case Opaque():
                return self.json(_text(part.raw))

    def _thought(self, part: Reasoning) -> Sized:
        """Hidden thoughts are in base64 of what was encrypted: about a token for six characters, or dropped."""
        hidden = len(part.encrypted or "") + len(part.redacted or "")
        sized = self.words(part.text or " ".join(part.summary))
        return sized.plus(Sized(hidden / 12, hidden / 12))

    def _packed(self, part: File | Audio) -> Sized:
        """A document has about a token for eight bytes, sound (MP3 of 64 kbit/s) 10 tokens a second."""
        decoded = len(part.data or "") * 3 / 4
        tokens = decoded / 8 if isinstance(part, File) else decoded / 800
        return Sized(tokens, tokens)
