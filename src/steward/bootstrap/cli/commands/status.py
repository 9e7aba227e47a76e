"""`steward status` and `steward version`."""

import typer

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.options import Options
from steward.bootstrap.version import version as installed
from steward.client import Health

app = typer.Typer()

_WELL = "ok"


@app.command("status")
@command
async def status(invocation: Invocation) -> None:
    """Show how a running platform and its parts are; exit code 1 when it is not well."""
    out, health = invocation.out, await invocation.client.health()
    word = out.texts.word
    rows = [(name, word(part.status), word(part.detail or "")) for name, part in sorted(health.dependencies.items())]
    out.table(health, ("part", "state", "detail"), rows)
    if not out.json:
        out.note("status.summary", url=invocation.url, version=health.version, status=word(health.status))
    raise typer.Exit(_code(health))


@app.command("version")
def version(ctx: typer.Context) -> None:
    """Show the version of this program."""
    options: Options = ctx.obj
    number = installed()
    typer.echo(f'{{"version": "{number}"}}' if options.json else f"steward {number}")


def _code(health: Health) -> Exit:
    return Exit.OK if health.status == _WELL else Exit.FAILED
