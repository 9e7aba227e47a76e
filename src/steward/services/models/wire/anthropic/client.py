"""Anthropic Messages as a client speaks it, version 2023-06-01."""

from collections.abc import Mapping
from typing import Final

from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import Dialect, ModelReply, ModelRequest
from steward.services.models.wire.anthropic.betas import beta_headers
from steward.services.models.wire.anthropic.failures import decode_failure
from steward.services.models.wire.anthropic.reply_decoding import decode_reply
from steward.services.models.wire.anthropic.request_encoding import encode_request
from steward.services.models.wire.anthropic.stream_decoding import AnthropicStreamDecoder

_VERSION: Final = "2023-06-01"
_ROOT: Final = "/v1"
_PATH: Final = "/v1/messages"
_KEY_HEADER: Final = "x-api-key"


class AnthropicClient:
    """The codec towards providers. It keeps nothing."""

    dialect = Dialect.ANTHROPIC
    path = _PATH

    @staticmethod
    def path_for(base_url: str) -> str:
        """The operation's path below a base URL, which by rule has no `/v1` at its end but may have."""
        return _PATH.removeprefix(_ROOT) if base_url.rstrip("/").endswith(_ROOT) else _PATH

    def headers(self, key: str | None, key_header: str = "") -> Mapping[str, str]:
        said = {"anthropic-version": _VERSION}
        if key is not None:
            name = key_header or _KEY_HEADER
            said[name] = f"Bearer {key}" if name.lower() == "authorization" else key
        return said

    def request_headers(self, request: ModelRequest) -> Mapping[str, str]:
        """What this request says beside its body: the `anthropic-beta` that `with_betas` kept."""
        return beta_headers(request)

    def encode(self, request: ModelRequest, *, model: str, stream: bool) -> bytes:
        return encode_request(request, model=model, stream=stream)

    def decode(self, body: bytes) -> ModelReply:
        return decode_reply(body)

    def stream(self) -> AnthropicStreamDecoder:
        return AnthropicStreamDecoder()

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        return decode_failure(status, headers, body)
