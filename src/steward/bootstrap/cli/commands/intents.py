"""`steward intents`: what the desk tells apart, and its training."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from steward.bootstrap.cli.documents import Unreadable, read_text
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.services.support.api import IntentExamples, IntentSet, TrainingState

app = typer.Typer(no_args_is_help=True)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file of intents holds: the body of `PUT /api/v1/support/intents`."""

    intents: list[IntentExamples]


@app.command("show")
@command
async def show_intents(invocation: Invocation) -> None:
    """Show the intents and the state of their training."""
    _show(invocation, await invocation.client.intents.get())


@app.command("put")
@command
async def put_intents(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(help='JSON: {"intents": [{"name": …, "examples": [ … ]}]}.')],
) -> None:
    """Replace the tenant's intents; exit code 1 when training failed."""
    try:
        intents = msgspec.json.decode(read_text(file), type=_File).intents
    except (Unreadable, msgspec.MsgspecError) as error:
        raise typer.BadParameter(invocation.out.texts("import.unreadable", file=file, problem=error)) from error
    found = await invocation.client.intents.put(intents)
    _show(invocation, found)
    raise typer.Exit(Exit.FAILED if found.state is TrainingState.FAILED else Exit.OK)


def _show(invocation: Invocation, found: IntentSet) -> None:
    out = invocation.out
    out.table(found, ("name", "examples"), [(one.name, one.examples) for one in found.intents])
    if out.json:
        return
    accuracy = "-" if found.accuracy is None else f"{found.accuracy:.1%}"
    state = out.texts.word(found.state)
    out.note("intents.summary", version=found.version, state=state, serving=found.serving_version, accuracy=accuracy)
    if found.problem:
        out.error("error.api", message=found.problem)
