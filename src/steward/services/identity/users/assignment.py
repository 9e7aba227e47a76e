"""Roles: given, taken, listed and explained."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.db import Tx
from steward.services.identity.api import Explanation, Permission, Role, RoleInfo, User, UserId, UserState
from steward.services.identity.callers import own_id
from steward.services.identity.errors import UserNotFound
from steward.services.identity.events import RolesChanged
from steward.services.identity.keys.repository import ApiKeyRepository
from steward.services.identity.records import UserRow
from steward.services.identity.roles import explain, role_infos
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.trail import user_trail
from steward.services.identity.use_case import UseCase, refuse_stronger
from steward.services.identity.users.accounts import keep_an_owner
from steward.services.identity.users.repository import UserRepository


class Assignment(UseCase):
    """Who has which role, and what that means."""

    async def assign_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        async def give(tx: Tx, before: UserRow) -> bool:
            return await UserRepository(tx).add_role(before.id, role, self._parts.clock.now())

        return await self._reassign(ctx, user_id, role, "role.assigned", give)

    async def revoke_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        async def take(tx: Tx, before: UserRow) -> bool:
            if role is Role.OWNER:
                await keep_an_owner(tx, before)
            return await UserRepository(tx).remove_role(before.id, role)

        return await self._reassign(ctx, user_id, role, "role.revoked", take)

    async def list_roles(self, ctx: Ctx) -> Sequence[RoleInfo]:
        await self._parts.authz.require(ctx, "role:read", "role")
        return role_infos()

    async def explain_permission(self, ctx: Ctx, *, user_id: UserId, permission: Permission) -> Explanation:
        if own_id(ctx) != user_id:
            await self._parts.authz.require(ctx, "role:read", f"user/{user_id}")
        async with self._parts.db.tx(ctx) as tx:
            user = await UserRepository(tx).find(user_id)
        if user is None:
            raise UserNotFound(user_id)
        if user.state is not UserState.ACTIVE:
            return Explanation(permission=permission, allowed=False, because=[f"the user is {user.state}"])
        return explain(user.roles, permission)

    async def _reassign(
        self, ctx: Ctx, user_id: UserId, role: Role, action: str, change: Callable[[Tx, UserRow], Awaitable[bool]]
    ) -> User:
        resource = f"user/{user_id}"
        await self._parts.authz.require(ctx, "role:assign", resource)
        async with self._denials_audited(ctx, "role:assign", resource), self._parts.db.tx(ctx) as tx:
            before = await UserRepository(tx).lock(user_id)
            if before is None:
                raise UserNotFound(user_id)
            refuse_stronger([role], ctx.scopes)
            after = before
            if await change(tx, before):
                after = await self._record(tx, before, role, action)
        return await self._parts.people.user(ctx.require_tenant(), after)

    async def _record(self, tx: Tx, before: UserRow, role: Role, action: str) -> UserRow:
        roles = [known for known in Role if (known in before.roles) != (known is role)]
        after = msgspec.structs.replace(before, roles=roles, version=before.version + 1)
        tx.audit(
            Audit(
                action=action,
                resource=f"user/{before.id}",
                before=user_trail(before),
                after=user_trail(after),
                reason=role.value,
            )
        )
        tx.emit(
            RolesChanged(
                user_id=before.id,
                roles=roles,
                session_ids=await SessionRepository(tx).live_ids(before.id, self._parts.clock.now()),
                key_ids=await ApiKeyRepository(tx).live_ids(before.id),
            )
        )
        return after
