"""The most tokens that a request can have, from its bytes alone: what a reservation holds back for the input.

Why it holds. Tokenizers in use are byte-level BPE, or SentencePiece that falls back to bytes: each token stands for at
least one byte of the text, so a text has no more tokens than bytes of UTF-8. Some normalize first (NFC: Qwen; NFKC:
T5 and the vocabulary that Anthropic once published), which lengthens a few characters: those are counted by what they
become. Control tokens written in a text are either plain text or one token, never more.

JSON that a provider writes anew (schemas, arguments of earlier calls) can grow by blanks, of which a run beside each
structural character is at most two tokens, and by escapes of six bytes for a character of two or three: twice its
bytes, or three times where it is not ASCII. What chat templates, preambles and tool instructions add is in the
constants, each above the largest of 425 recorded calls (`tests/services/models/counting`) and of what is documented.

What has no such reason is listed by `unbounded`: tools that run at the provider (web search, code, MCP) read what
nobody knows beforehand, and stored conversations, prompts and files are not in the request; they count as
`SERVER_TOOL` and `UNSEEN`. Of other calls the bound does not hold, and nothing in the request tells: models that
search by themselves (Groq's compound, Sonar), OpenAI's reasoning mode `pro`, which reads the prompt several times, and
presets of a router. A PDF made to be tiny can pass `PDF_FACTOR`. Where the model's context is known, it caps all that
is not read by tools.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from steward.services.models.messages import (
    Audio,
    File,
    Image,
    Message,
    ModelRequest,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

REQUEST: Final = 160
"""Of each request: begin and end, preambles (gpt-oss 70, DeepSeek 80, Llama 45 recorded), thinking (Anthropic 30)."""
MESSAGE: Final = 16
"""Of each message: role and its marks (3 to 7 in published templates)."""
PART: Final = 8
TOOLS: Final = 1200
"""Of a request with tools: instructions of the provider (610 recorded with Claude Opus 4.6, 700 with Llama 4)."""
TOOL: Final = 64
"""Of each tool, call and result: the marks around it."""
SCHEMA: Final = 400
"""Of structured output: instructions beside the schema (200 recorded with Claude)."""
PDF_FACTOR: Final = 4
"""Tokens for a byte of a document that is no plain text: text and picture of a page, which are packed in the file."""
PAGE: Final = 5_000
"""Of a document's first page: Anthropic documents 1,500 to 3,000 for text, and at most 1,600 for the picture."""
AUDIO_BYTES: Final = 16
"""Bytes of sound for a token: 8 kbit/s is the least of MP3, 32 tokens a second the most of any provider; halved."""
SERVER_TOOL: Final = 200_000
"""Of each tool that runs at the provider; 115,886 is the most recorded (web search with GPT-5)."""
UNSEEN: Final = 1_000_000
"""Of what the request only names: a file, a conversation at the provider."""

_REMOTE: Final = frozenset(
    (
        "previous_response_id",
        "conversation",
        "prompt",
        "container",
        "mcp_servers",
        "plugins",
        "web_search_options",
        "search_settings",
        "context_management",
    )
)
"""Parameters that let the provider read what is not in the request."""

# Every character that NFC or NFKC makes longer in UTF-8, as ranges; a test compares them with `unicodedata`.
_GROWING: Final = re.compile(
    "["
    "\u00a8\u00af\u00b4\u00b8\u00bc-\u00be\u013f\u0140\u0149\u01c4-\u01c6\u02d8-\u02dd\u0344\u037a\u0384\u0385"
    "\u0587\u0675-\u0678\u0958-\u095f\u09dc\u09dd\u09df\u0a33\u0a36\u0a59-\u0a5b\u0a5e\u0b5c\u0b5d\u0e33\u0eb3"
    "\u0edc\u0edd\u0f43\u0f4d\u0f52\u0f57\u0f5c\u0f69\u0f73\u0f75-\u0f79\u0f81\u0f93\u0f9d\u0fa2\u0fa7\u0fac\u0fb9"
    "\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed\u1fee\u2033\u2034\u2036\u2037\u2057\u2150-\u215f\u2167\u2177\u2189"
    "\u222c\u222d\u222f\u2230\u247d-\u2487\u2a0c\u2adc\u309b\u309c\u309f\u30ff\u3200-\u321e\u3220-\u3243\u327c"
    "\u327d\u32c0-\u32cb\u32ff-\u3370\u337b-\u337f\u3389\u33a7\u33a8\u33ae\u33af\u33c2\u33c6\u33d8\u33de-\u33fe"
    "\ufa6c\ufacf-\ufad1\ufad5-\ufad7\ufb13-\ufb17\ufb1d\ufb1f\ufb2a-\ufb36\ufb38-\ufb3c\ufb3e\ufb40\ufb41\ufb43"
    "\ufb44\ufb46-\ufb4f\ufbdd\ufbea-\ufbfb\ufc00-\ufd3d\ufd50-\ufd8f\ufd92-\ufdc7\ufdf0-\ufdfc\ufe71\ufe77\ufe79"
    "\ufe7b\ufe7d\ufe7f\ufef5-\ufefc\U0001d15e-\U0001d164\U0001d1bb-\U0001d1c0\U0001f12a\U0001f200\U0001f201"
    "\U0001f240-\U0001f248"
    "]"
)


