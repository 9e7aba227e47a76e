"""Cutting documents into chunks: on borders of sections, paragraphs and sentences, with some overlap."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec
from markdown_it import MarkdownIt

SIZE: Final = 1000
"""The most characters of a chunk."""
OVERLAP: Final = 200
"""The most characters that a chunk has of the one before."""

_HEADING: Final = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_SENTENCE: Final = re.compile(r".*?(?:[.!?](?=\s)|[\u3002\uff01\uff1f\uff1b;]|\n)\s*|.+$", re.DOTALL)
_FULL_ENOUGH: Final = 0.6
"""A chunk this full may end at a paragraph although another sentence would fit."""
_LEAD: Final = 120
_LEAD_END: Final = re.compile(r"[?\uff1f\u3002\uff01\n]|[.!]\s")


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk before it is analysed."""

    headings: str
    """The headings above it, outermost first; empty for none."""
    text: str


class _Section(msgspec.Struct, frozen=True):
    headings: str
    text: str


def pieces(text: str, *, size: int = SIZE, overlap: int = OVERLAP) -> Sequence[Piece]:
    """The chunks of a text: each at most `size` characters, with at most `overlap` of the chunk before.

    A text with Markdown headings is cut at these first, unless it is one chunk anyway. Text of spaces only has no
    chunk.
    """
    if len(text) <= size:
        return [Piece(headings="", text=text.strip())] if text.strip() else []
    return [
        Piece(headings=section.headings, text=chunk)
        for section in _sections(text)
        for chunk in _chunks(section.text, size, overlap)
    ]


def lead_of(text: str) -> str:
    """The first sentence, which stands for a title where there is none."""
    beginning = text.lstrip()[: _LEAD + 40]
    found = _LEAD_END.search(beginning)
    return beginning[: found.end()].strip() if found else beginning[:_LEAD].strip()


def _sections(text: str) -> Iterator[_Section]:
    if not _HEADING.search(text):
        yield _Section("", text)
        return
    lines = text.splitlines(keepends=True)
    path: list[tuple[int, str]] = []
    start = 0
    for first, after, level, heading in _headings(text):
        yield from _section(path, lines[start:first])
        path = [*(outer for outer in path if outer[0] < level), (level, heading)]
        start = after
    yield from _section(path, lines[start:])


def _section(path: Sequence[tuple[int, str]], lines: Sequence[str]) -> Iterator[_Section]:
    if any(line.strip() for line in lines):
        yield _Section(" > ".join(heading for _, heading in path), "".join(lines))


def _headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Of each heading its first line, the line after it, its level and its text; those in code blocks are none."""
    tokens = MarkdownIt("commonmark").parse(text)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield token.map[0], token.map[1], int(token.tag[1:]), inline.content.strip()


def _chunks(text: str, size: int, overlap: int) -> Iterator[str]:
    units = list(_units(text, size))
    at = 0
    while at < len(units):
        end = _end(text, units, at, size)
        chunk = text[units[at][0] : units[end - 1][1]].strip()
        if chunk:
            yield chunk
        if end == len(units):
            return
        at = _begin_of_next(units, at, end, overlap)


def _units(text: str, size: int) -> Iterator[tuple[int, int]]:
    """The sentences as (start, end), of which the next begins where one ends; too long ones cut at a space."""
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        while end - start > size:
            space = text.rfind(" ", start + size // 2, start + size)
            cut = space + 1 if space > 0 else start + size
            yield start, cut
            start = cut
        if end > start:
            yield start, end


def _end(text: str, units: Sequence[tuple[int, int]], at: int, size: int) -> int:
    """The unit after the last one of the chunk that begins at `at`."""
    start = units[at][0]
    end, paragraph = at + 1, 0
    while end < len(units) and units[end][1] - start <= size:
        end += 1
        if text[units[end - 1][0] : units[end - 1][1]].count("\n") > 1:
            paragraph = end
    if end < len(units) and paragraph and units[paragraph - 1][1] - start >= size * _FULL_ENOUGH:
        return paragraph
    return end


def _begin_of_next(units: Sequence[tuple[int, int]], at: int, end: int, overlap: int) -> int:
    begin = end
    while begin - 1 > at and units[end - 1][1] - units[begin - 1][0] <= overlap:
        begin -= 1
    return begin
