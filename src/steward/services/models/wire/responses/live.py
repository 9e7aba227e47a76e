"""Items of a stream while they grow: each tells its own events and knows what it is at its end."""

from abc import ABC, abstractmethod
from typing import Final, Protocol

import msgspec

from steward.services.models.messages import Delta, Part, Reasoning, Refusal, Text, ToolCall
from steward.services.models.wire.responses.annotations import logprobs_of
from steward.services.models.wire.responses.frames import Frames
from steward.services.models.wire.responses.output import (
    COMPLETED,
    Item,
    call_item,
    content_of,
    message_item,
    other_item,
    reasoning_item,
)

IN_PROGRESS: Final = "in_progress"


class LivePart(Protocol):
    """A part of the answer, wherever it is shown."""

    finished: bool

    def grow(self, delta: Delta) -> None: ...

    def finish(self, whole: Part | None) -> None:
        """It is whole; `whole` is the provider's own word on it. Once only."""
        ...


class LiveItem(ABC):
    """An item that was added. Its parts are finished before it is closed."""

    def __init__(self, frames: Frames, place: int, own_id: str) -> None:
        self.frames = frames
        self.place = place
        self.id = own_id
        self.status = IN_PROGRESS

    @abstractmethod
    def item(self) -> Item:
        """As it is now."""

    @property
    @abstractmethod
    def whole(self) -> bool:
        """Whether all of its parts are finished."""

    @abstractmethod
    def settle(self) -> None:
        """Finish what is not."""

    def open(self) -> None:
        self.frames.add("response.output_item.added", output_index=self.place, item=self.item())

    def close(self, status: str = COMPLETED) -> None:
        self.settle()
        self.status = status
        self.frames.add("response.output_item.done", output_index=self.place, item=self.item())


class MessageItem(LiveItem):
    """Texts and refusals that follow each other."""

    def __init__(self, frames: Frames, place: int, own_id: str) -> None:
        super().__init__(frames, place, own_id)
        self._contents: list[_Content] = []

    def begin(self, part: Text | Refusal) -> LivePart:
        content = _Content(self, len(self._contents), part)
        self._contents.append(content)
        return content

    def item(self) -> Item:
        return message_item(self.id, [one.told() for one in self._contents], self.status, None)

    @property
    def whole(self) -> bool:
        return all(one.finished for one in self._contents)

    def settle(self) -> None:
        for one in self._contents:
            one.finish(None)


class _Content:
    """One text or refusal."""

    def __init__(self, message: MessageItem, index: int, part: Text | Refusal) -> None:
        self.finished = False
        self._frames = message.frames
        self._at = {"item_id": message.id, "output_index": message.place, "content_index": index}
        self._part = part
        self._pieces: list[str] = []
        self._logprobs: list[object] = []
        bare = msgspec.structs.replace(part, text="")
        self._frames.add("response.content_part.added", **self._at, part=content_of(bare))
        if part.text:
            self.grow(Delta(index=0, text=part.text))

    def grow(self, delta: Delta) -> None:
        told = logprobs_of(delta.logprobs)
        self._logprobs += told
        if not delta.text:
            return
        self._pieces.append(delta.text)
        if isinstance(self._part, Refusal):
            self._frames.delta("response.refusal.delta", delta.text, **self._at)
        else:
            self._frames.delta("response.output_text.delta", delta.text, **self._at, logprobs=told)

    def finish(self, whole: Part | None) -> None:
        if self.finished:
            return
        if not self._pieces and isinstance(whole, (Text, Refusal)):
            self.grow(Delta(index=0, text=whole.text))
        self.finished = True
        self._part = msgspec.structs.replace(self._part, text="".join(self._pieces))
        if isinstance(whole, (Text, Refusal)) and whole.text == self._part.text:
            self._part = whole
        if isinstance(self._part, Refusal):
            self._frames.add("response.refusal.done", **self._at, refusal=self._part.text)
        else:
            self._frames.add("response.output_text.done", **self._at, text=self._part.text, logprobs=self._logprobs)
        self._frames.add("response.content_part.done", **self._at, part=self.told())

    def told(self) -> Item:
        if not self.finished:
            return content_of(msgspec.structs.replace(self._part, text="".join(self._pieces)), self._logprobs)
        return content_of(self._part, self._logprobs)


class _Single(LiveItem):
    """An item that is one part."""

    finished = False

    @property
    def whole(self) -> bool:
        return self.finished

    def settle(self) -> None:
        self.finish(None)

    @abstractmethod
    def grow(self, delta: Delta) -> None: ...

    @abstractmethod
    def finish(self, whole: Part | None) -> None: ...


