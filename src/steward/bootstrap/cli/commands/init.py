"""`steward init`: the first operator of an installation on one's own PostgreSQL."""

import os
from typing import Annotated

import typer

from steward.bootstrap.cli.here import run_here
from steward.bootstrap.cli.options import Options
from steward.bootstrap.cli.output import Output
from steward.bootstrap.founding import invite_first_operator
from steward.bootstrap.settings import Settings

app = typer.Typer()


@app.command("init")
def init(
    ctx: typer.Context,
    email: Annotated[str, typer.Option(help="E-mail address of the first platform operator.")],
    slug: Annotated[str, typer.Option(help="Short name of the operators' tenant.")] = "operators",
    name: Annotated[str, typer.Option(help="Name of the operators' tenant.")] = "Operators",
) -> None:
    """Prepare the database and invite the first platform operator; the token to register with is shown this once."""
    options: Options = ctx.obj

    async def work(settings: Settings, out: Output) -> None:
        made = await invite_first_operator(settings, os.environ, email=email, slug=slug, name=name)
        fields = {"token": made.token, "email": made.email, "tenant": str(made.tenant), "slug": made.slug}
        out.record(made, fields)
        out.note("init.done", email=made.email)

    raise typer.Exit(run_here(options, work))
