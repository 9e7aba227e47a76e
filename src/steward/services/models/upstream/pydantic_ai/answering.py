"""The library's answers in our words."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.messages import (
    Choice,
    Delta,
    Finished,
    Image,
    ModelReply,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)
from steward.services.models.upstream.pydantic_ai.library import Library

if TYPE_CHECKING:
    from pydantic_ai import messages as theirs
    from pydantic_ai.usage import RequestUsage

_REDACTED = "redacted_thinking"
_STOPS: Mapping[str, StopReason] = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "content_filter": StopReason.FILTERED,
    "tool_call": StopReason.TOOL_CALLS,
    "error": StopReason.OTHER,
}


class Answering:
    """Turns the parts and events of one answer."""

    def __init__(self, library: Library) -> None:
        self._theirs = library.messages

    def reply(self, response: "theirs.ModelResponse", name: str) -> ModelReply:
        """A whole answer. Raises `ProviderFailure` for a part that nothing asked for."""
        parts = [self._part(part) for part in response.parts]
        if refusal := _refusal(response):
            parts.append(Refusal(text=refusal))
        return ModelReply(
            id=response.provider_response_id or "",
            model=response.model_name or "",
            created=int(response.timestamp.timestamp()),
            provider=name,
            usage=usage_of(response.usage),
            choices=[Choice(parts=parts, stop=_stop(response), stop_raw=_stop_raw(response))],
        )

    def events(self, event: "theirs.ModelResponseStreamEvent") -> Iterator[StreamEvent]:
        """What one event of theirs says."""
        match event:
            case self._theirs.PartStartEvent(index=index, part=part):
                yield from self._begun(index, self._part(part, whole=False))
            case self._theirs.PartDeltaEvent(index=index, delta=delta):
                yield from self._grown(index, delta)
            case self._theirs.PartEndEvent(index=index):
                yield PartFinished(index=index)
            case _:
                return

    def ending(self, response: "theirs.ModelResponse") -> Iterator[StreamEvent]:
        """What is said when all parts are complete."""
        if refusal := _refusal(response):
            index = len(response.parts)
            yield from self._begun(index, Refusal(text=refusal))
            yield PartFinished(index=index)
        yield Finished(stop=_stop(response), stop_raw=_stop_raw(response))
        yield UsageReport(usage=usage_of(response.usage))

    def _part(self, part: "theirs.ModelResponsePart", *, whole: bool = True) -> Part:
        match part:
            case self._theirs.TextPart(content=text):
                return Text(text=text)
            case self._theirs.ThinkingPart(id=ident, signature=signature) if ident == _REDACTED:
                return Reasoning(redacted=signature)
            case self._theirs.ThinkingPart(content=text, id=ident, signature=signature):
                return Reasoning(text=text, id=ident, signature=signature)
            case self._theirs.ToolCallPart(tool_name=name, tool_call_id=ident):
                return ToolCall(id=ident, name=name, arguments=_arguments(part.args, whole=whole))
            case self._theirs.FilePart(content=content):
                return Image(data=b64encode(content.data).decode(), media_type=content.media_type)
            case _:
                message = f"the provider sent a part of kind {part.part_kind!r}, which was not asked for"
                raise ProviderFailure(FailureKind.MALFORMED, message)

    def _begun(self, index: int, part: Part) -> Iterator[StreamEvent]:
        """A part begins without its text, which follows as a delta."""
        match part:
            case Text(text=text) | Refusal(text=text):
                yield PartStarted(index=index, part=msgspec.structs.replace(part, text=""))
                if text:
                    yield Delta(index=index, text=text)
            case Reasoning(text=text, signature=signature):
                yield PartStarted(index=index, part=msgspec.structs.replace(part, text="", signature=None))
                if text:
                    yield Delta(index=index, text=text)
                if signature:
                    yield Delta(index=index, signature=signature)
            case ToolCall(arguments=arguments):
                yield PartStarted(index=index, part=msgspec.structs.replace(part, arguments=""))
                if arguments:
                    yield Delta(index=index, arguments=arguments)
            case _:
                yield PartStarted(index=index, part=part)

    def _grown(self, index: int, delta: "theirs.ModelResponsePartDelta") -> Iterator[StreamEvent]:
        match delta:
            case self._theirs.TextPartDelta(content_delta=text) if text:
                yield Delta(index=index, text=text)
            case self._theirs.ThinkingPartDelta(content_delta=text, signature_delta=signature):
                if text:
                    yield Delta(index=index, text=text)
                if signature:
                    yield Delta(index=index, signature=signature)
            case self._theirs.ToolCallPartDelta(args_delta=arguments) if arguments:
                yield Delta(index=index, arguments=_arguments(arguments, whole=False))
            case _:
                return


def usage_of(usage: "RequestUsage") -> Usage:
    """Tokens by class; theirs count those newly cached for an hour among those newly cached."""
    return Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=max(0, usage.cache_write_tokens - usage.cache_write_1h_tokens),
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.output_reasoning_tokens,
        audio_input_tokens=usage.input_audio_tokens,
        audio_output_tokens=usage.output_audio_tokens,
    )


def _arguments(given: object, *, whole: bool) -> str:
    if isinstance(given, str):
        return given
    if not given:
        return "{}" if whole else ""
    return msgspec.json.encode(given).decode()


def _stop(response: "theirs.ModelResponse") -> StopReason:
    if _refusal(response):
        return StopReason.REFUSED
    stop = _STOPS.get(response.finish_reason or "", StopReason.OTHER)
    # Some providers, such as Google and OpenAI's Responses, end calls of tools like any other answer.
    return StopReason.TOOL_CALLS if stop is StopReason.END and response.tool_calls else stop


def _stop_raw(response: "theirs.ModelResponse") -> str | None:
    raw = (response.provider_details or {}).get("finish_reason")
    return raw if isinstance(raw, str) else None


def _refusal(response: "theirs.ModelResponse") -> str:
    """OpenAI's words by which the model refuses; the library keeps them beside the parts."""
    words = (response.provider_details or {}).get("refusal")
    return words if isinstance(words, str) else ""
