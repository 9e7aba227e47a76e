"""`steward import`: FAQs and documents from files into the tenant's knowledge."""

from collections.abc import AsyncIterator, Mapping, Sized
from pathlib import Path
from typing import Annotated

import typer

from steward.bootstrap.cli.documents import ImportedDocuments, Unreadable, find, read_text, store
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.services.knowledge.api import ImportFormat, ImportResult

app = typer.Typer(no_args_is_help=True)

_ENDINGS: Mapping[str, ImportFormat] = {
    ".csv": ImportFormat.CSV,
    ".md": ImportFormat.MARKDOWN,
    ".markdown": ImportFormat.MARKDOWN,
}


@app.command("faqs")
@command
async def import_faqs(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(help="CSV or Markdown; what each holds is in the reference.")],
    form: Annotated[ImportFormat | None, typer.Option("--format", help="Else by the file's ending.")] = None,
) -> None:
    """Add or update FAQs from a file; exit code 1 when some lines could not be taken."""
    out = invocation.out
    chosen = form or _ENDINGS.get(file.suffix.lower())
    if chosen is None:
        raise typer.BadParameter(out.texts("import.which_format", file=file))
    content = _text(invocation, file)

    async def work() -> AsyncIterator[ImportResult]:
        yield await invocation.client.knowledge.import_faqs(content, form=chosen)

    for result in [result async for result in out.counted("import.faqs", work(), 1)]:
        problems = [(one.line, one.problem) for one in result.problems]
        if problems or out.json:
            out.table(result, ("line", "problem"), problems)
        _end(invocation, result.created, result.updated, result.unchanged, problems)


@app.command("documents")
@command
async def import_documents(
    invocation: Invocation,
    path: Annotated[Path, typer.Argument(help="A Markdown or text file, or a directory of such; a path is an id.")],
) -> None:
    """Add or update documents; exit code 1 when some files could not be taken."""
    out = invocation.out
    if not path.exists():
        raise typer.BadParameter(out.texts("import.no_file", file=path))
    sources = find(path)
    if not sources:
        raise typer.BadParameter(out.texts("import.no_documents", file=path))
    found = ImportedDocuments()
    stored = store(invocation.client.knowledge, sources, found)
    async for _ in out.counted("import.documents", stored, len(sources)):
        pass
    if found.problems or out.json:
        out.table(found.result(), ("source", "problem"), [(one.source, one.problem) for one in found.problems])
    _end(invocation, found.created, found.updated, found.unchanged, found.problems)


def _text(invocation: Invocation, file: Path) -> str:
    try:
        return read_text(file)
    except Unreadable as error:
        raise typer.BadParameter(invocation.out.texts("import.unreadable", file=file, problem=error)) from error


def _end(invocation: Invocation, created: int, updated: int, unchanged: int, problems: Sized) -> None:
    out = invocation.out
    out.done("import.done", created=created, updated=updated, unchanged=unchanged)
    if problems:
        out.error("import.problems", count=len(problems))
        raise typer.Exit(Exit.FAILED)
