"""`steward tenants`: tenants, their plans, quotas and use."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer

from steward.bootstrap.cli.commands.arguments import CursorOption, Every, Limit, Yes
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.options import Lang
from steward.bootstrap.cli.output import Shown
from steward.services.tenants.api import Plan, Quota, Tenant, TenantUpdate

app = typer.Typer(no_args_is_help=True)

TenantArgument = Annotated[UUID, typer.Argument(metavar="TENANT", help="Id of the tenant.")]


@app.command("list")
@command
async def list_tenants(
    invocation: Invocation, limit: Limit = 50, cursor: CursorOption = None, *, every: Every = False
) -> None:
    """List all tenants, oldest first."""
    page = await invocation.page(invocation.client.tenants.list, limit=limit, cursor=cursor, every=every)
    word = invocation.out.texts.word
    rows = [(str(one.id), one.slug, one.name, one.plan, word(one.state), one.created_at) for one in page.items]
    invocation.out.table(page, ("id", "slug", "name", "plan", "state", "created"), rows)
    invocation.more(page)


@app.command("create")
@command
async def create_tenant(
    invocation: Invocation,
    slug: Annotated[str, typer.Argument(help="Unique short name: lower-case letters, digits, hyphens.")],
    name: Annotated[str, typer.Option(help="Name to show.")],
    owner: Annotated[str, typer.Option(help="E-mail address of the first user, the owner.")],
    plan: Annotated[Plan, typer.Option(help="What the tenant may use.")] = Plan.FREE,
) -> None:
    """Create a tenant with an invited owner; the invitation's token is shown this once."""
    created = await invocation.client.tenants.create(name=name, slug=slug, plan=plan, owner_email=owner)
    invocation.out.record(created, {"token": created.invitation_token, **_fields(invocation, created.tenant)})
    invocation.out.note("tenants.created", email=owner)


@app.command("show")
@command
async def show_tenant(invocation: Invocation, tenant: TenantArgument) -> None:
    """Show one tenant."""
    found = await invocation.client.tenants.get(tenant)
    invocation.out.record(found, _fields(invocation, found))


@app.command("usage")
@command
async def show_usage(invocation: Invocation, tenant: TenantArgument) -> None:
    """Show the limit and the use of every quota."""
    usage = await invocation.client.tenants.usage(tenant)
    rows = [(one.quota, one.used, one.limit, one.overridden) for one in usage.quotas]
    invocation.out.table(usage, ("quota", "used", "limit", "overridden"), rows)


@app.command("suspend")
@command
async def suspend_tenant(
    invocation: Invocation,
    tenant: TenantArgument,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")],
    *,
    yes: Yes = False,
) -> None:
    """Refuse all of a tenant's calls until it is resumed."""
    if not yes:
        invocation.out.confirmed("confirm.suspend_tenant", tenant=tenant)
    changed = await invocation.client.tenants.suspend(tenant, reason=reason)
    _show_changed(invocation, changed, "tenants.suspended")


@app.command("resume")
@command
async def resume_tenant(invocation: Invocation, tenant: TenantArgument) -> None:
    """Undo a suspension."""
    _show_changed(invocation, await invocation.client.tenants.resume(tenant), "tenants.resumed")


@app.command("delete")
@command
async def delete_tenant(invocation: Invocation, tenant: TenantArgument, *, yes: Yes = False) -> None:
    """Delete a tenant for good: its keys are destroyed."""
    if not yes:
        invocation.out.confirmed("confirm.delete_tenant", tenant=tenant)
    await invocation.client.tenants.delete(tenant)
    invocation.out.done("tenants.deleted", tenant=tenant)


@app.command("quota")
@command
async def set_quota(
    invocation: Invocation,
    tenant: TenantArgument,
    quota: Annotated[Quota, typer.Argument(help="Which quota.")],
    limit: Annotated[int | None, typer.Argument(min=0, help="The limit from now on; absent for the plan's.")] = None,
) -> None:
    """Override a quota of the plan, or go back to the plan's."""
    use = await invocation.client.tenants.set_quota(tenant, quota, limit)
    fields: Mapping[str, Shown] = {
        "quota": use.quota,
        "used": use.used,
        "limit": use.limit,
        "overridden": use.overridden,
    }
    invocation.out.record(use, fields)


@app.command("update")
@command
async def update_tenant(
    invocation: Invocation,
    tenant: TenantArgument,
    name: Annotated[str | None, typer.Option(help="Name to show.")] = None,
    plan: Annotated[Plan | None, typer.Option(help="What the tenant may use.")] = None,
    locale: Annotated[Lang | None, typer.Option(help="Language of its messages.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="A web origin that may call; repeat for several.")] = None,
    *,
    no_origins: Annotated[bool, typer.Option("--no-origins", help="Let no web origin call.")] = False,
) -> None:
    """Change a tenant; what is not named stays."""
    origins = [] if no_origins else origin or None
    change = TenantUpdate(name=name, plan=plan, locale=locale, allowed_origins=origins)
    if change == TenantUpdate():
        raise typer.BadParameter(invocation.out.texts("tenants.nothing_to_change"))
    _show_changed(invocation, await invocation.client.tenants.update(tenant, change), "tenants.updated")


def _fields(invocation: Invocation, tenant: Tenant) -> Mapping[str, Shown]:
    return {
        "id": str(tenant.id),
        "slug": tenant.slug,
        "name": tenant.name,
        "plan": tenant.plan,
        "state": invocation.out.texts.word(tenant.state),
        "locale": tenant.locale,
        "origins": tenant.allowed_origins,
        "created": tenant.created_at,
    }


def _show_changed(invocation: Invocation, tenant: Tenant, key: str) -> None:
    if invocation.out.json:
        invocation.out.record(tenant, {})
    else:
        invocation.out.done(key, slug=tenant.slug)
