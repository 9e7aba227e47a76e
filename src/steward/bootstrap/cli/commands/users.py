"""`steward users`: users and their roles."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer

from steward.bootstrap.cli.commands.arguments import CursorOption, Every, Limit, Yes
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.output import Shown
from steward.services.identity.api import Role, User, UserState, UserUpdate

app = typer.Typer(no_args_is_help=True)

UserArgument = Annotated[UUID, typer.Argument(metavar="USER", help="Id of the user.")]
RoleArgument = Annotated[Role, typer.Argument(help="Name of the role.")]


@app.command("list")
@command
async def list_users(
    invocation: Invocation, limit: Limit = 50, cursor: CursorOption = None, *, every: Every = False
) -> None:
    """List the tenant's users, oldest first."""
    page = await invocation.page(invocation.client.users.list, limit=limit, cursor=cursor, every=every)
    word = invocation.out.texts.word
    rows = [
        (str(user.id), user.email, user.name, word(user.state), user.roles, user.last_login_at) for user in page.items
    ]
    invocation.out.table(page, ("id", "email", "name", "state", "roles", "last_login"), rows)
    invocation.more(page)


@app.command("invite")
@command
async def invite_user(
    invocation: Invocation,
    email: Annotated[str, typer.Argument(help="Whom to invite.")],
    name: Annotated[str, typer.Option(help="Their name.")],
    role: Annotated[list[Role], typer.Option(help="A role to give; may be repeated.")],
) -> None:
    """Invite a user; the token to register with is shown this once."""
    invitation = await invocation.client.users.invite(email=email, name=name, roles=role)
    fields = {"token": invitation.token, "expires": invitation.expires_at, **_fields(invocation, invitation.user)}
    invocation.out.record(invitation, fields)
    invocation.out.note("users.invited", email=email)


@app.command("show")
@command
async def show_user(invocation: Invocation, user: UserArgument) -> None:
    """Show one user."""
    found = await invocation.client.users.get(user)
    invocation.out.record(found, _fields(invocation, found))


@app.command("rename")
@command
async def rename_user(
    invocation: Invocation, user: UserArgument, name: Annotated[str, typer.Argument(help="The new name.")]
) -> None:
    """Change a user's name."""
    changed = await invocation.client.users.update(user, UserUpdate(name=name))
    _show_changed(invocation, changed, "users.renamed")


@app.command("disable")
@command
async def disable_user(invocation: Invocation, user: UserArgument, *, yes: Yes = False) -> None:
    """Keep a user out; their sessions end at once."""
    if not yes:
        invocation.out.confirmed("confirm.disable_user", user=user)
    changed = await invocation.client.users.update(user, UserUpdate(state=UserState.DISABLED))
    _show_changed(invocation, changed, "users.disabled")


@app.command("enable")
@command
async def enable_user(invocation: Invocation, user: UserArgument) -> None:
    """Let a disabled user in again."""
    changed = await invocation.client.users.update(user, UserUpdate(state=UserState.ACTIVE))
    _show_changed(invocation, changed, "users.enabled")


@app.command("delete")
@command
async def delete_user(invocation: Invocation, user: UserArgument, *, yes: Yes = False) -> None:
    """Delete a user and erase their personal data."""
    if not yes:
        invocation.out.confirmed("confirm.delete_user", user=user)
    await invocation.client.users.delete(user)
    invocation.out.done("users.deleted", user=user)


@app.command("roles")
@command
async def list_roles(invocation: Invocation) -> None:
    """List the roles with what each permits."""
    roles = await invocation.client.users.roles()
    rows = [(role.role, role.inherits, role.permissions) for role in roles]
    invocation.out.table({"items": roles}, ("role", "inherits", "permissions"), rows)


@app.command("assign")
@command
async def assign_role(invocation: Invocation, user: UserArgument, role: RoleArgument) -> None:
    """Give a user a role."""
    changed = await invocation.client.users.assign_role(user, role)
    _show_changed(invocation, changed, "users.roles_changed")


@app.command("revoke")
@command
async def revoke_role(invocation: Invocation, user: UserArgument, role: RoleArgument) -> None:
    """Take a role from a user."""
    changed = await invocation.client.users.revoke_role(user, role)
    _show_changed(invocation, changed, "users.roles_changed")


@app.command("explain")
@command
async def explain_permission(
    invocation: Invocation,
    user: UserArgument,
    permission: Annotated[str, typer.Argument(help="`resource:action`, such as `user:invite`.")],
) -> None:
    """Say why a user may or may not do something; exit code 1 when they may not."""
    explanation = await invocation.client.users.explain(user, permission)
    fields: Mapping[str, Shown] = {
        "permission": explanation.permission,
        "allowed": explanation.allowed,
        "because": "; ".join(explanation.because),
    }
    invocation.out.record(explanation, fields)
    raise typer.Exit(Exit.OK if explanation.allowed else Exit.FAILED)


def _fields(invocation: Invocation, user: User) -> Mapping[str, Shown]:
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "state": invocation.out.texts.word(user.state),
        "roles": user.roles,
        "created": user.created_at,
        "last_login": user.last_login_at,
    }


def _show_changed(invocation: Invocation, user: User, key: str) -> None:
    if invocation.out.json:
        invocation.out.record(user, {})
    else:
        invocation.out.done(key, email=user.email, roles=", ".join(user.roles), name=user.name)
