"""Reading one answer from the bytes of its connection, in whatever pieces they come."""

from steward.services.models.upstream.http1.chunks import Chunks
from steward.services.models.upstream.http1.head import CHUNKED, MAX_HEAD_BYTES, UNTIL_CLOSE, BadAnswer, Head, read_head

_HEAD_END = b"\r\n\r\n"
_OK = 200


class AnswerReader:
    """Fed by a connection; `pieces` is what came of the body and was not taken yet."""

    __slots__ = ("_chunks", "_held", "_left", "_skipped", "done", "head", "keep", "pieces", "size")

    def __init__(self) -> None:
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        self.size = 0
        """Bytes of the body that came."""
        self.done = False
        self.keep = False
        """Whether the connection may be used again; known when done."""
        self._held = b""
        self._skipped = 0
        self._left = 0
        self._chunks: Chunks | None = None

    def feed(self, data: bytes) -> None:
        """More of it. Raises `BadAnswer`."""
        head = self.head
        if head is None:
            begin = self._begin(data)
            if begin is None:
                return
            head, data = begin
            if not data and not self.done:
                return
        if self.done:
            # What nobody asked for: the connection cannot be trusted any more.
            self.keep = self.keep and not data
        elif head.length == CHUNKED:
            self._feed_chunks(data)
        elif head.length == UNTIL_CLOSE:
            self._add(data)
        else:
            piece = data if len(data) <= self._left else data[: self._left]
            self._add(piece)
            self._left -= len(piece)
            if not self._left:
                self._finish(surplus=len(data) > len(piece))

    def end(self) -> bool:
        """The connection ended; whether the answer is whole."""
        if not self.done and self.head is not None and self.head.length == UNTIL_CLOSE:
            self.done = True
        self.keep = False
        return self.done

    def take(self) -> bytes:
        """What came of the body and was not taken yet."""
        pieces = self.pieces
        if not pieces:
            return b""
        self.pieces = []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and what came behind it, when the head is complete. Interim answers (1xx) are passed over."""
        if self._held:
            data = self._held + data
        while (end := data.find(_HEAD_END, 0, MAX_HEAD_BYTES - self._skipped)) >= 0:
            head = read_head(data[:end])
            data = data[end + len(_HEAD_END) :]
            if head.status >= _OK:
                self._held = b""
                self._open(head)
                return head, data
            self._skipped += end + len(_HEAD_END)
        if len(data) >= MAX_HEAD_BYTES - self._skipped:
            raise BadAnswer(f"the head of the answer has more than {MAX_HEAD_BYTES} bytes")
        self._held = data
        return None

    def _open(self, head: Head) -> None:
        self.head = head
        if head.length == CHUNKED:
            self._chunks = Chunks()
        elif head.length != UNTIL_CLOSE:
            self._left = head.length
            if not head.length:
                self._finish(surplus=False)

    def _feed_chunks(self, data: bytes) -> None:
        chunks = self._chunks
        if chunks is None:
            return
        pieces = self.pieces
        known = len(pieces)
        chunks.feed(data, pieces)
        for piece in pieces[known:]:
            self.size += len(piece)
        if chunks.done:
            self._finish(surplus=bool(chunks.rest))

    def _add(self, piece: bytes) -> None:
        if piece:
            self.pieces.append(piece)
            self.size += len(piece)

    def _finish(self, *, surplus: bool) -> None:
        self.done = True
        self.keep = self.head is not None and self.head.keep and not surplus
