"""`steward up` and `steward serve`: run the platform in the foreground."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from steward.bootstrap.cli.here import run_here
from steward.bootstrap.cli.output import Output
from steward.bootstrap.home import Home
from steward.bootstrap.modules import GATEWAY, service_names
from steward.bootstrap.platform import Started, run_serve, run_up
from steward.bootstrap.settings import Settings

app = typer.Typer()


@app.command("up")
def up(ctx: typer.Context) -> None:
    """Run the whole platform here, with a PostgreSQL of its own, until Ctrl-C."""

    async def work(settings: Settings, out: Output) -> None:
        await run_up(settings, os.environ, lambda started: _welcome(out, settings, started))

    raise typer.Exit(run_here(ctx.obj, work))


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

    async def work(settings: Settings, out: Output) -> None:
        await run_serve(settings, os.environ, services, lambda started: _welcome(out, settings, started))

    raise typer.Exit(run_here(ctx.obj, work))


def _welcome(out: Output, settings: Settings, started: Started) -> None:
    """Say where the platform answers, how to log in and what to try; the password only where people read."""
    file = Home(settings.platform.home).credentials_file
    if out.json:
        credentials = str(file) if started.credentials else None
        out.line({"url": started.url, "rpc_address": started.rpc_address, "credentials": credentials})
        return
    if started.url:
        out.done("up.ready", url=started.url)
    if started.rpc_address:
        out.done("up.rpc", address=started.rpc_address)
    if started.credentials:
        demo = started.credentials
        out.done("up.login", email=demo.email, password=demo.password, file=file)
        if demo.publishable_key and demo.shop_url:
            out.done("up.try_desk", program=_program(), url=demo.url, key=demo.publishable_key)
        else:
            out.done("up.try", program=_program())
    elif started.without_demo:
        out.done("up.init", program=_program())


def _program() -> str:
    """How this program is called from here."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    return called.name if found and Path(found).samefile(called) else shlex.quote(os.path.relpath(called))
