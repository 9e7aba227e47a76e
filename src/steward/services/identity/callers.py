"""Who calls: the user themself, or a key of theirs."""

import msgspec

from steward.kit.authz import LoginNeeded
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import Unauthenticated
from steward.kit.ids import TenantId
from steward.services.identity.api import SessionId, UserId
from steward.services.identity.errors import UserLoginNeeded


def own_id(ctx: Ctx) -> UserId | None:
    """The user who calls by a session of their own.

    None for an API key: it has its scopes and nothing else, not even what everyone may do to themself.
    """
    if ctx.tenant is None or ctx.actor.type is not ActorType.USER or ctx.key_id is not None:
        return None
    return _user_id(ctx)


def require_self(ctx: Ctx) -> UserId:
    """The user who calls by a session of their own. Raises `LoginNeeded`, for an API key `UserLoginNeeded`."""
    user_id = own_id(ctx)
    if user_id is None:
        raise _not_a_user(ctx)
    return user_id


def require_user(ctx: Ctx) -> UserId:
    """The user who calls, or whose key does. Raises `LoginNeeded`, for a key of nobody `UserLoginNeeded`."""
    if ctx.tenant is None or ctx.actor.type is not ActorType.USER:
        raise _not_a_user(ctx)
    return _user_id(ctx)


def as_user(ctx: Ctx, tenant: TenantId, user_id: UserId, session_id: SessionId | None = None) -> Ctx:
    """The same request as made by the user that it has just proved to be."""
    return msgspec.structs.replace(
        ctx, tenant=tenant, actor=Actor(ActorType.USER, str(user_id)), session_id=session_id, key_id=None
    )


def _not_a_user(ctx: Ctx) -> Unauthenticated:
    return LoginNeeded() if ctx.key_id is None else UserLoginNeeded()


def _user_id(ctx: Ctx) -> UserId:
    return msgspec.convert(ctx.actor.id, UserId)
