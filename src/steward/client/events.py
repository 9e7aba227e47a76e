"""Server-sent events, as a stream of bytes is read line by line (WHATWG HTML, section 9.2.6)."""

from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event of a stream."""

    type: str
    data: str


class EventReader:
    """Puts the lines of a stream together to events."""

    def __init__(self) -> None:
        self._type = ""
        self._data: list[str] = []

    def line(self, line: bytes) -> ServerSentEvent | None:
        """The event that this line ends; None when it ends none."""
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            return self._end()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        return None

    def _end(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._type or "message", "\n".join(self._data)) if self._data else None
        self._type, self._data = "", []
        return event
