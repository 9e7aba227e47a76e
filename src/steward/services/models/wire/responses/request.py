"""A request's parameters."""

from collections.abc import Mapping
from typing import Final

from steward.kit.errors import MalformedRequest
from steward.services.models.errors import InvalidParameter, UnsupportedParameter
from steward.services.models.messages import Dialect, Message, ModelRequest, Role, Text
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.responses.echo import echo_of
from steward.services.models.wire.responses.fields import Fields
from steward.services.models.wire.responses.items import messages_of
from steward.services.models.wire.responses.options import format_of, picked, thinking_of, tools_of

_NO_STORE: Final = "no responses are kept here: send the items again in `input`"
_REFUSED: Final[Mapping[str, str]] = {
    "previous_response_id": _NO_STORE,
    "conversation": _NO_STORE,
    "prompt": "no prompts are kept here: send its text in `instructions`",
}
_LOGPROBS: Final = "message.output_text.logprobs"
_INCLUDED_ANYHOW: Final = frozenset(("reasoning.encrypted_content", "message.input_image.image_url"))
_MOST_TOKENS: Final = 10_000_000
_MOST_LABELS: Final = 16
_LABEL: Final = 64
_LABEL_VALUE: Final = 512


def asked_of(body: bytes) -> Asked:
    """Raises `InvalidParameter`, `UnsupportedParameter`, and `MalformedRequest` for what is not UTF-8."""
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: byte {error.start} begins no character") from error
    fields = Fields.of(body)
    repeated = fields.copy()
    _refuse(fields)
    stream, obfuscation = _streaming(fields)
    request = _request(fields)
    return Asked(request=request, stream=stream, include_obfuscation=obfuscation, echo=echo_of(repeated))


def _request(fields: Fields) -> ModelRequest:
    """`store` and `truncation` allow what is not done here: no provider is told of them."""
    choice = picked(fields, tools_of(fields))
    logprobs, top_logprobs = _logprobs(fields)
    text = fields.object("text")
    output = format_of(text) if text else None
    verbosity = text.text("verbosity") if text else None
    if text and (left := text.rest()):
        raise UnsupportedParameter(text.name(next(iter(left))), "leave it out")
    return ModelRequest(
        model=fields.needed("model"),
        messages=_messages(fields),
        dialect=Dialect.RESPONSES,
        max_output_tokens=fields.count("max_output_tokens", least=1, most=_MOST_TOKENS),
        temperature=fields.number("temperature", least=0, most=2),
        top_p=fields.number("top_p", least=0, most=1),
        tools=choice.tools,
        tool_choice=choice.choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        output=output,
        thinking=thinking_of(fields),
        frequency_penalty=fields.number("frequency_penalty", least=-2, most=2),
        presence_penalty=fields.number("presence_penalty", least=-2, most=2),
        logprobs=logprobs,
        top_logprobs=top_logprobs,
        user=fields.text("user"),
        metadata=_labels(fields),
        service_tier=fields.text("service_tier"),
        verbosity=verbosity,
        extra=fields.rest(),
    )


def _messages(fields: Fields) -> list[Message]:
    instructions = fields.text("instructions")
    found = messages_of(fields)
    if instructions:
        found.insert(0, Message(role=Role.SYSTEM, parts=(Text(text=instructions),), plain=True))
    if not found:
        raise InvalidParameter("input", "is missing: give a string or a list of items")
    return found


def _refuse(fields: Fields) -> None:
    for name, remedy in _REFUSED.items():
        if fields.raw(name) is not None:
            raise UnsupportedParameter(name, remedy)
    if fields.flag("background"):
        raise UnsupportedParameter("background", "leave it out, or use POST /v1/batches for work without haste")
    fields.flag("store")
    fields.one_of("truncation", ("auto", "disabled"))


def _streaming(fields: Fields) -> tuple[bool, bool]:
    stream = fields.flag("stream") or False
    options = fields.object("stream_options")
    if options is None:
        return stream, False
    obfuscation = options.flag("include_obfuscation") or False
    if left := options.rest():
        raise UnsupportedParameter(options.name(next(iter(left))), "leave it out")
    return stream, obfuscation


def _logprobs(fields: Fields) -> tuple[bool | None, int | None]:
    """From `include` and `top_logprobs`: whether they are wanted, and how many."""
    wanted = False
    for place, name in enumerate(fields.texts("include")):
        if name == _LOGPROBS:
            wanted = True
        elif name not in _INCLUDED_ANYHOW:
            raise UnsupportedParameter(f"include[{place}] {name[:80]!r}", "leave it out")
    top = fields.count("top_logprobs", least=0, most=20)
    return (True, top) if wanted or top else (None, None)


def _labels(fields: Fields) -> Mapping[str, str] | None:
    labels = fields.labels("metadata")
    if labels is None:
        return None
    if len(labels) > _MOST_LABELS:
        raise InvalidParameter("metadata", f"has {len(labels)} pairs, at most {_MOST_LABELS} can be")
    for name, value in labels.items():
        if len(name) > _LABEL or len(value) > _LABEL_VALUE:
            raise InvalidParameter(
                f"metadata.{name[:_LABEL]}", f"is too long: {_LABEL} characters a name and {_LABEL_VALUE} a value"
            )
    return labels
