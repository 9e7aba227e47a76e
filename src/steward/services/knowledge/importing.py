"""Reading FAQs from CSV and Markdown."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Protocol

import msgspec
from markdown_it import MarkdownIt

from steward.services.knowledge.api import FaqInput, ImportFormat, ImportProblem
from steward.services.knowledge.errors import ImportUnreadable

_FIELDS: Final = ("id", "question", "answer", "category", "keywords", "locale")
_NEEDED: Final = ("question", "answer")
_SPLIT: Final = re.compile("[;\uff1b]")


class _Reader(Protocol):
    """What is used of `csv.reader`."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A FAQ with the line it begins at."""

    number: int
    faq: FaqInput


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    lines: Sequence[Line]
    problems: Sequence[ImportProblem]


def read_faqs(format: ImportFormat, content: str) -> ReadFile:  # noqa: A002 the contract's word
    """All FAQs of a file; what cannot be taken is told by its line. Raises `ImportUnreadable`."""
    content = content.removeprefix("\ufeff")
    return _read(_csv_rows(content) if format is ImportFormat.CSV else _markdown_rows(content))


def _read(rows: Iterator[tuple[int, Mapping[str, str] | str]]) -> ReadFile:
    lines: list[Line] = []
    problems: list[ImportProblem] = []
    for number, row in rows:
        found = row if isinstance(row, str) else _faq(row)
        if isinstance(found, str):
            problems.append(ImportProblem(line=number, problem=found))
        else:
            lines.append(Line(number=number, faq=found))
    return ReadFile(lines=lines, problems=problems)


def _faq(row: Mapping[str, str]) -> FaqInput | str:
    """The FAQ of a row, or what is wrong with it."""
    given = {name: value.strip() for name, value in row.items() if value.strip()}
    missing = [name for name in _NEEDED if name not in given]
    if missing:
        return f"{' and '.join(missing)} is empty: fill it in, or leave the line out"
    keywords = [word.strip() for word in _SPLIT.split(given.pop("keywords", "")) if word.strip()]
    try:
        return msgspec.convert({**given, "keywords": keywords}, FaqInput)
    except msgspec.ValidationError as error:
        return f"{str(error)[:1].lower()}{str(error)[1:]}: correct the value"


def _csv_rows(content: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, list[str]())]
    except csv.Error as error:
        raise ImportUnreadable(f"the first line is no CSV ({error}): begin with a row of column names") from error
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise ImportUnreadable(
            f"the first line names no column {' and '.join(map(repr, missing))}: begin with a row of column names, of"
            f" which {', '.join(_FIELDS)} are read"
        )
    yield from _csv_lines(reader, names)


def _csv_lines(reader: _Reader, names: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    after = reader.line_num
    try:
        for row in reader:
            number, after = after + 1, reader.line_num
            if len(row) > len(names):
                yield number, f"the line has {len(row)} columns, the first line {len(names)}: quote what has commas"
            elif any(value.strip() for value in row):
                yield number, {name: value for name, value in zip(names, row, strict=False) if name in _FIELDS}
    except csv.Error as error:
        yield after + 1, f"the line is no CSV ({error}), and nothing after it was read: close every quotation mark"


def _markdown_rows(content: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Each heading with text below it is a question; one with headings below it only is their category."""
    lines = content.splitlines()
    headings = list(_headings(content))
    if not headings:
        raise ImportUnreadable("there is no heading: begin each question with `#` signs")
    categories: list[tuple[int, str]] = []
    ends = [first for first, _, _, _ in headings[1:]] + [len(lines)]
    levels = [level for _, _, level, _ in headings[1:]] + [0]
    for (first, after, level, heading), end, next_level in zip(headings, ends, levels, strict=True):
        categories = [outer for outer in categories if outer[0] < level]
        answer = "\n".join(lines[after:end]).strip()
        if not answer and next_level > level:
            categories.append((level, heading))
        elif not answer:
            yield first + 1, f"the heading {heading[:60]!r} has nothing below it: write the answer, or leave it out"
        else:
            category = categories[-1][1] if categories else ""
            yield first + 1, {"question": heading, "answer": answer, "category": category}


def _headings(content: str) -> Iterator[tuple[int, int, int, str]]:
    tokens = MarkdownIt("commonmark").parse(content)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield token.map[0], token.map[1], int(token.tag[1:]), inline.content.strip()