class CallItem(_Single):
    """A tool call."""

    def __init__(self, frames: Frames, place: int, own_id: str, part: ToolCall) -> None:
        super().__init__(frames, place, own_id)
        self._part = msgspec.structs.replace(part, arguments="")
        self._pieces: list[str] = []
        self._kind = "response.custom_tool_call_input" if part.custom else "response.function_call_arguments"
        self.open()
        if part.arguments:
            self._tell(part.arguments)

    def item(self) -> Item:
        return call_item(self._part, self.id, self.status)

    def grow(self, delta: Delta) -> None:
        if delta.arguments and not self.finished:
            self._tell(delta.arguments)

    def finish(self, whole: Part | None) -> None:
        if self.finished:
            return
        self.finished = True
        if not self._pieces:
            given = whole.arguments if isinstance(whole, ToolCall) else ""
            self._tell_all(given if given or self._part.custom else "{}")
        self._part = msgspec.structs.replace(self._part, arguments="".join(self._pieces))
        field = "input" if self._part.custom else "arguments"
        told = {field: self._part.arguments}
        self.frames.add(f"{self._kind}.done", item_id=self.id, output_index=self.place, **told)

    def _tell_all(self, arguments: str) -> None:
        if arguments:
            self._tell(arguments)

    def _tell(self, piece: str) -> None:
        self._pieces.append(piece)
        self.frames.delta(f"{self._kind}.delta", piece, item_id=self.id, output_index=self.place)


class ReasoningItem(_Single):
    """What the model thought: its text, its summary in paragraphs, and the proof of both."""

    def __init__(self, frames: Frames, place: int, own_id: str, part: Reasoning) -> None:
        super().__init__(frames, place, own_id)
        self._part = part
        self._text: list[str] = []
        self._signature: list[str] = []
        self._summary: list[list[str]] = []
        self._at = {"item_id": own_id, "output_index": place}
        self._part = msgspec.structs.replace(part, text="", summary=())
        self.open()
        for paragraph in part.summary:
            self._summarise(paragraph, new=True)
        if part.text:
            self._think(part.text)

    def item(self) -> Item:
        return reasoning_item(self._part, self.id, self.status)

    def grow(self, delta: Delta) -> None:
        if self.finished:
            return
        if delta.text:
            self._think(delta.text)
        if delta.signature:
            self._signature.append(delta.signature)
        if delta.summary is not None:
            self._summarise(delta.summary, new=delta.new_summary)

    def finish(self, whole: Part | None) -> None:
        if self.finished:
            return
        if not self._text and isinstance(whole, Reasoning) and whole.text:
            self._think(whole.text)
        self.finished = True
        if self._text:
            text = "".join(self._text)
            self.frames.add("response.reasoning_text.done", **self._at, content_index=0, text=text)
            part = {"type": "reasoning_text", "text": text}
            self.frames.add("response.content_part.done", **self._at, content_index=0, part=part)
        self._end_paragraph()
        if isinstance(whole, Reasoning):
            self._part = whole
            return
        self._part = msgspec.structs.replace(
            self._part,
            text="".join(self._text),
            signature="".join(self._signature) or self._part.signature,
            summary=tuple("".join(one) for one in self._summary),
        )

    def _think(self, piece: str) -> None:
        if not self._text:
            part = {"type": "reasoning_text", "text": ""}
            self.frames.add("response.content_part.added", **self._at, content_index=0, part=part)
        self._text.append(piece)
        self.frames.delta("response.reasoning_text.delta", piece, **self._at, content_index=0)

    def _summarise(self, piece: str, *, new: bool) -> None:
        if new or not self._summary:
            self._end_paragraph()
            self._summary.append([])
            self._tell_paragraph("response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""})
        self._summary[-1].append(piece)
        index = len(self._summary) - 1
        self.frames.delta("response.reasoning_summary_text.delta", piece, **self._at, summary_index=index)

    def _end_paragraph(self) -> None:
        if self._summary:
            text = "".join(self._summary[-1])
            self._tell_paragraph("response.reasoning_summary_text.done", text=text)
            self._tell_paragraph("response.reasoning_summary_part.done", part={"type": "summary_text", "text": text})

    def _tell_paragraph(self, kind: str, **fields: object) -> None:
        self.frames.add(kind, **self._at, summary_index=len(self._summary) - 1, **fields)


class OtherItem(_Single):
    """A part of another kind: it is shown as it is at its end."""

    def __init__(self, frames: Frames, place: int, own_id: str, part: Part) -> None:
        super().__init__(frames, place, own_id)
        self.part = part
        self.open()

    def grow(self, delta: Delta) -> None:
        """What it grows by only its dialect understands; its end has it all."""

    def finish(self, whole: Part | None) -> None:
        if not self.finished and whole is not None:
            self.part = whole
        self.finished = True

    def item(self) -> Item:
        return other_item(self.part, self.id, self.status)
