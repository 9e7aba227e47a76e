"""What the fake provider is told to answer, and what it notes of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True):
    """A tool call of the model."""

    name: str
    arguments: str = "{}"
    id: str = ""
    """Made up when empty."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a request; `input` holds cached and newly cached ones, `output` holds reasoning."""

    input: int = 1
    output: int = 1
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Ending(StrEnum):
    """How a connection ends at `Reply.cut_at`."""

    CLOSE = "close"
    RESET = "reset"
    """By a TCP reset."""
    END = "end"
    """As if the body ended there: HTTP is whole, the answer is not."""
    HANG = "hang"
    """Open, and nothing more comes."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: what it says, what it costs, and how it is sent. Delays are in seconds."""

    text: str = ""
    calls: Sequence[Call] = ()
    reasoning: str = ""
    signature: str = "c2lnbmVk"
    """Of the reasoning, in Anthropic's form."""
    refusal: str = ""
    stop: str = ""
    """The dialect's own word; what fits the answer when empty."""
    piece: int = 4
    """Characters of a delta, which is a token."""
    heeds_max: bool = True
    """Whether the answer ends at the limit of tokens that was asked for."""

    usage: Tokens | None = None
    """What is billed; counted from the answer when absent."""
    told: Tokens | None = None
    """What is told in place of what is billed."""
    untold: bool = False
    """Whether no usage is told."""

    status: int = 200
    error_type: str = ""
    error_code: str = ""
    error_message: str = ""
    error_param: str = ""
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    """In place of any answer."""
    content_type: str = ""
    head: bytes | None = None
    """In place of status line and headers."""

    before_head: float = 0.0
    between_head_lines: float = 0.0
    before_first: float = 0.0
    """Between the head and the first byte of the body."""
    between: float = 0.0
    """Before each event but the first."""
    chunk: int | None = None
    """Bytes of a write; an event, or the whole body, when absent."""
    cut_at: int | None = None
    """Bytes of the body after which it ends."""
    ending: Ending = Ending.CLOSE
    drop: bool = False
    """Whether the connection is closed in place of any answer; by a reset with `Ending.RESET`."""
    error_after: int | None = None
    """Events after which an error event ends the stream."""
    closes: bool = False
    """Whether the connection is closed after the answer, without a word."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that came in."""

    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: dict[str, Any]
    method: str = "POST"
    query: str = ""
    raw: bytes = b""

    @property
    def system(self) -> str:
        """The operator's part of the prompt."""
        return str(self.body.get("system") or self.body["messages"][0]["content"])

    @property
    def user(self) -> str:
        """The other part."""
        return str(self.body["messages"][-1]["content"])

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def asked_max(self) -> int | None:
        """The limit of output tokens that was asked for."""
        for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
            if isinstance(self.body.get(name), int):
                return int(self.body[name])
        return None


class Bill(msgspec.Struct, kw_only=True):
    """What the provider counted for one answer."""

    id: str
    """Of the answer."""
    model: str
    dialect: str
    input_tokens: int
    output_tokens: int
    """Of a cancelled stream those that were made so far."""
    stream: bool
    asked_max: int | None
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    finished: bool = False
    """Whether the whole answer was handed to the network before the client went away."""
    mark: str = ""
    """What stands behind `mark:` in the request, up to the next character that is no letter, digit or hyphen."""

    @property
    def kept_max(self) -> bool:
        """Whether no more was made than was asked for."""
        return self.asked_max is None or self.output_tokens <= self.asked_max
