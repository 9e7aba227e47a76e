"""Reading our Markdown: pages, their headings as anchors, their links and the rows of their tables."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(```|~~~)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)#* *$")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)(?: \"[^\"]*\")?\)|^\[[^\]]+\]: *(?P<defined>\S+)")
_CODE = re.compile(r"`[^`]*`")
_CELL = re.compile(r"(?<!\\)\|")


class Link(NamedTuple):
    line: int
    to: str


def pages() -> Sequence[Path]:
    """Every Markdown file of the project; hidden folders and what was installed are left out."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
        found += [Path(folder, name) for name in names if name.endswith(".md")]
    return sorted(found)


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page outside of fenced code, with their numbers."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if _FENCE.match(line.lstrip()):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings can be reached by, as GitHub makes them."""
    found: set[str] = set()
    for _, line in prose(page):
        if heading := _HEADING.match(line):
            slug = _slug(heading["text"])
            count = 1
            name = slug
            while name in found:
                name, count = f"{slug}-{count}", count + 1
            found.add(name)
    return found


def links(page: Path) -> Iterator[Link]:
    """Where a page's links lead."""
    for number, line in prose(page):
        for link in _LINK.finditer(_CODE.sub(lambda code: "`" * len(code.group()), line)):
            yield Link(number, link["to"] or link["defined"])


def table(page: Path, heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table below a heading, without its head; cells as they are written."""
    rows: list[tuple[str, ...]] = []
    here = False
    for _, line in prose(page):
        if found := _HEADING.match(line):
            if here:
                break
            here = found["text"] == heading
        elif here and line.startswith("|"):
            rows.append(tuple(cell.strip() for cell in _CELL.split(line.strip())[1:-1]))
        elif here and rows:
            break
    assert len(rows) > 2, f"{page.name} has no table below {heading!r}"
    return rows[2:]


def code(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return [part.strip("`") for part in _CODE.findall(cell)]


def _slug(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
