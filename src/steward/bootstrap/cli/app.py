"""The root of the command line: its global options, its commands' names, and the loading of the one that is called."""

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import typer

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.options import Lang, Options, global_first

_COMPLETION = "_STEWARD_COMPLETE"
_STARTING = 200_000
"""Containers made before the collector looks for garbage."""


class _Command(NamedTuple):
    module: str
    help: str
    group: bool = True


_HERE = "steward.bootstrap.cli.commands"
_COMMANDS: Mapping[str, _Command] = {
    "up": _Command("serving", "Run the whole platform here, with a PostgreSQL of its own.", group=False),
    "serve": _Command("serving", "Run some of the services in this process.", group=False),
    "init": _Command("init", "Prepare the database and invite the first platform operator.", group=False),
    "status": _Command("status", "Show how a running platform and its parts are.", group=False),
    "login": _Command("account", "Log in and stay logged in.", group=False),
    "logout": _Command("account", "End the log-in.", group=False),
    "whoami": _Command("account", "Show who you are and what you may do.", group=False),
    "register": _Command("account", "Accept an invitation: set your name and password.", group=False),
    "password": _Command("account", "Change your password and end your other sessions.", group=False),
    "users": _Command("users", "Users and their roles."),
    "keys": _Command("keys", "API keys."),
    "sessions": _Command("sessions", "Log-in sessions."),
    "tenants": _Command("tenants", "Tenants, their plans, quotas and use."),
    "audit": _Command("audit", "The audit trail: read, export, verify."),
    "chat": _Command("chat", "Talk with the desk as a customer does.", group=False),
    "import": _Command("importing", "FAQs and documents from files."),
    "intents": _Command("intents", "What the desk tells apart, and its training."),
    "loadtest": _Command("loadtest", "Have many customers write to the desk at the same time.", group=False),
    "version": _Command("status", "Show the version of this program.", group=False),
}
_EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 already running, 4 not logged in or not permitted, "
    "5 platform not reachable."
)


def main() -> None:
    """Entry point of `steward`."""
    # gRPC's core writes to standard error by itself, past every formatter; it reads this when it is first imported.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    # What is imported stays; looking through it for garbage again and again is a tenth of the start.
    gc.set_threshold(_STARTING)
    arguments = global_first(sys.argv[1:])
    try:
        build_app(arguments, everything=_COMPLETION in os.environ)(args=arguments, prog_name="steward")
    except KeyboardInterrupt:  # While modules were still being loaded.
        sys.exit(Exit.INTERRUPTED)


def build_app(arguments: Sequence[str], *, everything: bool = False) -> typer.Typer:
    """The command line with those commands loaded that the arguments name; of the others only the name is there."""
    app = typer.Typer(
        help="Steward, a platform for AI agents.",
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        callback=_take_options,
    )
    for name, command in _COMMANDS.items():
        if not everything and name not in arguments:
            app.command(name, help=command.help)(_not_loaded)
            continue
        loaded: typer.Typer = importlib.import_module(f"{_HERE}.{command.module}").app
        if command.group:
            app.add_typer(loaded, name=name, help=command.help)
        else:
            for info in loaded.registered_commands:
                if info.name == name and info.callback is not None:
                    app.command(name, help=command.help)(info.callback)
    return app


def _take_options(
    ctx: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="Address of the platform; else STEWARD_URL, the last log-in, or the one here.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(help="API key to use; else STEWARD_API_KEY, or the log-in.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON on stdout, for programs.")] = False,
    lang: Annotated[Lang | None, typer.Option(help="Language of messages; else as the system is set up.")] = None,
) -> None:
    """Keep the global options for the command."""
    ctx.obj = Options(url, api_key, json, lang)


def _not_loaded() -> None:
    """Stand in the list of commands; one that is called is loaded, so this is never run."""
