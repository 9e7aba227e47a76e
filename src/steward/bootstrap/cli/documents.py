"""Documents from files: found in a directory, read, and stored batch by batch."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from steward.client import ApiError
from steward.client.knowledge import KnowledgeResource
from steward.services.knowledge.api import DocumentInput

_MARKDOWN: Final = frozenset({".md", ".markdown"})
_ENDINGS: Final = _MARKDOWN | {".txt", ".text"}
_HEADING: Final = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_MOST_OF_A_BATCH: Final = 200
_CHARACTERS_OF_A_BATCH: Final = 2_000_000
_LONGEST_TITLE: Final = 1000
_LONGEST_TEXT: Final = 1_000_000
_REFUSED: Final = frozenset({400, 409, 413, 422})
"""What a document can be the reason of; any other failure ends the import."""


class Unreadable(Exception):
    """A file that holds no text; the message says why."""


class Source(NamedTuple):
    """A file and the id that its document has."""

    id: str
    file: Path


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    problem: str


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import, as `--json` prints it."""

    created: int
    updated: int
    unchanged: int
    problems: Sequence[Problem]


class ImportedDocuments:
    """Counts what came of an import."""

    def __init__(self) -> None:
        self.created = 0
        self.updated = 0
        self.unchanged = 0
        self.problems: list[Problem] = []

    def result(self) -> ImportResult:
        return ImportResult(
            created=self.created, updated=self.updated, unchanged=self.unchanged, problems=self.problems
        )

    def count(self, *, changed: bool, version: int) -> None:
        if not changed:
            self.unchanged += 1
        elif version == 1:
            self.created += 1
        else:
            self.updated += 1


def find(path: Path) -> list[Source]:
    """The documents below a directory by their paths in it, or the one that a file is."""
    if path.is_file():
        return [Source(path.name, path)]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS and file.is_file())
    return [Source(file.relative_to(path).as_posix(), file) for file in files]


def read_text(file: Path) -> str:
    """The text of a file in UTF-8. Raises `Unreadable`."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start + 1} is no UTF-8: save the file as UTF-8") from error
    except OSError as error:
        raise Unreadable(str(error.strerror)) from error


async def store(
    knowledge: KnowledgeResource, sources: Sequence[Source], found: ImportedDocuments
) -> AsyncIterator[Source]:
    """Store all of them and count in `found`; gives each file once it is done with."""
    batch: list[tuple[Source, DocumentInput]] = []
    size = 0
    for source in sources:
        try:
            document = _read(source)
        except Unreadable as error:
            found.problems.append(Problem(source=source.id, problem=str(error)))
            yield source
            continue
        if batch and (len(batch) == _MOST_OF_A_BATCH or size + len(document.text) > _CHARACTERS_OF_A_BATCH):
            async for one in _send(knowledge, batch, found):
                yield one
            batch, size = [], 0
        batch.append((source, document))
        size += len(document.text)
    if batch:
        async for one in _send(knowledge, batch, found):
            yield one


async def _send(
    knowledge: KnowledgeResource, batch: Sequence[tuple[Source, DocumentInput]], found: ImportedDocuments
) -> AsyncIterator[Source]:
    """Store a batch; where it is refused, each of it alone, so that the one at fault is told."""
    try:
        stored = await knowledge.put_documents([document for _, document in batch])
    except ApiError as error:
        if error.status not in _REFUSED:
            raise
        if len(batch) == 1:
            found.problems.append(Problem(source=batch[0][0].id, problem=error.message))
            yield batch[0][0]
            return
        for pair in batch:
            async for one in _send(knowledge, [pair], found):
                yield one
        return
    for (source, _), one in zip(batch, stored, strict=True):
        found.count(changed=one.changed, version=one.version)
        yield source


def _read(source: Source) -> DocumentInput:
    """The document of a file. Raises `Unreadable`."""
    text = read_text(source.file).strip()
    if not text:
        raise Unreadable("the file is empty: leave it out")
    if len(text) > _LONGEST_TEXT:
        raise Unreadable(f"the file has {len(text)} characters: split it into parts of {_LONGEST_TEXT} at most")
    heading = _HEADING.search(text) if source.file.suffix.lower() in _MARKDOWN else None
    title = heading[1] if heading else source.file.stem
    return DocumentInput(id=source.id, title=title[:_LONGEST_TITLE], text=text)
