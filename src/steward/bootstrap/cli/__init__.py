"""The command line `steward`.

Starting it must be fast, for people press Enter and wait: only typer is loaded before the command is known, and each
command's module with what it needs (HTTP client, tables, the platform itself) when it is called.

Exit codes: see `exits.Exit`. On stdout stands the answer and nothing else; notes, prompts, progress and errors go to
stderr, so `--json` can be piped.
"""

from steward.bootstrap.cli.app import main

__all__ = ["main"]
