"""The dialect's server side."""

import msgspec

from steward.kit.clock import Clock
from steward.kit.errors import AppError
from steward.kit.ids import Ids
from steward.services.models.messages import Dialect, ModelReply
from steward.services.models.wire.openai.errors import write_error
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.responses.request import asked_of
from steward.services.models.wire.responses.response import response_of
from steward.services.models.wire.responses.stream import ResponsesStream


class ResponsesServer:
    """OpenAI Responses, as Open Responses specifies it (schema of 2026-04-24). A `ServerCodec`."""

    dialect = Dialect.RESPONSES

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def decode(self, body: bytes) -> Asked:
        return asked_of(body)

    def encode(self, reply: ModelReply, asked: Asked) -> bytes:
        return msgspec.json.encode(response_of(reply, asked, self._ids, self._clock))

    def stream(self, asked: Asked) -> ResponsesStream:
        return ResponsesStream(asked, clock=self._clock, ids=self._ids)

    def error(self, error: AppError, request_id: str) -> bytes:
        return write_error(error, request_id)
