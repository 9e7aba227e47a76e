"""Documents: every relative link leads somewhere, every line fits a screen."""

import re
from pathlib import Path
from urllib.parse import unquote

from tests.docs.pages import ROOT, anchors, links, pages

GENERATED = ROOT / "docs" / "reference" / "configuration.md"
MAX_CHARS = 120
MAX_ROW_CHARS = 200
"""A row of a table cannot be broken."""
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def test_there_are_pages() -> None:
    assert {ROOT / "README.md", ROOT / "docs" / "README.md"} <= set(pages())


def test_each_relative_link_resolves() -> None:
    broken = [
        f"{page.relative_to(ROOT)}:{link.line}: {link.to}: {problem}"
        for page in pages()
        for link in links(page)
        if not _SCHEME.match(link.to) and (problem := _problem(page, link.to))
    ]
    assert not broken, "\n".join(broken)


def test_each_page_of_docs_is_reached_from_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.to.partition("#")[0]).resolve() for link in links(index)}
    missing = [page for page in pages() if page.is_relative_to(index.parent) and page not in {index, *linked}]
    assert not missing


def test_no_line_is_longer_than_a_screen_is_wide() -> None:
    long = [
        f"{page.relative_to(ROOT)}:{number}: {len(line)} characters"
        for page in pages()
        if page != GENERATED
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > (MAX_ROW_CHARS if line.startswith("|") else MAX_CHARS)
    ]
    assert not long, "\n".join(long)


def _problem(page: Path, to: str) -> str:
    name, _, fragment = unquote(to).partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return "no such file"
    if not target.is_relative_to(ROOT):
        return "leads out of the project"
    if fragment and (target.suffix != ".md" or fragment not in anchors(target)):
        return "no such heading"
    return ""
