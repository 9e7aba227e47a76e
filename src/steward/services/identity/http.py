"""The HTTP routes of the identity service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter, SkipValidation
from msgspec import Meta

from steward.kit.paging import Page
from steward.kit.web import CHANGES_USER, OPEN, Caller, Items, PageCursor, PageLimit, aware, ends_access
from steward.services.identity.api import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyId,
    Email,
    Explanation,
    IdentityApi,
    Invitation,
    JsonWebKeySet,
    KeyKind,
    Name,
    Password,
    Permission,
    Principal,
    Role,
    RoleInfo,
    Secret,
    Session,
    SessionId,
    Tokens,
    User,
    UserId,
    UserUpdate,
)

IdentityPort = NamedDependency[SkipValidation[IdentityApi]]

LOGIN: Final = ("Log-in",)
USERS: Final = ("Users",)
KEYS: Final = ("API keys",)

NewPassword = Annotated[Password, Meta(extra={"sensitive": True})]
PermissionPath = Annotated[
    str, PathParameter(pattern=r"^[a-z-]+:[a-z-]+$", max_length=64, description="`resource:action`.")
]
OfUser = Annotated[UserId | None, QueryParameter(description="Whose sessions; one's own when absent.")]


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email
    password: Secret
    tenant: Annotated[str, Meta(min_length=1, max_length=63)] | None = None
    """Id or slug; needed only where the address has users in several tenants."""


class RefreshBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: Secret


class RegisterBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Secret
    """The invitation's token."""
    name: Name
    password: NewPassword


class PasswordBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    current: Secret
    new: NewPassword


class InviteBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email
    name: Name
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=len(Role))]


class UserUpdateBody(UserUpdate, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; an absent field stays."""


class ApiKeyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    kind: KeyKind = KeyKind.SECRET
    scopes: Annotated[tuple[Permission, ...], Meta(max_length=64)] = ()
    """What the key may do; each must lie within the caller's own permissions."""
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


@post("/api/v1/auth/login", tags=LOGIN, status_code=200, opt=OPEN)
async def login(ctx: Caller, identity: IdentityPort, data: JSONBody[LoginBody]) -> Tokens:
    """Log in with e-mail address and password

    After five failures in a row the account is locked for a quarter of an hour.
    """
    return await identity.login(ctx, email=data.email, password=data.password, tenant=data.tenant)


@post("/api/v1/auth/refresh", tags=LOGIN, status_code=200, opt=OPEN)
async def refresh(ctx: Caller, identity: IdentityPort, data: JSONBody[RefreshBody]) -> Tokens:
    """Trade a refresh token for new tokens

    Each refresh token is good once; a second use ends the session.
    """
    return await identity.refresh(ctx, refresh_token=data.refresh_token)


@post("/api/v1/auth/register", tags=LOGIN, opt=OPEN)
async def register(ctx: Caller, identity: IdentityPort, data: JSONBody[RegisterBody]) -> User:
    """Accept an invitation

    Sets name and password of the invited user, who can log in from then on.
    """
    return await identity.register(ctx, token=data.token, name=data.name, password=data.password)


@post("/api/v1/auth/logout", tags=LOGIN, status_code=204, opt=ends_access())
async def logout(ctx: Caller, identity: IdentityPort) -> None:
    """End the caller's session"""
    await identity.logout(ctx)


@get("/api/v1/auth/me", tags=LOGIN)
async def whoami(ctx: Caller, identity: IdentityPort) -> Principal:
    """Get who the caller is and what they may do"""
    return await identity.whoami(ctx)


@post("/api/v1/auth/password", tags=LOGIN, status_code=204, opt=ends_access())
async def change_password(ctx: Caller, identity: IdentityPort, data: JSONBody[PasswordBody]) -> None:
    """Change the caller's password

    The caller's other sessions end.
    """
    await identity.change_password(ctx, current=data.current, new=data.new)


@get("/api/v1/auth/sessions", tags=LOGIN)
async def list_sessions(ctx: Caller, identity: IdentityPort, user_id: OfUser = None) -> Items[Session]:
    """List live sessions, newest first

    One's own, or another user's with `session:read`; at most 100.
    """
    return Items(list(await identity.list_sessions(ctx, user_id=user_id)))


@delete("/api/v1/auth/sessions/{session_id:str}", tags=LOGIN, opt=ends_access())
async def revoke_session(ctx: Caller, identity: IdentityPort, session_id: FromPath[SessionId]) -> None:
    """End a session

    One's own, or any with `session:revoke`.
    """
    await identity.revoke_session(ctx, session_id=session_id)


@post("/api/v1/users", tags=USERS)
async def invite_user(ctx: Caller, identity: IdentityPort, data: JSONBody[InviteBody]) -> Invitation:
    """Invite a user

    The invitation's token is shown this once. Needs `user:invite`; no role may exceed the caller's own permissions.
    """
    return await identity.invite_user(ctx, email=data.email, name=data.name, roles=data.roles)


@get("/api/v1/users", tags=USERS)
async def list_users(
    ctx: Caller, identity: IdentityPort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[User]:
    """List the tenant's users, oldest first

    Needs `user:read`.
    """
    return await identity.list_users(ctx, limit=limit, cursor=cursor)


@get("/api/v1/users/{user_id:str}", tags=USERS)
async def get_user(ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId]) -> User:
    """Get a user

    Oneself, or any with `user:read`.
    """
    return await identity.get_user(ctx, user_id=user_id)


@patch("/api/v1/users/{user_id:str}", tags=USERS, opt={**CHANGES_USER, **ends_access("state")})
async def update_user(
    ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId], data: JSONBody[UserUpdateBody]
) -> User:
    """Change a user

    One's own name, or anything with `user:update`. Disabling a user ends every session at once.
    """
    return await identity.update_user(ctx, user_id=user_id, change=data)


