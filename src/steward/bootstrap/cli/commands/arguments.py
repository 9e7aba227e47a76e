"""Arguments and options that several commands have."""

from datetime import datetime
from typing import Annotated

import typer

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many to show.")]
CursorOption = Annotated[str | None, typer.Option("--cursor", help="Where to go on, from the page before.")]
Every = Annotated[bool, typer.Option("--all", help="Show all of them, page after page.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin, one line.")]


def aware(moment: datetime | None) -> datetime | None:
    """A date from the command line: without a zone it is meant in this machine's own."""
    return None if moment is None else moment.astimezone()
