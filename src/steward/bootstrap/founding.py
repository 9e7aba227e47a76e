"""The first operator of an installation that has no demo tenant: what `steward init` does, beside running processes.

Without a platform operator nobody can create a tenant, and only one can make another. So the first one is made by
whoever can read the installation's master key and reach its database, who could do everything anyway.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec

from steward.bootstrap.database import DatabaseServer, bring_up_to_date, database_server, external_postgres
from steward.bootstrap.foundation import Foundation, open_foundation
from steward.bootstrap.home import Home
from steward.bootstrap.modules import MODULES, migration_locations, service_names
from steward.bootstrap.services import assemble
from steward.bootstrap.settings import Settings
from steward.bootstrap.version import version
from steward.kit.clock import SystemClock
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import InvalidInput
from steward.kit.ids import PLATFORM, Ids, TenantId
from steward.kit.module import Apis
from steward.kit.telemetry import Telemetry
from steward.services.identity.api import Email, IdentityApi, Name, Role, UserId
from steward.services.identity.roles import permissions_of
from steward.services.tenants.api import Plan, Slug, TenantsApi
from steward.services.tenants.errors import SlugTaken

_PATIENCE = timedelta(seconds=60)
_ROLES = (Role.OWNER, Role.PLATFORM_OPERATOR)


class Founding(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to invite, and the tenant of the people who run the platform."""

    email: Email
    slug: Slug
    name: Name


class FirstOperator(msgspec.Struct, frozen=True, kw_only=True):
    """An invited platform operator."""

    tenant: TenantId
    slug: str
    email: str
    token: str
    """Of the invitation; shown this once, and again for the same call within a day."""


async def invite_first_operator(
    settings: Settings, environment: Mapping[str, str], *, email: str, slug: str, name: str
) -> FirstOperator:
    """Migrate the database, make the operators' tenant unless it is there, and invite an owner and operator to it.

    Raises `InvalidInput`, `EmailTaken`, and what a start raises. `AlreadyRunning` where `steward up` holds the
    embedded database.
    """
    try:
        wanted = msgspec.convert({"email": email, "slug": slug, "name": name}, Founding)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{error}: correct it") from error
    clock = SystemClock()
    home = Home(settings.platform.home)
    home.create()
    async with AsyncExitStack() as stack:
        telemetry = Telemetry(settings.telemetry, clock, Ids(clock), version=version())
        telemetry.take_over_stdlib_logs()
        stack.callback(telemetry.shutdown)
        server = _database(stack, settings, home, telemetry)
        await server.start()
        stack.push_async_callback(server.stop)
        await bring_up_to_date(server, migration_locations(), telemetry.log)
        foundation = await open_foundation(
            server.app_url,
            home=home.path,
            environment=environment,
            peers={},
            pool_size=2,
            telemetry=telemetry,
            clock=clock,
        )
        stack.push_async_callback(foundation.close)
        # Built and not started: their background work is the platform's, which may be running elsewhere.
        services = assemble(foundation, MODULES, service_names())
        stack.push_async_callback(services.stop)
        return await _Operators(foundation, services.apis).found(wanted)


def _database(stack: AsyncExitStack, settings: Settings, home: Home, telemetry: Telemetry) -> DatabaseServer:
    """Somebody else's PostgreSQL needs no hold on the home, so that this works while `steward up` serves on it."""
    external = external_postgres(settings.platform)
    if external is not None:
        return external
    lock = home.lock(exclusive=False)
    stack.callback(lock.release)
    return database_server(settings.platform, home, lock, SystemClock(), telemetry.log, shared=True)


class _Operators:
    """Makes the tenant and its people through the services' own operations."""

    def __init__(self, foundation: Foundation, apis: Apis) -> None:
        self._foundation = foundation
        self._tenants = apis.get(TenantsApi)
        self._identity = apis.get(IdentityApi)

    async def found(self, wanted: Founding) -> FirstOperator:
        ctx = self._ctx(wanted)
        try:
            made = await self._tenants.create_tenant(
                ctx, name=wanted.name, slug=wanted.slug, plan=Plan.ENTERPRISE, owner_email=wanted.email
            )
        except SlugTaken:
            return await self._invite(ctx, wanted)
        await self._identity.assign_role(
            ctx.for_tenant(made.tenant.id), user_id=UserId(made.owner_id), role=Role.PLATFORM_OPERATOR
        )
        return FirstOperator(tenant=made.tenant.id, slug=wanted.slug, email=wanted.email, token=made.invitation_token)

    async def _invite(self, ctx: Ctx, wanted: Founding) -> FirstOperator:
        """Invite one more to the tenant that is there: the first invitation may be lost, or its owner gone."""
        tenant = await self._tenants.find_tenant(ctx, slug=wanted.slug)
        invited = await self._identity.invite_user(
            ctx.for_tenant(tenant), email=wanted.email, name="Operator", roles=list(_ROLES)
        )
        return FirstOperator(tenant=tenant, slug=wanted.slug, email=wanted.email, token=invited.token)

    def _ctx(self, wanted: Founding) -> Ctx:
        return Ctx(
            tenant=PLATFORM,
            actor=Actor(ActorType.SERVICE, "init"),
            scopes=permissions_of(_ROLES) | {"service:edge"},
            request_id=f"init-{self._foundation.ids.new().hex}",
            deadline=self._foundation.clock.now() + _PATIENCE,
            # The same call again shows the same invitation, for the first answer may never have been seen.
            idempotency_key=f"init {wanted.slug} {wanted.email}",
        )
