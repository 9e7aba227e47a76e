"""The lines of a batch's file: one request each (OpenAI's form of a batch's input)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

EMBEDDINGS: Final = "/v1/embeddings"
ENDPOINTS: Final = ("/v1/chat/completions", "/v1/responses", EMBEDDINGS)
MOST_LINES: Final = 50_000
LONGEST_LINE: Final = 4 * 1024 * 1024
MOST_FAULTS: Final = 20
"""Of a file are told."""

_TRUE: Final = b"true"


class LineRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line."""

    custom_id: Annotated[str, Meta(min_length=1, max_length=256)]
    method: Literal["POST"]
    url: str
    body: msgspec.Raw
    """An object, as it came."""


_line: Final = msgspec.json.Decoder(LineRequest)
_body: Final = msgspec.json.Decoder(Mapping[str, msgspec.Raw])
_text: Final = msgspec.json.Decoder(str)


def read_line(line: bytes) -> LineRequest:
    """A line that was found good."""
    return _line.decode(line)


class Lines:
    """Splits a file, that comes in pieces, into lines with their numbers; empty lines are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._number = 0

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for line in whole:
            self._number += 1
            if line.strip():
                yield self._number, line
        if len(self._rest) > LONGEST_LINE:
            # Too long already, and it may go on: told as a fault, and not kept.
            yield self._number + 1, self._rest
            self._rest = b""

    def end(self) -> Iterator[tuple[int, bytes]]:
        """The last line, where nothing ends it."""
        yield from self.feed(b"\n")


class Checking:
    """Checks each line and all of them together. Faults name the line, and nothing that it says."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lines: dict[str, int] = {}
        self.faults: list[str] = []

    @property
    def count(self) -> int:
        return len(self._lines)

    def check(self, number: int, line: bytes) -> bool:
        """Whether a line is good; if not, why is among the faults."""
        fault = self._fault(number, line)
        if fault and len(self.faults) < MOST_FAULTS:
            self.faults.append(f"line {number}: {fault}")
        return not fault

    @property
    def full(self) -> bool:
        """Whether nothing more need be looked at."""
        return len(self.faults) >= MOST_FAULTS or self.count > MOST_LINES

    def end(self) -> None:
        if self.count > MOST_LINES:
            self.faults.append(f"the file has more than {MOST_LINES} requests: send them in several files")
        elif not self.count and not self.faults:
            self.faults.append("the file has no requests: write one on each line")

    def _fault(self, number: int, line: bytes) -> str:
        if len(line) > LONGEST_LINE:
            return f"it has more than {LONGEST_LINE} bytes"
        try:
            found = _line.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The decoder's words may repeat the line's own, and faults are not sealed.
            return "it is no request: a JSON object of custom_id, method (POST), url and body, and nothing else"
        if found.url != self._endpoint:
            return f"url must be {self._endpoint}, the endpoint of the batch"
        first = self._lines.setdefault(found.custom_id, number)
        if first != number:
            return f"its custom_id is that of line {first}"
        return _body_fault(found.body)


def _body_fault(raw: msgspec.Raw) -> str:
    try:
        body = _body.decode(raw)
        model = _text.decode(body["model"]) if "model" in body else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "body cannot be: a JSON object with the name of a model"
    if not model:
        return "body.model is missing"
    if "stream" in body and bytes(body["stream"]) == _TRUE:
        return "body.stream must be false: a batch has whole answers"
    return ""
