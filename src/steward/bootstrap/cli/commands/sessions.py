"""`steward sessions`: log-in sessions."""

from typing import Annotated
from uuid import UUID

import typer

from steward.bootstrap.cli.commands.arguments import Yes
from steward.bootstrap.cli.invocation import Invocation, command

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ("id", "created", "last_used", "expires", "address", "user_agent", "current")


@app.command("list")
@command
async def list_sessions(
    invocation: Invocation,
    user: Annotated[UUID | None, typer.Option(help="Another user's sessions instead of your own.")] = None,
) -> None:
    """List live sessions, newest first."""
    found = await invocation.client.sessions.list(user_id=user)
    rows = [
        (str(one.id), one.created_at, one.last_used_at, one.expires_at, one.address, one.user_agent, one.current)
        for one in found
    ]
    invocation.out.table({"items": found}, _COLUMNS, rows)


@app.command("revoke")
@command
async def revoke_session(
    invocation: Invocation,
    session: Annotated[UUID, typer.Argument(metavar="SESSION", help="Id of the session.")],
    *,
    yes: Yes = False,
) -> None:
    """End a session at once."""
    if not yes:
        invocation.out.confirmed("confirm.revoke_session", session=session)
    await invocation.client.sessions.revoke(session)
    invocation.out.done("sessions.revoked", session=session)
