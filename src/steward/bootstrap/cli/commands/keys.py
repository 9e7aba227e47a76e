"""`steward keys`: API keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from steward.bootstrap.cli.commands.arguments import CursorOption, Every, Limit, Yes, aware
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.output import Shown
from steward.services.identity.api import KeyKind

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ("id", "name", "kind", "prefix", "scopes", "expires", "last_used", "revoked")


@app.command("list")
@command
async def list_keys(
    invocation: Invocation, limit: Limit = 50, cursor: CursorOption = None, *, every: Every = False
) -> None:
    """List the tenant's API keys, oldest first; never their secrets."""
    page = await invocation.page(invocation.client.keys.list, limit=limit, cursor=cursor, every=every)
    rows = [
        (str(key.id), key.name, key.kind, key.prefix, key.scopes, key.expires_at, key.last_used_at, key.revoked_at)
        for key in page.items
    ]
    invocation.out.table(page, _COLUMNS, rows)
    invocation.more(page)


@app.command("create")
@command
async def create_key(
    invocation: Invocation,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    kind: Annotated[KeyKind, typer.Option(help="`publishable` keys may stand in a web page.")] = KeyKind.SECRET,
    scope: Annotated[list[str] | None, typer.Option(help="A permission of the key; may be repeated.")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When it ends, in local time.")] = None,
) -> None:
    """Create an API key; its secret is shown this once."""
    created = await invocation.client.keys.create(name=name, kind=kind, scopes=scope or (), expires_at=aware(expires))
    key = created.api_key
    fields: Mapping[str, Shown] = {
        "secret": created.secret,
        "id": str(key.id),
        "name": key.name,
        "kind": key.kind,
        "scopes": key.scopes,
        "expires": key.expires_at,
    }
    invocation.out.record(created, fields)
    invocation.out.note("keys.created")


@app.command("revoke")
@command
async def revoke_key(
    invocation: Invocation,
    key: Annotated[UUID, typer.Argument(metavar="KEY", help="Id of the key.")],
    *,
    yes: Yes = False,
) -> None:
    """Revoke an API key at once."""
    if not yes:
        invocation.out.confirmed("confirm.revoke_key", key=key)
    revoked = await invocation.client.keys.revoke(key)
    if invocation.out.json:
        invocation.out.record(revoked, {})
    else:
        invocation.out.done("keys.revoked", name=revoked.name)
