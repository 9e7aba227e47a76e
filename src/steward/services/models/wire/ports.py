"""What every dialect offers: a codec for its client's side, which speaks to providers, and one for its server's side.

All of them are pure and keep no state but that of one stream. Sizes and depths are bounded before (by the edge, by the
upstream's limits); a codec checks form and meaning.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from steward.kit.errors import AppError
from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import Dialect, ModelReply, ModelRequest, StreamEvent


class ServerEvent(msgspec.Struct, frozen=True):
    """One server-sent event (WHATWG HTML, section 9.2)."""

    data: bytes
    event: str = ""


class StreamDecoder(Protocol):
    """Turns one provider's stream into events."""

    def feed(self, event: ServerEvent) -> Sequence[StreamEvent]:
        """What one server-sent event says. Raises `ProviderFailure` for an error event and for what cannot be read."""
        ...

    def end(self) -> Sequence[StreamEvent]:
        """What is left to be said at the end of the connection. Raises `ProviderFailure` where the stream was cut."""
        ...


class ClientCodec(Protocol):
    """One dialect as a client speaks it."""

    dialect: Dialect
    path: str
    """Of the operation below the base URL."""

    def headers(self, key: str | None, key_header: str = "") -> Mapping[str, str]:
        """With the key: for nobody but the provider. `key_header` names another field than the dialect's own."""
        ...

    def encode(self, request: ModelRequest, *, model: str, stream: bool) -> bytes:
        """The body. `request.max_output_tokens` is set. Raises `CannotExpress` for what the dialect cannot say."""
        ...

    def decode(self, body: bytes) -> ModelReply:
        """A whole answer. Raises `ProviderFailure` for one that cannot be read."""
        ...

    def stream(self) -> StreamDecoder:
        """For one streamed answer."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """What an answer of a status other than 200 says. `headers` by lower-case name."""
        ...


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asked of us."""

    request: ModelRequest
    stream: bool = False
    include_usage: bool = False
    """OpenAI Chat: whether a streamed answer ends with the usage."""
    include_obfuscation: bool = False
    echo: Mapping[str, msgspec.Raw] = {}
    """Fields of the request that the answer repeats (Responses)."""


class StreamEncoder(Protocol):
    """Turns events into one client's stream."""

    def encode(self, event: StreamEvent) -> bytes:
        """Server-sent events, ready to send; empty where the dialect says nothing here. `Failed` is the last."""
        ...

    def end(self) -> bytes:
        """What ends a stream that was not `Failed`, such as `data: [DONE]`."""
        ...


class ServerCodec(Protocol):
    """One dialect as a server speaks it."""

    dialect: Dialect

    def decode(self, body: bytes) -> Asked:
        """A request. Raises `InvalidParameter` naming the parameter, and `UnsupportedParameter` for what cannot be."""
        ...

    def encode(self, reply: ModelReply, asked: Asked) -> bytes:
        """A whole answer; what another provider's dialect said is told as far as this one can say it."""
        ...

    def stream(self, asked: Asked) -> StreamEncoder:
        """For one streamed answer."""
        ...

    def error(self, error: AppError, request_id: str) -> bytes:
        """The body of a failure, in the dialect's own form and with its type names; the status is `error.status`."""
        ...
