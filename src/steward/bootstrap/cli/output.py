"""What the command line prints: tables and sentences for people, JSON for programs."""

import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from steward.bootstrap.cli.messages import Texts

T = TypeVar("T")

_WIDTH_OF_A_FILE = 240
"""Columns where the output is no terminal: nothing is cut off then."""

Shown = str | int | bool | datetime | Sequence[str] | frozenset[str] | None


class Output:
    """The two streams. In JSON mode stdout carries nothing but the answer."""

    def __init__(self, texts: Texts, *, json: bool) -> None:
        self.texts = texts
        self.json = json

    def table(self, value: object, columns: Sequence[str], rows: Iterable[Sequence[Shown]]) -> None:
        """A list: `value` as JSON, or rows under headings (keys of the catalogue below `heading.`)."""
        if self.json:
            self._write_json(value)
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(self.texts(f"heading.{column}"), no_wrap=column == "id", overflow="fold")
        for row in rows:
            table.add_row(*(self._cell(cell) for cell in row))
        if table.row_count == 0:
            self.note("list.empty")
            return
        self._print(table)

    def record(self, value: object, fields: Mapping[str, Shown]) -> None:
        """One thing: `value` as JSON, or its fields one below the other."""
        if self.json:
            self._write_json(value)
            return
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, shown in fields.items():
            table.add_row(self.texts(f"heading.{name}"), self._cell(shown))
        self._print(table)

    def line(self, value: object) -> None:
        """A value as one line of JSON, at once: for a program that reads while this one goes on."""
        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
        sys.stdout.flush()

    def done(self, key: str, /, **values: object) -> None:
        """Say that it worked; in JSON mode on stderr."""
        typer.echo(self.texts(key, **_clean(values)), err=self.json)

    def note(self, key: str, /, **values: object) -> None:
        typer.echo(self.texts(key, **_clean(values)), err=True)

    def error(self, key: str, /, **values: object) -> None:
        mark = typer.style(self.texts("error.mark"), fg="red", bold=True)
        typer.echo(f"{mark}{self.texts(key, **_clean(values))}", err=True)

    def confirmed(self, key: str, /, **values: object) -> None:
        """Ask, and leave the program unless the answer is yes."""
        typer.confirm(self.texts(key, **_clean(values)), abort=True, err=True)

    async def counted(self, key: str, items: AsyncIterator[T], total: int | None = None) -> AsyncIterator[T]:
        """The items, with a progress bar on stderr while they come."""
        with self.progress(key, total) as advance:
            async for item in items:
                yield item
                advance()

    @contextmanager
    def progress(self, key: str, total: int | None, /, **values: object) -> Generator[Callable[[], None]]:
        """A progress bar on stderr; what is given goes one step further with it."""
        columns = (
            *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
            TimeElapsedColumn(),
        )
        console = _console(sys.stderr)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(self.texts(key, **_clean(values)), total=total)
            yield lambda: progress.advance(task)

    def _print(self, table: Table) -> None:
        console = _console(sys.stdout)
        if console.is_terminal:
            console.print(table)
            return
        with console.capture() as captured:
            console.print(table)
        for row in captured.get().splitlines():
            typer.echo(row.rstrip())

    def _cell(self, shown: Shown) -> Text:
        match shown:
            case None:
                text = "-"
            case bool():
                text = self.texts("value.yes" if shown else "value.no")
            case datetime():
                text = shown.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            case str() | int():
                text = str(shown)
            case _:
                text = ", ".join(sorted(shown)) or "-"
        return Text(printable(text))

    def _write_json(self, value: object) -> None:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def printable(text: str) -> str:
    """The text without what steers a terminal: a name in a list must not be able to rewrite the screen."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _clean(values: Mapping[str, object]) -> Mapping[str, str]:
    return {name: printable(str(value)) for name, value in values.items()}


def _console(stream: object) -> Console:
    error = stream is sys.stderr
    terminal = (sys.stderr if error else sys.stdout).isatty()
    return Console(stderr=error, highlight=False, markup=False, width=None if terminal else _WIDTH_OF_A_FILE)
