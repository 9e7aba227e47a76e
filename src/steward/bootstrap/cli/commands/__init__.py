"""The commands, one module for each group; each offers its typer application as `app`."""
