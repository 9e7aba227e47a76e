"""Anthropic Messages as a server speaks it, version 2023-06-01."""

from steward.kit.errors import AppError
from steward.services.models.messages import Dialect, ModelReply
from steward.services.models.wire.anthropic.failures import encode_error
from steward.services.models.wire.anthropic.reply_encoding import encode_reply
from steward.services.models.wire.anthropic.request_decoding import decode_request
from steward.services.models.wire.anthropic.stream_encoding import AnthropicStreamEncoder
from steward.services.models.wire.ports import Asked


class AnthropicServer:
    """The codec towards clients. It keeps nothing."""

    dialect = Dialect.ANTHROPIC

    def decode(self, body: bytes) -> Asked:
        return decode_request(body)

    def encode(self, reply: ModelReply, asked: Asked) -> bytes:  # noqa: ARG002  (this dialect's answers repeat nothing)
        return encode_reply(reply)

    def stream(self, asked: Asked) -> AnthropicStreamEncoder:  # noqa: ARG002  (as above)
        return AnthropicStreamEncoder()

    def error(self, error: AppError, request_id: str) -> bytes:
        return encode_error(error, request_id)