def bound(request: ModelRequest, *, image_tokens: int, context_tokens: int | None = None) -> int:
    """The most input tokens that a request can have; `image_tokens` is the most for one image.

    `context_tokens` is the model's context, which no request passes that is answered. It takes about 1 µs for a chat
    of 2 KB in ASCII, 11 µs in Chinese.
    """
    total = REQUEST
    for message in request.messages:
        total += MESSAGE
        for part in message.parts:
            # The usual part, without a look-up.
            total += PART + (_size(part.text) if type(part) is Text else _part(part, image_tokens))
        if message.extra or message.name:
            total += _beside(message)
    if request.tools:
        total += TOOLS + sum(map(_tool, request.tools))
    if request.output is not None:
        total += SCHEMA + _json(request.output.schema) + len(request.output.name or "")
        total += _size(request.output.description or "")
    if request.extra:
        total += sum(UNSEEN if name in _REMOTE else _json(raw) for name, raw in request.extra.items())
    if context_tokens is None or total <= context_tokens:
        return total
    working = sum(tool.opaque is not None for tool in request.tools) + len(_REMOTE.intersection(request.extra))
    return context_tokens + SERVER_TOOL * working


def unbounded(request: ModelRequest) -> Sequence[str]:
    """What of a request makes its bound a guess: names of parameters, tools and parts; empty where the bound holds."""
    found = [name for name in request.extra if name in _REMOTE]
    found += [f"tools.{tool.name}" for tool in request.tools if tool.opaque is not None]
    for message in request.messages:
        for part in message.parts:
            inner = part.content if isinstance(part, ToolResult) else (part,)
            found += filter(None, map(_outside, inner))
    return found


def _outside(part: Part) -> str:
    """The name of a part that stands for something outside of the request, or is packed."""
    if isinstance(part, File) and part.text is None and not (part.media_type or "").startswith("text/"):
        return "file" if part.data is None else "document"
    return part.type if isinstance(part, Opaque) and part.type == "item_reference" else ""


def _size(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text.encode("utf-8", "surrogatepass")) + sum(map(_growth, _GROWING.findall(text)))


def _growth(character: str) -> int:
    longest = max(len(unicodedata.normalize(form, character).encode()) for form in ("NFC", "NFKC"))
    return max(0, longest - len(character.encode()))


def _json(raw: msgspec.Raw | str | None) -> int:
    if raw is None:
        return 0
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else bytes(raw)
    return len(data) * (2 if data.isascii() else 3)


def _beside(message: Message) -> int:
    return len((message.name or "").encode()) + sum(map(_json, message.extra.values()))


def _tool(tool: Tool) -> int:
    if tool.opaque is not None:
        return SERVER_TOOL + _json(tool.opaque)
    described = _size(tool.name) + _size(tool.description or "")
    # A description may be written into JSON, too, where line ends and quotes are escaped.
    return TOOL + 2 * described + _json(tool.parameters) + _json(tool.format) + sum(map(_json, tool.extra.values()))


def _part(part: Part, image_tokens: int) -> int:
    size = _SIZES[type(part)](part, image_tokens)
    return size + sum(map(_json, part.extra.values())) if part.extra else size


def _text(part: Text | Refusal, _image_tokens: int) -> int:
    return _size(part.text)


def _image(_part: Image, image_tokens: int) -> int:
    return image_tokens


def _file(part: File, _image_tokens: int) -> int:
    named = _size(part.name or "")
    if part.text is not None:
        return named + _size(part.text)
    if part.data is None:
        return named + UNSEEN
    decoded = len(part.data) * 3 // 4
    if (part.media_type or "").startswith("text/"):
        return named + decoded
    return named + PAGE + PDF_FACTOR * decoded


def _audio(part: Audio, _image_tokens: int) -> int:
    return MESSAGE + len(part.data) * 3 // 4 // AUDIO_BYTES


def _reasoning(part: Reasoning, _image_tokens: int) -> int:
    hidden = len(part.signature or "") + len(part.redacted or "") + len(part.encrypted or "")
    return _size(part.text) + hidden + sum(map(_size, part.summary))


def _call(part: ToolCall, _image_tokens: int) -> int:
    return TOOL + _size(part.name) + _json(part.arguments)


def _result(part: ToolResult, image_tokens: int) -> int:
    return TOOL + sum(PART + _part(one, image_tokens) for one in part.content)


def _opaque(part: Opaque, _image_tokens: int) -> int:
    return (UNSEEN if part.type == "item_reference" else TOOL) + _json(part.raw)


_SIZES: Final[Mapping[type[Any], Callable[[Any, int], int]]] = {
    Text: _text,
    Refusal: _text,
    Image: _image,
    File: _file,
    Audio: _audio,
    Reasoning: _reasoning,
    ToolCall: _call,
    ToolResult: _result,
    Opaque: _opaque,
}