@delete("/api/v1/users/{user_id:str}", tags=USERS, opt=ends_access())
async def delete_user(ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId]) -> None:
    """Delete a user

    Sessions end, keys are revoked, personal data is erased. Needs `user:delete`.
    """
    await identity.delete_user(ctx, user_id=user_id)


@put("/api/v1/users/{user_id:str}/roles/{role:str}", tags=USERS, opt=CHANGES_USER)
async def assign_role(ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId], role: FromPath[Role]) -> User:
    """Give a user a role

    Needs `role:assign`; no role may exceed the caller's own permissions.
    """
    return await identity.assign_role(ctx, user_id=user_id, role=role)


@delete("/api/v1/users/{user_id:str}/roles/{role:str}", tags=USERS, status_code=200, opt=CHANGES_USER)
async def revoke_role(ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId], role: FromPath[Role]) -> User:
    """Take a role from a user

    Needs `role:assign`. The last owner stays owner.
    """
    return await identity.revoke_role(ctx, user_id=user_id, role=role)


@get("/api/v1/users/{user_id:str}/permissions/{permission:str}", tags=USERS)
async def explain_permission(
    ctx: Caller, identity: IdentityPort, user_id: FromPath[UserId], permission: PermissionPath
) -> Explanation:
    """Explain why a user may or may not do something

    Oneself, or any user with `role:read`.
    """
    return await identity.explain_permission(ctx, user_id=user_id, permission=permission)


@get("/api/v1/roles", tags=USERS)
async def list_roles(ctx: Caller, identity: IdentityPort) -> Items[RoleInfo]:
    """List the roles with what each permits

    Needs `role:read`.
    """
    return Items(list(await identity.list_roles(ctx)))


@post("/api/v1/api-keys", tags=KEYS)
async def create_api_key(ctx: Caller, identity: IdentityPort, data: JSONBody[ApiKeyBody]) -> ApiKeyCreated:
    """Create an API key

    Its secret is shown this once. Needs `key:create`; a publishable key takes no scopes.
    """
    return await identity.create_api_key(
        ctx, name=data.name, kind=data.kind, scopes=data.scopes, expires_at=aware(data.expires_at, "expires_at")
    )


@get("/api/v1/api-keys", tags=KEYS)
async def list_api_keys(
    ctx: Caller, identity: IdentityPort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[ApiKey]:
    """List the tenant's API keys without their secrets, oldest first

    Needs `key:read`.
    """
    return await identity.list_api_keys(ctx, limit=limit, cursor=cursor)


@delete("/api/v1/api-keys/{key_id:str}", tags=KEYS, status_code=200, opt=ends_access())
async def revoke_api_key(ctx: Caller, identity: IdentityPort, key_id: FromPath[ApiKeyId]) -> ApiKey:
    """Revoke an API key at once

    Needs `key:revoke`.
    """
    return await identity.revoke_api_key(ctx, key_id=key_id)


@get("/.well-known/jwks.json", tags=LOGIN, opt=OPEN)
async def get_jwks(ctx: Caller, identity: IdentityPort) -> JsonWebKeySet:
    """Get the public keys that access tokens are signed with (RFC 7517)"""
    return await identity.get_jwks(ctx)


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    login,
    refresh,
    register,
    logout,
    whoami,
    change_password,
    list_sessions,
    revoke_session,
    invite_user,
    list_users,
    get_user,
    update_user,
    delete_user,
    assign_role,
    revoke_role,
    explain_permission,
    list_roles,
    create_api_key,
    list_api_keys,
    revoke_api_key,
    get_jwks,
)
