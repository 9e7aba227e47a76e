"""`steward up` and `steward serve`: run the platform in the foreground."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import say
from steward.bootstrap.cli.messages import Texts
from steward.bootstrap.cli.options import Options, language
from steward.bootstrap.cli.output import Output
from steward.bootstrap.home import AlreadyRunning, Home, HomeError
from steward.bootstrap.modules import GATEWAY, service_names
from steward.bootstrap.platform import Started, run_serve, run_up
from steward.bootstrap.settings import Settings, load_settings, unknown_variables
from steward.kit.errors import AppError, StartRefused
from steward.kit.settings import SettingsError

Ready = Callable[[Started], None]

app = typer.Typer()


@app.command("up")
def up(ctx: typer.Context) -> None:
    """Run the whole platform here, with a PostgreSQL of its own, until Ctrl-C."""
    raise typer.Exit(_run(ctx.obj, lambda settings, ready: run_up(settings, os.environ, ready)))


@app.command("serve")
def serve(
    ctx: typer.Context,
    services: Annotated[list[str], typer.Argument(help="Names of services, such as `gateway identity`.")],
) -> None:
    """Run the named services here, until Ctrl-C; STEWARD_PEERS says where the others are."""
    known = (GATEWAY, *service_names())
    for name in services:
        if name not in known:
            raise typer.BadParameter(f"{name} is no service: choose among {', '.join(sorted(known))}")
    raise typer.Exit(_run(ctx.obj, lambda settings, ready: run_serve(settings, os.environ, services, ready)))


def _run(options: Options, start: Callable[[Settings, Ready], Coroutine[None, None, None]]) -> int:
    out = Output(Texts(language(options.lang, os.environ)), json=options.json)
    try:
        settings = load_settings(os.environ)
        for problem in unknown_variables(os.environ):
            out.note("warning", message=problem.message)
        uvloop.run(start(settings, lambda started: _welcome(out, settings, started)))
    except AlreadyRunning as error:
        out.error("error.api", message=str(error))
        return Exit.ALREADY_RUNNING
    except (SettingsError, HomeError) as error:
        return say(out, error)
    except (StartRefused, AppError) as error:
        out.error("error.api", message=str(error))
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK


def _welcome(out: Output, settings: Settings, started: Started) -> None:
    """Say where the platform answers, how to log in and what to try; the password only where people read."""
    file = Home(settings.platform.home).credentials_file
    if out.json:
        out.line({"url": started.url, "rpc_address": started.rpc_address, "credentials": str(file)})
        return
    if started.url:
        out.done("up.ready", url=started.url)
    if started.rpc_address:
        out.done("up.rpc", address=started.rpc_address)
    if started.credentials:
        demo = started.credentials
        out.done("up.login", email=demo.email, password=demo.password, file=file)
        out.done("up.try", program=_program())


def _program() -> str:
    """How this program is called from here."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    return called.name if found and Path(found).samefile(called) else shlex.quote(os.path.relpath(called))
