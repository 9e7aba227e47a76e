"""Accounts: users read, changed and deleted."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from steward.kit.audit import Audit
from steward.kit.context import Ctx
from steward.kit.db import Tx
from steward.kit.outbox import DomainEvent
from steward.kit.paging import Page, decode_cursor, encode_cursor
from steward.services.identity.api import Role, User, UserId, UserState, UserUpdate
from steward.services.identity.callers import own_id
from steward.services.identity.errors import LastOwner, UserChanged, UserNotFound, WrongUserState
from steward.services.identity.events import UserDeleted, UserDisabled, UserEnabled, UserRenamed
from steward.services.identity.keys.repository import ApiKeyRepository
from steward.services.identity.quotas import GiveBack
from steward.services.identity.records import UserRow
from steward.services.identity.sessions.repository import SessionRepository
from steward.services.identity.trail import user_trail
from steward.services.identity.use_case import UseCase
from steward.services.identity.users.repository import UserRepository

_MOVES = frozenset({(UserState.ACTIVE, UserState.DISABLED), (UserState.DISABLED, UserState.ACTIVE)})


async def keep_an_owner(tx: Tx, user: UserRow) -> None:
    """Raise `LastOwner` where the tenant would be without an active owner if this user were none any more."""
    counts = Role.OWNER in user.roles and user.state is not UserState.DISABLED
    if counts and not await UserRepository(tx).another_owner(user.id):
        raise LastOwner


class Accounts(UseCase):
    """Users as their tenant's administrators, and they themselves, see and change them."""

    async def get_user(self, ctx: Ctx, *, user_id: UserId) -> User:
        if own_id(ctx) != user_id:
            await self._parts.authz.require(ctx, "user:read", f"user/{user_id}")
        return await self._user(ctx, user_id)

    async def list_users(self, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        await self._parts.authz.require(ctx, "user:read", "user")
        after = decode_cursor(cursor, UUID)
        async with self._parts.db.read(ctx) as tx:
            rows = await UserRepository(tx).page(after, limit + 1)
        tenant = ctx.require_tenant()
        items = [await self._parts.people.user(tenant, row) for row in rows[:limit]]
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def update_user(self, ctx: Ctx, *, user_id: UserId, change: UserUpdate) -> User:
        own = own_id(ctx) == user_id
        if not own or change.state is not None:
            await self._parts.authz.require(ctx, "user:update", f"user/{user_id}")
        name = None
        if change.name is not None:
            name = await self._parts.people.seal_name(ctx.require_tenant(), change.name)
        async with self._denials_audited(ctx, "user:update", f"user/{user_id}"), self._parts.db.tx(ctx) as tx:
            before = await self._locked(tx, user_id)
            if change.version is not None and change.version != before.version:
                raise UserChanged(change.version, before.version)
            if not own:
                await self._refuse_over_stronger(tx, ctx, before)
            happened = await self._change(tx, before, name, change.state)
            if happened:
                after = msgspec.structs.replace(
                    before, state=change.state or before.state, version=before.version + len(happened)
                )
                trail = Audit(
                    action="user.updated",
                    resource=f"user/{user_id}",
                    before=user_trail(before),
                    after=user_trail(after),
                )
                tx.audit(trail)
                for event in happened:
                    tx.emit(event)
        return await self._user(ctx, user_id)

    async def delete_user(self, ctx: Ctx, *, user_id: UserId) -> None:
        resource = f"user/{user_id}"
        await self._parts.authz.require(ctx, "user:delete", resource)
        intent = await self._parts.quotas.prepare_giving_back(ctx, GiveBack(user_id=user_id))
        async with self._denials_audited(ctx, "user:delete", resource), self._parts.db.tx(ctx) as tx:
            user = await self._locked(tx, user_id)
            await self._refuse_over_stronger(tx, ctx, user)
            await keep_an_owner(tx, user)
            now = self._parts.clock.now()
            session_ids = await SessionRepository(tx).revoke_all(user_id, now)
            keys = ApiKeyRepository(tx)
            key_ids = await keys.live_ids(user_id)
            await keys.revoke(key_ids, now)
            await UserRepository(tx).erase(user_id)
            tx.audit(Audit(action="user.deleted", resource=resource, before=user_trail(user)))
            tx.emit(UserDeleted(user_id=user_id, session_ids=session_ids, key_ids=key_ids))
            await self._parts.intents.commit(tx, intent)
        await self._parts.quotas.give_back(ctx, intent)

    async def _change(
        self, tx: Tx, before: UserRow, name: bytes | None, state: UserState | None
    ) -> Sequence[DomainEvent]:
        """Make the changes; what happened, one event for each."""
        happened: list[DomainEvent] = []
        rows = UserRepository(tx)
        if name is not None:
            await rows.set_name(before.id, name)
            happened.append(UserRenamed(user_id=before.id))
        if state is not None and state is not before.state:
            if (before.state, state) not in _MOVES:
                raise WrongUserState(before.state.value, state.value)
            if state is UserState.DISABLED:
                await keep_an_owner(tx, before)
                happened.append(await self._shut_out(tx, before.id))
            else:
                happened.append(UserEnabled(user_id=before.id))
            await rows.set_state(before.id, state)
        return happened

    async def _shut_out(self, tx: Tx, user_id: UserId) -> UserDisabled:
        session_ids = await SessionRepository(tx).revoke_all(user_id, self._parts.clock.now())
        return UserDisabled(
            user_id=user_id, session_ids=session_ids, key_ids=await ApiKeyRepository(tx).live_ids(user_id)
        )

    async def _locked(self, tx: Tx, user_id: UserId) -> UserRow:
        user = await UserRepository(tx).lock(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user

    async def _user(self, ctx: Ctx, user_id: UserId) -> User:
        async with self._parts.db.read(ctx) as tx:
            row = await UserRepository(tx).find(user_id)
        if row is None:
            raise UserNotFound(user_id)
        return await self._parts.people.user(ctx.require_tenant(), row)
