"""Several streams shown as one: what ends a part or the answer is held back until it is known to be the end."""

from collections.abc import Sequence

import msgspec

from steward.services.models.calls.continuing import without_overlap
from steward.services.models.calls.tally import added
from steward.services.models.messages import (
    Delta,
    Finished,
    PartFinished,
    PartStarted,
    Started,
    StopReason,
    StreamEvent,
    Text,
    Usage,
    UsageReport,
)


class Joined:
    """An answer of one choice that may be continued: a continuation's first text is more of the last part."""

    def __init__(self) -> None:
        self._only_text = True
        self._parts: list[list[str]] = []
        self._last = -1
        """Index of the last part that was shown."""
        self._shift: int | None = 0
        """From the indices of this stream to those of the answer; None until a continuation shows its first part."""
        self._tail = ""
        """White space at the end of what was shown, which the continuation may write again."""
        self._part_end: PartFinished | None = None
        self._finish: list[StreamEvent] = []
        self._finish_before: list[StreamEvent] = []
        self._usage_before: Usage | None = None

    @property
    def text(self) -> str:
        """All that was shown."""
        return "".join("".join(part) for part in self._parts)

    @property
    def cut(self) -> bool:
        """Whether the answer was cut for its length and is nothing but text."""
        length = any(isinstance(event, Finished) and event.stop is StopReason.LENGTH for event in self._finish)
        return length and self._only_text and bool(self.text.strip())

    def shown(self, event: StreamEvent) -> Sequence[StreamEvent]:
        """What the reader sees of an event now."""
        if isinstance(event, Delta):
            return self._delta(event)
        if isinstance(event, PartStarted):
            return self._part(event)
        if isinstance(event, PartFinished):
            before = self._flushed(self._index(event.index))
            self._part_end = msgspec.structs.replace(event, index=self._index(event.index))
            return before
        if isinstance(event, Started):
            return () if self._parts else (event,)
        self._finish.append(event)
        return ()

    def goes_on(self) -> None:
        """A continuation begins."""
        text = self.text
        self._tail = text[len(text.rstrip()) :]
        self._usage_before = self._usage()
        self._finish_before, self._finish = self._finish, []
        self._shift = None

    def abandon(self) -> None:
        """The continuation broke off: the answer ends as it would have without it, after what was shown of it."""
        usage = self._usage()
        self._finish = [event for event in self._finish_before if not isinstance(event, UsageReport)]
        self._usage_before = None
        if usage is not None:
            self._finish.append(UsageReport(usage=usage))

    def ending(self) -> Sequence[StreamEvent]:
        """What was held back: the answer ends here."""
        usage = self._usage()
        events: list[StreamEvent] = [*self._flushed(None)]
        reports = [event for event in self._finish if isinstance(event, UsageReport)]
        events.extend(event for event in self._finish if not isinstance(event, UsageReport))
        if usage is not None:
            events.append(msgspec.structs.replace(reports[-1], usage=usage) if reports else UsageReport(usage=usage))
        return events

    def _usage(self) -> Usage | None:
        """Of all streams so far."""
        last = next((event.usage for event in reversed(self._finish) if isinstance(event, UsageReport)), None)
        if last is None or self._usage_before is None:
            return last or self._usage_before
        return added(self._usage_before, last)

    def _part(self, event: PartStarted) -> Sequence[StreamEvent]:
        text = event.part.text if isinstance(event.part, Text) else None
        if self._shift is None:
            joins = text is not None and self._only_text
            self._shift = self._last if joins else self._last + 1
            if joins:
                return self._more(Delta(index=self._last, text=text))
        index = self._index(event.index)
        events = self._flushed(index)
        self._only_text = self._only_text and text is not None
        self._parts.append([text or ""])
        self._last = index
        self._tail = ""
        return [*events, msgspec.structs.replace(event, index=index)]

    def _delta(self, event: Delta) -> Sequence[StreamEvent]:
        index = self._index(event.index)
        if index == self._last and event.text is not None:
            return self._more(event if index == event.index else msgspec.structs.replace(event, index=index))
        return [*self._flushed(index), msgspec.structs.replace(event, index=index)]

    def _more(self, event: Delta) -> Sequence[StreamEvent]:
        """More text of the last part."""
        text = event.text or ""
        if self._tail:
            self._tail, text = without_overlap(self._tail, text)
            event = msgspec.structs.replace(event, text=text)
        if not text:
            return ()
        self._parts[-1].append(text)
        return (event,)

    def _index(self, index: int) -> int:
        return index + (self._shift or 0)

    def _flushed(self, index: int | None) -> Sequence[StreamEvent]:
        """The end of the part before, where it is certain now, as another part goes on or none."""
        end = self._part_end
        if end is None or end.index == index:
            return ()
        self._part_end = None
        if isinstance(end.part, Text) and end.index == self._last:
            end = msgspec.structs.replace(end, part=msgspec.structs.replace(end.part, text="".join(self._parts[-1])))
        return (end,)
