"""The beginning and the end of a tenant's users, at the word of the tenants service."""

from datetime import timedelta

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.services.identity.api import Email, Role, Secret, User, UserId
from steward.services.identity.errors import InvalidCredential
from steward.services.identity.events import IdentitiesErased
from steward.services.identity.users.invitations import InvitationIntent, Inviting, invitation_credential
from steward.services.identity.users.repository import UserRepository


class Provisioning(Inviting):
    """First and last acts."""

    async def provision_owner(self, ctx: Ctx, *, user_id: UserId, email: Email, invitation: Secret) -> User:
        await self._parts.authz.require(ctx, "service:provision", f"user/{user_id}")
        tenant = ctx.require_tenant()
        if invitation_credential(invitation).tenant != tenant:
            raise InvalidCredential
        now = self._parts.clock.now()
        state = InvitationIntent(
            user_id=user_id,
            email=email,
            name="",
            roles=[Role.OWNER],
            token=invitation,
            at=now,
            expires_at=now + timedelta(seconds=self._parts.settings.invitation_seconds),
        )
        return await self._parts.people.user(tenant, await self._insert_invited(ctx, state))

    async def erase_tenant(self, ctx: Ctx) -> None:
        await self._parts.authz.require(ctx, "service:provision", f"tenant/{ctx.tenant}")
        async with self._parts.db.tx(ctx) as tx:
            erased = await UserRepository(tx).erase_all()
            if erased:
                tx.audit(Audit(action="user.all_erased", resource=f"tenant/{ctx.tenant}", reason=f"{erased} users"))
                tx.emit(IdentitiesErased())
