"""OpenAI Chat Completions as a server speaks it to clients."""

from steward.kit.clock import Clock
from steward.kit.errors import AppError
from steward.kit.ids import Ids
from steward.services.models.messages import Dialect, ModelReply
from steward.services.models.wire.openai.errors import write_error
from steward.services.models.wire.openai.reply_out import write_reply
from steward.services.models.wire.openai.request_in import read_request
from steward.services.models.wire.openai.stream_out import OpenAiStreamWriter
from steward.services.models.wire.ports import Asked


class OpenAiServer:
    """`ServerCodec` of OpenAI. Clock and ids are for what a provider's answer has not: its time, its id."""

    dialect = Dialect.OPENAI

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def decode(self, body: bytes) -> Asked:
        return read_request(body)

    def encode(self, reply: ModelReply, asked: Asked) -> bytes:  # noqa: ARG002 - others repeat what was asked
        created = 0 if reply.created else self._now()
        return write_reply(reply, created=created, reply_id="" if reply.id else self._new_id())

    def stream(self, asked: Asked) -> OpenAiStreamWriter:
        return OpenAiStreamWriter(asked, created=self._now, reply_id=self._new_id, pad=self._pad)

    def error(self, error: AppError, request_id: str) -> bytes:
        return write_error(error, request_id)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    def _new_id(self) -> str:
        return self._ids.new().hex

    def _pad(self, size: int) -> str:
        return self._ids.token(size).hex()[:size]
