"""`steward up` and `steward serve`: run the platform in the foreground."""

import os
from collections.abc import Callable
from typing import Annotated

import typer

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import say
from steward.bootstrap.cli.messages import Texts
from steward.bootstrap.cli.options import Options, language
from steward.bootstrap.cli.output import Output
from steward.bootstrap.embedded import EmbeddedError
from steward.bootstrap.home import AlreadyRunning, HomeError
from steward.bootstrap.platform import run_serve, run_up
from steward.bootstrap.settings import Settings, load_settings, unknown_variables
from steward.kit.settings import SettingsError

app = typer.Typer()


@app.command("up")
def up(ctx: typer.Context) -> None:
    """Run the whole platform here, with a PostgreSQL of its own, until Ctrl-C."""
    raise typer.Exit(_run(ctx.obj, run_up))


@app.command("serve")
def serve(
    ctx: typer.Context,
    services: Annotated[list[str], typer.Argument(help="Names of services, such as `gateway identity`.")],
) -> None:
    """Run the named services here, until Ctrl-C; STEWARD_PEERS says where the others are."""
    raise typer.Exit(_run(ctx.obj, lambda settings: run_serve(settings, services)))


def _run(options: Options, start: Callable[[Settings], int]) -> int:
    out = Output(Texts(language(options.lang, os.environ)), json=options.json)
    try:
        settings = load_settings(os.environ)
        for problem in unknown_variables(os.environ):
            out.note("warning", message=problem.message)
        return start(settings)
    except AlreadyRunning as error:
        out.error("error.api", message=str(error))
        return Exit.ALREADY_RUNNING
    except (SettingsError, HomeError, EmbeddedError) as error:
        return say(out, error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
