"""Tables as CSV (RFC 4180): UTF-8, a header line, lines that end with CR LF, sent as they are made."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import Final

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

CSV: Final = "text/csv"
_HEADER: Final = b"text/csv; charset=utf-8; header=present"
_CHUNK_LINES: Final = 200
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection")."""
_NANOS: Final = 10**9

Cell = str | int | bool | None


class Csv(ASGIResponse):
    """An answer of CSV, closed whatever ends it."""

    def __init__(self, name: str, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        super().__init__(media_type=CSV)
        self._name = name
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI passes all three
        named = f'attachment; filename="{self._name}.csv"'.encode()
        headers = [(b"content-type", _HEADER), (b"content-disposition", named)]
        # Closed here, for a generator that is only dropped may hold its database connection until the next collection.
        async with aclosing(self._rest) as rest:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async for chunk in rest:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def csv_answer(name: str, header: Sequence[str], lines: AsyncIterator[Sequence[Cell]]) -> Csv:
    """Lines below a header. The first are made before this returns, so that a refusal still becomes a proper error."""
    chunks = _chunks(header, lines)
    return Csv(name, await anext(chunks), chunks)


async def _chunks(header: Sequence[str], lines: AsyncIterator[Sequence[Cell]]) -> AsyncGenerator[bytes]:
    gathered: list[Sequence[Cell]] = [header]
    async for line in lines:
        gathered.append(line)
        if len(gathered) >= _CHUNK_LINES:
            yield csv_bytes(gathered)
            gathered = []
    if gathered:
        yield csv_bytes(gathered)


def csv_bytes(lines: Iterable[Sequence[Cell]]) -> bytes:
    """Lines of cells. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_cell(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8", "replace")


def usd(nanos: int) -> str:
    """With nine decimals, exactly."""
    whole, rest = divmod(abs(nanos), _NANOS)
    return f"{'-' if nanos < 0 else ''}{whole}.{rest:09d}"


def _cell(cell: Cell) -> str | int:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULAS) else cell
    return "" if cell is None else cell
