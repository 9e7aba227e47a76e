"""Server-sent events, read piece by piece (WHATWG HTML, section 9.2.6 "Interpreting an event stream")."""

import codecs
from collections.abc import Sequence
from typing import Final

from steward.services.models.failures import FailureKind, ProviderFailure
from steward.services.models.wire.ports import ServerEvent

MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
"""A provider's largest event that is read when nobody says otherwise: an image that a model made fits in."""

_DATA: Final = b"data: "
_END: Final = b"\n\n"
_SHORTEST: Final = len(_DATA) + len(_END)


def _is_one_line_of_data(piece: bytes) -> bool:
    """Whether the piece is just an event with one line of data."""
    return (
        piece.startswith(_DATA)
        and piece.endswith(_END)
        and piece.find(b"\n") == len(piece) - len(_END)
        and b"\r" not in piece
    )


class EventParser:
    """Reads one stream, whose pieces may end at any byte, within a character or between CR and LF too.

    Fields `id` and `retry` are of no use here and are passed over. Data are handed on as bytes; what reads them finds
    broken UTF-8. An event that the end of the stream cuts is not told, as the standard wants it; one whose data are
    empty is not told either, for some providers send such to keep a connection open and to no dialect it means
    anything.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._pieces: list[bytes] = []
        """Of the line that is not ended yet."""
        self._held = 0
        """Bytes of the event that is not ended yet, its unfinished line included."""
        self._data: list[bytes] = []
        self._event = ""
        self._begun = False
        self._skip_lf = False

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """The events that `piece` completes. Raises `ProviderFailure` when one event passes the bound."""
        if self._begun and self._held == 0 and not self._skip_lf and _is_one_line_of_data(piece):
            # What nearly all pieces are.
            self._hold(len(piece))
            self._held = 0
            return [ServerEvent(piece[len(_DATA) : -len(_END)], self._event)] if len(piece) > _SHORTEST else []
        if self._skip_lf and piece:
            self._skip_lf = False
            piece = piece.removeprefix(b"\n")
        found: list[ServerEvent] = []
        if b"\r" in piece:
            self._skip_lf = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = piece.split(b"\n")
        rest = lines.pop()
        for line in lines:
            self._line(self._whole(line), found)
        if rest:
            self._pieces.append(rest)
            self._hold(len(rest))
        return found

    def _whole(self, line: bytes) -> bytes:
        if self._pieces:
            self._held -= sum(map(len, self._pieces))
            self._pieces.append(line)
            line = b"".join(self._pieces)
            self._pieces.clear()
        if not self._begun:
            self._begun = True
            line = line.removeprefix(codecs.BOM_UTF8)
        return line

    def _line(self, line: bytes, found: list[ServerEvent]) -> None:
        if not line:
            self._dispatch(found)
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._hold(len(line))
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._hold(len(line))
            self._event = value.removeprefix(b" ").decode(errors="replace")

    def _dispatch(self, found: list[ServerEvent]) -> None:
        data: Sequence[bytes] = self._data
        if data and (len(data) > 1 or data[0]):
            found.append(ServerEvent(data[0] if len(data) == 1 else b"\n".join(data), self._event))
        if data:
            self._data = []
        self._event = ""
        self._held = 0

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._max:
            raise ProviderFailure(
                FailureKind.MALFORMED, f"the provider sent an event of more than {self._max} bytes, which is the limit"
            )
