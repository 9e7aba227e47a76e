"""The dialect's stream: events of the message model as server-sent events with semantic types."""

from collections.abc import Mapping
from typing import Final

import msgspec

from steward.kit.clock import Clock
from steward.kit.ids import Ids
from steward.services.models.messages import (
    Delta,
    Dialect,
    Extra,
    Failed,
    Finished,
    Part,
    PartFinished,
    PartStarted,
    Reasoning,
    Refusal,
    Started,
    StopReason,
    StreamEvent,
    Text,
    ToolCall,
    Usage,
    UsageReport,
)
from steward.services.models.wire.openai.errors import write_failed
from steward.services.models.wire.ports import Asked
from steward.services.models.wire.responses.frames import DONE, Frames
from steward.services.models.wire.responses.live import (
    IN_PROGRESS,
    CallItem,
    LiveItem,
    LivePart,
    MessageItem,
    OtherItem,
    ReasoningItem,
)
from steward.services.models.wire.responses.output import (
    COMPLETED,
    INCOMPLETE,
    call_item_id,
    incomplete_reason,
    item_id,
    tier_of,
    usage_of,
)
from steward.services.models.wire.responses.response import Head, seconds

_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RATE_CODES: Final = frozenset(("providers_busy", "rate_limited"))


class ResponsesStream:
    """One answer's stream. A `StreamEncoder`.

    An item is closed when the next one begins or the answer ends, for only then it is known whether it is whole. What
    the dialect has no choice about (`n`) is choice 0.
    """

    def __init__(self, asked: Asked, *, clock: Clock, ids: Ids) -> None:
        self._asked = asked
        self._clock = clock
        self._ids = ids
        self._frames = Frames(ids if asked.include_obfuscation else None)
        self._head: Head | None = None
        self._items: list[LiveItem] = []
        self._open: list[LiveItem] = []
        self._message: MessageItem | None = None
        """The one that the next text belongs to."""
        self._parts: dict[int, LivePart] = {}
        self._refused = False
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._dialect: Dialect | None = None
        self._extra: Extra = {}

    def encode(self, event: StreamEvent) -> bytes:
        if getattr(event, "choice", 0):
            return b""
        match event:
            case Delta():
                self._parts[event.index].grow(event)
            case PartStarted():
                self._begin(event.index, event.part)
            case PartFinished():
                self._parts[event.index].finish(event.part)
            case Started():
                self._start(event)
            case Finished():
                self._finish(event.stop)
            case UsageReport():
                self._usage = event.usage
                self._extra = {**self._extra, **event.extra}
            case Failed():
                return self._fail(event)
        return self._frames.take()

    def end(self) -> bytes:
        """The whole response once more, and `[DONE]`."""
        self._close_all(COMPLETED)
        reason = self._reason
        status = INCOMPLETE if reason else COMPLETED
        self._frames.add(f"response.{status}", response=self._response(status))
        return self._frames.take() + DONE

    def _start(self, event: Started) -> None:
        self._head = Head.new(
            self._asked,
            self._ids,
            self._clock,
            model=event.model,
            created=event.created,
            from_cache=event.from_cache,
        )
        self._dialect = event.dialect
        self._extra = event.extra
        response = self._response(IN_PROGRESS)
        self._frames.add("response.created", response=response)
        self._frames.add("response.in_progress", response=response)

    def _begin(self, index: int, part: Part) -> None:
        if isinstance(part, (Text, Refusal)):
            self._refused = self._refused or isinstance(part, Refusal)
            self._parts[index] = self._message_item().begin(part)
            return
        self._message = None
        self._close_whole()
        place, base = len(self._items), self._require_head().base
        match part:
            case ToolCall():
                item = CallItem(self._frames, place, call_item_id(part, base, place), part)
            case Reasoning():
                item = ReasoningItem(self._frames, place, part.id or item_id("rs", base, place), part)
            case _:
                item = OtherItem(self._frames, place, item_id("ext", base, place), part)
        self._parts[index] = item
        self._add(item)

    def _message_item(self) -> MessageItem:
        """The open message, or a new one."""
        if self._message is None:
            self._close_whole()
            place = len(self._items)
            self._message = MessageItem(self._frames, place, item_id("msg", self._require_head().base, place))
            self._message.open()
            self._add(self._message)
        return self._message

    def _add(self, item: LiveItem) -> None:
        self._items.append(item)
        self._open.append(item)

    def _close_whole(self) -> None:
        """Another item begins: those that are whole are complete."""
        for item in self._open:
            if item.whole:
                item.close()
        self._open = [item for item in self._open if item.status == IN_PROGRESS]

    def _close_all(self, last: str) -> None:
        for item in self._open:
            item.close(last if item is self._items[-1] else COMPLETED)
        self._open = []
        self._message = None

    def _finish(self, stop: StopReason) -> None:
        self._reason = incomplete_reason(stop, refused=self._refused)
        self._close_all(INCOMPLETE if self._reason else COMPLETED)

    def _fail(self, event: Failed) -> bytes:
        """An `error` event in both forms in use, OpenAI's flat one and Open Responses' object; the failed response."""
        self._require_head()
        error = _object.decode(write_failed(event))["error"]
        self._frames.add("error", code=event.code, message=event.message, param=None, error=error)
        for item in self._open:
            item.status = INCOMPLETE
        code = "rate_limit_exceeded" if event.code in _RATE_CODES else "server_error"
        told = {"code": code, "message": event.message, "type": event.code}
        self._frames.add("response.failed", response=self._response("failed", error=told))
        return self._frames.take() + DONE

    def _require_head(self) -> Head:
        if self._head is None:
            self._start(Started(id="", model=self._asked.request.model))
        assert self._head is not None  # set just now
        return self._head

    def _response(self, status: str, *, error: Mapping[str, object] | None = None) -> Mapping[str, object]:
        return self._require_head().response(
            status=status,
            output=[item.item() for item in self._items],
            usage=None if self._usage is None else usage_of(self._usage),
            completed=seconds(self._clock) if status == COMPLETED else None,
            incomplete=self._reason,
            error=error,
            tier=tier_of(self._dialect, self._extra),
        )
