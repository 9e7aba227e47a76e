"""OpenAI Embeddings, as a client and as a server.

Normal forms: null is absence; a list of one text, and one list of tokens within a list, stay lists; `float` is the
default of `encoding_format` and is not written.
"""

import binascii
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from steward.kit.errors import AppError
from steward.services.models.errors import InvalidParameter
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import EmbeddingReply, EmbeddingRequest
from steward.services.models.wire.openai.client import write_headers
from steward.services.models.wire.openai.errors import failure, failure_within, write_error
from steward.services.models.wire.openai.fields import (
    EMPTY_OBJECT,
    NULL,
    Fields,
    begins,
    encode,
    fields_of,
    read,
    take,
    take_text,
)
from steward.services.models.wire.openai.reply_in import malformed
from steward.services.models.wire.openai.request_in import check_readable
from steward.services.models.wire.openai.usage import read_usage

MAX_INPUTS: Final = 2048
_Tokens = list[Annotated[int, Meta(ge=0)]]


class _Params(msgspec.Struct):
    model: Annotated[str, Meta(min_length=1, max_length=300)]
    input: str | list[Any]
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class _Vector(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = None


_PARAMS: Final = msgspec.json.Decoder(_Params)
_KNOWN: Final = frozenset(_Params.__struct_fields__)
_VECTORS: Final = msgspec.json.Decoder(list[_Vector])
_NUMBERS: Final = msgspec.json.Decoder(list[float])
_TEXT: Final = msgspec.json.Decoder(str)


class OpenAiEmbeddingsClient:
    """Embeddings as a client of providers asks for them."""

    path = "/embeddings"

    def headers(self, key: str | None, key_header: str = "") -> Mapping[str, str]:
        """With the key: for nobody but the provider."""
        return write_headers(key, key_header)

    def encode(self, request: EmbeddingRequest, *, model: str) -> bytes:
        """The body."""
        inputs: Sequence[object] = request.tokens or request.texts
        told: dict[str, object] = {"model": model, "input": inputs[0] if request.single else inputs}
        if request.dimensions is not None:
            told["dimensions"] = request.dimensions
        if request.base64:
            told["encoding_format"] = "base64"
        if request.user is not None:
            told["user"] = request.user
        for name, raw in request.extra.items():
            told.setdefault(name, raw)
        return encode(told)

    def decode(self, body: bytes) -> EmbeddingReply:
        """Vectors in the order of their texts, in the form that the provider chose. Raises `ProviderFailure`."""
        try:
            fields = fields_of(body, "")
            if (error := take(fields, "error")) is not None:
                raise failure_within(error)
            return _reply(fields)
        except (AppError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise malformed(error) from error

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """What an answer of a status other than 200 says. `headers` by lower-case name."""
        return failure(status, headers, body)


class OpenAiEmbeddingsServer:
    """Embeddings as a server gives them to clients."""

    def decode(self, body: bytes) -> EmbeddingRequest:
        """A request. Raises `InvalidParameter` naming the parameter, and `MalformedRequest`."""
        check_readable(body)
        params = read(_PARAMS, body, "")
        texts, tokens, single = _inputs(params.input)
        fields = fields_of(body, "")
        return EmbeddingRequest(
            model=params.model,
            texts=texts,
            tokens=tokens,
            dimensions=params.dimensions,
            base64=params.encoding_format == "base64",
            single=single,
            user=params.user,
            extra={name: raw for name, raw in fields.items() if name not in _KNOWN and raw != NULL},
        )

    def encode(self, reply: EmbeddingReply, request: EmbeddingRequest) -> bytes:
        """The answer, its vectors in the form that was asked for."""
        form = _as_base64 if request.base64 else _as_numbers
        told: dict[str, object] = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": place, "embedding": form(vector)}
                for place, vector in enumerate(reply.vectors)
            ],
            "model": reply.model,
            "usage": {
                "prompt_tokens": reply.usage.input_tokens,
                "total_tokens": reply.usage.input_tokens + reply.usage.output_tokens,
                **reply.usage.extra,
            },
            **reply.extra,
        }
        if reply.from_cache:
            told["from_cache"] = reply.from_cache
        return encode(told)

    def error(self, error: AppError, request_id: str) -> bytes:
        """The body of a failure; the status is `error.status`."""
        return write_error(error, request_id)


def _inputs(given: str | list[Any]) -> tuple[list[str], list[list[int]], bool]:
    """Texts or token lists, and whether it was a single one of either."""
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        given = [given]
        single = True
    else:
        single = False
    if not given or len(given) > MAX_INPUTS:
        raise InvalidParameter("input", f"has {len(given)} items: give 1 to {MAX_INPUTS}")
    form = list[str] if isinstance(given[0], str) else list[_Tokens]
    try:
        inputs: Any = msgspec.convert(given, form)
    except msgspec.ValidationError as error:
        raise InvalidParameter(
            "input", f"must be a string, a list of strings, tokens or lists of them: {error}"
        ) from error
    if empty := [place for place, item in enumerate(inputs) if not item]:
        raise InvalidParameter(f"input[{empty[0]}]", "is empty: leave it out")
    return (inputs, [], single) if isinstance(given[0], str) else ([], inputs, single)


def _reply(fields: Fields) -> EmbeddingReply:
    fields.pop("object", None)
    model, usage = take_text(fields, "model", "") or "", take(fields, "usage")
    vectors = _VECTORS.decode(fields.pop("data", NULL))
    if not vectors:
        raise ProviderFailure(FailureKind.MALFORMED, "the provider's answer has no vector in it")
    if all(vector.index is not None for vector in vectors):
        vectors.sort(key=lambda vector: vector.index or 0)
    return EmbeddingReply(
        model=model,
        vectors=[vector.embedding for vector in vectors],
        usage=read_usage(EMPTY_OBJECT if usage is None else usage),
        extra=fields,
    )


def _as_base64(vector: msgspec.Raw) -> msgspec.Raw:
    if begins(vector, b'"'):
        return vector
    numbers = array("f", _NUMBERS.decode(vector))
    if sys.byteorder == "big":
        numbers.byteswap()
    return msgspec.Raw(encode(b64encode(numbers.tobytes()).decode()))


def _as_numbers(vector: msgspec.Raw) -> msgspec.Raw | list[float]:
    if not begins(vector, b'"'):
        return vector
    numbers = array("f")
    try:
        numbers.frombytes(b64decode(_TEXT.decode(vector), validate=True))
    except (ValueError, binascii.Error) as error:
        raise malformed(error) from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
