"""A provider's whole answer, read.

Normal forms: an empty `content` is as none; missing or null lists are empty. Fields that a message has beside those of
the dialect are kept in `Choice.extra["message"]`, annotations with the text that they annotate. A call to which the
provider gave no id gets one made from the answer's; the older `function_call` is a `ToolCall` with an empty id.
"""

from hashlib import blake2b
from typing import Final

import msgspec

from steward.kit.errors import AppError
from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import Choice, Dialect, ModelReply, Opaque, Part, Refusal, Text, ToolCall, Usage
from steward.services.models.wire.openai.calls import heard_calls, heard_function
from steward.services.models.wire.openai.content import read_content
from steward.services.models.wire.openai.errors import failure_within
from steward.services.models.wire.openai.fields import (
    EMPTY_LIST,
    NULL,
    Fields,
    encode,
    fields_of,
    items_of,
    read,
    take,
    take_text,
)
from steward.services.models.wire.openai.messages_in import ANNOTATIONS
from steward.services.models.wire.openai.stops import read_stop
from steward.services.models.wire.openai.thoughts import take_reasoning
from steward.services.models.wire.openai.usage import read_usage

MESSAGE: Final = "message"
_COUNT: Final = msgspec.json.Decoder(int)
_SECONDS: Final = msgspec.json.Decoder(float)


def read_reply(body: bytes) -> ModelReply:
    """A whole answer. Raises `ProviderFailure`: `MALFORMED`, or what an error within says.

    A provider that told no usage gives one of zeros, which no real answer has.
    """
    try:
        fields = fields_of(body, "")
        if (error := take(fields, "error")) is not None:
            raise failure_within(error)
        return _reply(fields, body)
    except (AppError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(error) from error


def malformed(error: Exception) -> ProviderFailure:
    """What is said of an answer that cannot be read; nothing of the answer itself."""
    return ProviderFailure(FailureKind.MALFORMED, f"the provider's answer is not in OpenAI's form: {error}")


def read_seconds(raw: msgspec.Raw | None) -> int:
    """A time, which some providers write with a fraction; 0 where there is none."""
    return int(_SECONDS.decode(raw)) if raw is not None else 0


def _reply(fields: Fields, body: bytes) -> ModelReply:
    fields.pop("object", None)
    reply_id, model = take_text(fields, "id", "") or "", take_text(fields, "model", "") or ""
    created, usage = read_seconds(take(fields, "created")), take(fields, "usage")
    seed = reply_id or blake2b(body, digest_size=16).hexdigest()
    items = items_of(fields.pop("choices", NULL), "choices")
    if not items:
        raise ProviderFailure(FailureKind.MALFORMED, "the provider's answer has no choice in it")
    return ModelReply(
        id=reply_id,
        model=model,
        choices=[_choice(item, f"choices[{place}]", place, seed) for place, item in enumerate(items)],
        usage=read_usage(usage) if usage is not None else Usage(),
        created=created,
        dialect=Dialect.OPENAI,
        extra=fields,
    )


def _choice(raw: msgspec.Raw, path: str, place: int, seed: str) -> Choice:
    fields = fields_of(raw, path)
    if (error := take(fields, "error")) is not None:
        raise failure_within(error)
    index, logprobs = take(fields, "index"), take(fields, "logprobs")
    word = take_text(fields, "finish_reason", path)
    number = place if index is None else read(_COUNT, index, f"{path}.index")
    message = fields_of(fields.pop("message", NULL), f"{path}.message")
    parts = _parts(message, f"{path}.message", seed, number)
    if message:
        fields[MESSAGE] = msgspec.Raw(encode(message))
    sequence = matched(fields)
    stop, stop_raw = read_stop(
        word,
        calls=any(isinstance(part, ToolCall) for part in parts),
        refused=any(isinstance(part, Refusal) for part in parts),
        sequence=sequence,
    )
    return Choice(
        parts=parts,
        stop=stop,
        index=number,
        stop_raw=stop_raw,
        stop_sequence=sequence,
        logprobs=logprobs,
        extra=fields,
    )


def matched(fields: Fields) -> str | None:
    """The stop sequence that ended the answer, which vLLM and others tell in `stop_reason`."""
    raw = fields.get("stop_reason")
    return msgspec.json.decode(raw, type=str) if raw is not None and bytes(raw)[:1] == b'"' else None


def _parts(message: Fields, path: str, seed: str, choice: int) -> list[Part]:
    message.pop("role", None)
    parts: list[Part] = [*take_reasoning(message, path, empty=False)]
    content, _ = read_content(message.pop("content", NULL), f"{path}.content")
    annotations = take(message, ANNOTATIONS)
    _annotate(content, annotations, message)
    parts += content
    if refusal := take_text(message, "refusal", path):
        parts.append(Refusal(text=refusal))
    if (audio := take(message, "audio")) is not None:
        parts.append(Opaque(dialect=Dialect.OPENAI, type="audio", raw=audio))
    if (calls := take(message, "tool_calls")) is not None:
        parts += heard_calls(calls, f"{path}.tool_calls", seed, choice)
    if (call := take(message, "function_call")) is not None:
        parts.append(heard_function(call, f"{path}.function_call"))
    return parts


def _annotate(content: list[Part], raw: msgspec.Raw | None, message: Fields) -> None:
    if raw is None:
        return
    last = content[-1] if content else None
    if isinstance(last, Text) and raw != EMPTY_LIST:
        content[-1] = Text(text=last.text, cache=last.cache, extra={**last.extra, ANNOTATIONS: raw})
    else:
        message[ANNOTATIONS] = raw
