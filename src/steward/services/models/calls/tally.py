"""What has come of an answer, and what it used as far as one knows."""

from typing import Final

from steward.services.costs.api import CallUsage
from steward.services.models.messages import (
    Delta,
    Finished,
    PartFinished,
    PartStarted,
    Reasoning,
    Started,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)

_SLACK: Final = 256
"""Output tokens that a provider may have made and counted, and that had not come yet."""

NOTHING: Final = CallUsage()


def exact(usage: Usage) -> CallUsage:
    """The provider's own count."""
    return CallUsage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        audio_input_tokens=usage.audio_input_tokens,
        audio_output_tokens=usage.audio_output_tokens,
    )


def is_counted(usage: Usage) -> bool:
    """Whether the provider counted at all: an answer that used nothing was not counted."""
    return bool(usage.input_tokens or usage.output_tokens)


def added(first: Usage, second: Usage) -> Usage:
    """Both together; what a provider counts in its own form is the first one's."""
    return Usage(
        input_tokens=first.input_tokens + second.input_tokens,
        cache_read_tokens=first.cache_read_tokens + second.cache_read_tokens,
        cache_write_tokens=first.cache_write_tokens + second.cache_write_tokens,
        cache_write_1h_tokens=first.cache_write_1h_tokens + second.cache_write_1h_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        reasoning_tokens=first.reasoning_tokens + second.reasoning_tokens,
        audio_input_tokens=first.audio_input_tokens + second.audio_input_tokens,
        audio_output_tokens=first.audio_output_tokens + second.audio_output_tokens,
        extra=first.extra,
    )


class Tally:
    """Counts one stream as it comes."""

    __slots__ = ("bytes", "finished", "id", "model", "reported", "thinks", "usage")

    def __init__(self) -> None:
        self.bytes = 0
        """Of UTF-8, of all that the model wrote."""
        self.finished = 0
        """Choices that are complete."""
        self.usage: Usage | None = None
        """The provider's count so far."""
        self.reported = False
        """Whether `usage` covers all that came: a count at the beginning is none of the output."""
        self.thinks = False
        """Whether the model thinks without showing all of it: then bytes bound nothing."""
        self.id = ""
        self.model = ""

    def note(self, event: StreamEvent) -> None:
        """One more event came."""
        kind = type(event)
        if kind is Delta:
            self.reported = False
            self._delta(event)  # pyright: ignore[reportArgumentType] - its type was just compared
        elif isinstance(event, UsageReport):
            self.usage = event.usage
            self.reported = is_counted(event.usage)
        elif isinstance(event, Finished):
            self.finished += 1
        elif isinstance(event, PartStarted):
            self._part(event.part)
        elif isinstance(event, Started):
            self.id, self.model = event.id, event.model
            self.usage = event.usage or self.usage
        elif isinstance(event, PartFinished) and isinstance(event.part, Reasoning):
            self._part(event.part)

    def bound(self, input_tokens: int, reserved: int, choices: int, *, reads_more: bool = False) -> CallUsage:
        """At most so much was used, where the provider did not say in the end.

        What it said of the input at the beginning counts, unless it `reads_more` on the way.
        """
        known = self.usage
        output = reserved if self.thinks else min(reserved, self.bytes + _SLACK * max(1, choices))
        if known is None:
            return CallUsage(input_tokens=input_tokens, output_tokens=output)
        if known.reasoning_tokens:
            output = reserved
        if not known.input_tokens or reads_more:
            input_tokens = max(input_tokens, known.input_tokens)
            return CallUsage(input_tokens=input_tokens, output_tokens=max(output, known.output_tokens))
        return CallUsage(
            input_tokens=known.input_tokens,
            cache_read_tokens=known.cache_read_tokens,
            cache_write_tokens=known.cache_write_tokens,
            cache_write_1h_tokens=known.cache_write_1h_tokens,
            output_tokens=max(output, known.output_tokens),
            audio_input_tokens=known.audio_input_tokens,
        )

    def _delta(self, delta: Delta) -> None:
        text = delta.text
        if text is not None:
            self.bytes += len(text) if text.isascii() else len(text.encode())
        elif delta.arguments is not None:
            self.bytes += len(delta.arguments.encode())
        elif delta.raw is not None:
            self.bytes += len(memoryview(delta.raw))
        elif delta.signature is not None or delta.summary is not None:
            self.thinks = True

    def _part(self, part: object) -> None:
        if isinstance(part, Text):
            self.bytes += len(part.text.encode())
        elif isinstance(part, ToolCall):
            self.bytes += len(part.name) + len(part.arguments.encode())
        elif isinstance(part, Reasoning):
            self.bytes += len(part.text.encode())
            self.thinks = self.thinks or bool(part.redacted or part.encrypted or part.signature)
