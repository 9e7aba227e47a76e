"""The demo tenant of the embedded mode: made at the first start through the services' own operations.

What it was going to make is written down first (the password and a name for the Idempotency-Keys), so that a crash at
any point is continued at the next start and gives the same log-in.
"""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import msgspec

from steward.bootstrap.foundation import Foundation
from steward.bootstrap.home import Credentials, Home, write_atomically
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.ids import PLATFORM, TenantId
from steward.kit.module import Apis
from steward.services.identity.api import IdentityApi, Role, Tokens, UserId
from steward.services.identity.errors import InvalidCredential
from steward.services.identity.roles import permissions_of
from steward.services.tenants.api import Plan, TenantsApi
from steward.services.tenants.errors import SlugTaken

SLUG = "demo"
EMAIL = "owner@demo.example"
PASSWORD_BYTES = 12


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the first start decided to make."""

    key: str
    password: str


class Owner(NamedTuple):
    """Whom the demo log-in is for."""

    tenant: TenantId
    user_id: UserId
    email: str
    invitation: str


class Seed:
    """Makes the demo tenant, its owner and an API key, once."""

    def __init__(self, foundation: Foundation, apis: Apis, home: Home, url: str) -> None:
        self._clock = foundation.clock
        self._ids = foundation.ids
        self._tenants = apis.get(TenantsApi)
        self._identity = apis.get(IdentityApi)
        self._home = home
        self._url = url

    async def run(self) -> Credentials:
        """The demo log-in, made now if this is the first start; its address is that of this start."""
        known = self._home.read_credentials()
        if known is None:
            known = await self._make(self._decide())
        credentials = msgspec.structs.replace(known, url=self._url)
        self._home.write_credentials(credentials)
        (self._home.path / "seed.json").unlink(missing_ok=True)
        return credentials

    def _decide(self) -> Decision:
        file = self._home.path / "seed.json"
        if file.exists():
            return msgspec.json.decode(file.read_bytes(), type=Decision)
        # Letters and digits only, so that it survives every shell and chat window.
        text = self._ids.token(PASSWORD_BYTES).hex()
        password = "-".join(text[start : start + 6] for start in range(0, len(text), 6))
        plan = Decision(key=self._ids.new().hex, password=password)
        write_atomically(file, msgspec.json.encode(plan))
        return plan

    async def _make(self, plan: Decision) -> Credentials:
        try:
            owner = await self._new_tenant(plan)
        except SlugTaken:
            # There is a demo tenant and its log-in is lost: who may read this home gets an owner's log-in again.
            owner = await self._another_owner(plan)
        tokens = await self._log_in(owner, plan)
        everything = permissions_of((Role.OWNER, Role.PLATFORM_OPERATOR))
        await self._identity.assign_role(
            self._ctx(owner.tenant, plan, *everything), user_id=owner.user_id, role=Role.PLATFORM_OPERATOR
        )
        ctx = await self._as_owner(tokens, plan)
        key = await self._identity.create_api_key(ctx, name="demo", scopes=sorted(ctx.scopes))
        return Credentials(
            url=self._url, tenant=str(owner.tenant), email=owner.email, password=plan.password, api_key=key.secret
        )

    async def _new_tenant(self, plan: Decision) -> Owner:
        created = await self._tenants.create_tenant(
            self._ctx(PLATFORM, plan, "platform:tenants"),
            name="Demo",
            slug=SLUG,
            plan=Plan.ENTERPRISE,
            owner_email=EMAIL,
        )
        return Owner(created.tenant.id, UserId(created.owner_id), EMAIL, created.invitation_token)

    async def _another_owner(self, plan: Decision) -> Owner:
        tenant = await self._tenants.find_tenant(self._ctx(PLATFORM, plan, "service:edge"), slug=SLUG)
        email = f"owner-{plan.key[-8:]}@demo.example"
        ctx = self._ctx(tenant, plan, *permissions_of((Role.OWNER,)))
        invited = await self._identity.invite_user(ctx, email=email, name="Demo Owner", roles=[Role.OWNER])
        return Owner(tenant, invited.user.id, email, invited.token)

    async def _log_in(self, owner: Owner, plan: Decision) -> Tokens:
        """Accept the invitation and log in; an invitation that is used up was accepted before a crash."""
        ctx = self._ctx(None, plan)
        with suppress(InvalidCredential):
            await self._identity.register(ctx, token=owner.invitation, name="Demo Owner", password=plan.password)
        return await self._identity.login(ctx, email=owner.email, password=plan.password, tenant=SLUG)

    async def _as_owner(self, tokens: Tokens, plan: Decision) -> Ctx:
        asking = self._ctx(None, plan, "service:edge")
        principal = await self._identity.authenticate(asking, credential=tokens.access_token)
        return msgspec.structs.replace(
            asking,
            tenant=principal.tenant,
            actor=principal.actor,
            scopes=principal.scopes,
            session_id=principal.session_id,
        )

    def _ctx(self, tenant: TenantId | None, plan: Decision, *scopes: str) -> Ctx:
        return Ctx(
            tenant=tenant,
            actor=Actor(ActorType.SERVICE, "seed"),
            scopes=frozenset(scopes),
            request_id=f"seed-{plan.key}",
            deadline=self._clock.now() + timedelta(seconds=60),
            idempotency_key=f"seed-{plan.key}",
        )
