"""OpenAI Chat Completions as a client of providers speaks it."""

from collections.abc import Mapping

from steward.services.models.failures import ProviderFailure
from steward.services.models.messages import Dialect, ModelReply, ModelRequest
from steward.services.models.wire.openai.errors import failure
from steward.services.models.wire.openai.reply_in import read_reply
from steward.services.models.wire.openai.request_out import write_request
from steward.services.models.wire.openai.stream_in import OpenAiStream

_AUTHORIZATION = "Authorization"


def write_headers(key: str | None, key_header: str = "") -> Mapping[str, str]:
    """With the key: for nobody but the provider."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        name = key_header or _AUTHORIZATION
        headers[name] = f"Bearer {key}" if name.lower() == _AUTHORIZATION.lower() else key
    return headers


class OpenAiClient:
    """`ClientCodec` of OpenAI and of the providers that follow it.

    `newer`: the provider is OpenAI itself or as strict as it is. It takes `max_completion_tokens` where the others know
    `max_tokens` only, and no `reasoning_content` of others (see `thoughts`).
    """

    dialect = Dialect.OPENAI
    path = "/chat/completions"

    def __init__(self, *, newer: bool) -> None:
        self._newer = newer

    def headers(self, key: str | None, key_header: str = "") -> Mapping[str, str]:
        return write_headers(key, key_header)

    def encode(self, request: ModelRequest, *, model: str, stream: bool) -> bytes:
        return write_request(request, model=model, stream=stream, newer=self._newer)

    def decode(self, body: bytes) -> ModelReply:
        return read_reply(body)

    def stream(self) -> OpenAiStream:
        return OpenAiStream()

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        return failure(status, headers, body)
