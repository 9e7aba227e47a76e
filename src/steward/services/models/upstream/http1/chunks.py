"""A body in chunks (RFC 9112, section 7.1), read as it comes."""

import re

from steward.services.models.upstream.http1.head import FIELDS, MAX_HEAD_BYTES, BadAnswer

_LINE_END = b"\r\n"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_SIZE = re.compile(
    rb"([0-9A-Fa-f]{1,16})[ \t]*+(?:;%b(?:=(?:%b|\"[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]*+\"))?+)*+"
    % (_TOKEN, _TOKEN)
)
"""With extensions, which say nothing here."""
_PLAIN = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n")
_MAX_LINE_BYTES = 4096
_SHOWN = 40


class Chunks:
    """Finds the data in what comes; `rest` is what came behind the end."""

    __slots__ = ("_at_end", "_held", "_in_trailer", "_left", "done", "rest")

    def __init__(self) -> None:
        self._held = b""
        """Of a line that is not complete."""
        self._left = 0
        """Bytes of the chunk at hand that are still to come."""
        self._at_end = False
        """Whether the line end behind a chunk's data is next."""
        self._in_trailer = False
        self.done = False
        self.rest = b""

    def feed(self, data: bytes, pieces: list[bytes]) -> None:
        """Append the data of the chunks to `pieces`. Raises `BadAnswer`."""
        if self._held:
            data, self._held = self._held + data, b""
        at, end = 0, len(data)
        while at < end and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._at_end = not self._left
            elif self._at_end:
                at = self._line_end(data, at)
            elif self._in_trailer:
                at = self._trailer(data, at)
            else:
                at = self._size(data, self._whole(data, at, pieces))
            if at < 0:
                return
        if at < end:
            self.rest = data[at:]

    def _whole(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take the chunks that are there with their ends, as nearly all are; where what is left begins."""
        while (begin := _PLAIN.match(data, at)) is not None:
            size, start = int(begin[1], 16), begin.end()
            stop = start + size
            if not size or not data.startswith(_LINE_END, stop):
                break
            pieces.append(data[start:stop])
            at = stop + len(_LINE_END)
        return at

    def _size(self, data: bytes, at: int) -> int:
        stop = data.find(_LINE_END, at, at + _MAX_LINE_BYTES)
        if stop < 0:
            return self._hold(data, at, _MAX_LINE_BYTES)
        said = _SIZE.fullmatch(data, at, stop)
        if said is None:
            raise BadAnswer(f"a chunk of the answer begins with {data[at : min(stop, at + _SHOWN)]!r}")
        self._left = int(said[1], 16)
        self._in_trailer = not self._left
        # The line end stays where a trailer follows, for each of its lines is read behind one.
        return stop if self._in_trailer else stop + len(_LINE_END)

    def _line_end(self, data: bytes, at: int) -> int:
        if not data.startswith(_LINE_END, at):
            if data[at:] == b"\r":
                return self._hold(data, at, _MAX_LINE_BYTES)
            raise BadAnswer("a chunk of the answer is longer than its size says")
        self._at_end = False
        return at + len(_LINE_END)

    def _trailer(self, data: bytes, at: int) -> int:
        """Fields behind the last chunk say nothing here."""
        stop = data.find(b"\r\n\r\n", at, at + MAX_HEAD_BYTES)
        if stop < 0:
            return self._hold(data, at, MAX_HEAD_BYTES)
        if FIELDS.fullmatch(data, at, stop) is None:
            raise BadAnswer("the fields behind the last chunk of the answer are none")
        self.done = True
        return stop + 4

    def _hold(self, data: bytes, at: int, most: int) -> int:
        self._held = data[at:]
        if len(self._held) >= most:
            raise BadAnswer(f"a chunk of the answer has a line of more than {most} bytes")
        return -1
