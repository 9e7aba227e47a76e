"""The contract of the identity service: users, log-in, sessions, API keys, roles and what they permit.

Every method may raise `Forbidden` (the caller lacks the permission named). Ids of another tenant are `UserNotFound`,
`SessionNotFound` or `ApiKeyNotFound`, as if they did not exist.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NewType, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from steward.kit.context import Actor, Ctx
from steward.kit.ids import TenantId
from steward.kit.paging import Cursor, Limit, Page

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="A name to show.")]
Email = Annotated[
    str,
    Meta(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$", description="An e-mail address."),
]
Password = Annotated[str, Meta(min_length=12, max_length=256, description="A new password, 12 to 256 characters.")]
Secret = Annotated[str, Meta(min_length=1, max_length=1024, extra={"sensitive": True})]
TenantRef = Annotated[str, Meta(min_length=1, max_length=63, description="A tenant's id or slug.")]
Permission = Annotated[str, Meta(pattern=r"^[a-z-]+:[a-z-]+$", max_length=64, description="`resource:action`.")]


class Role(StrEnum):
    """Built-in roles. The last one is given by a platform operator only and works across tenants."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    AGENT_OPERATOR = "agent-operator"
    SUPPORT_AGENT = "support-agent"
    AUDITOR = "auditor"
    VIEWER = "viewer"
    PLATFORM_OPERATOR = "platform-operator"


Roles = Annotated[Sequence[Role], Meta(min_length=1, max_length=len(Role))]
Scopes = Annotated[Sequence[Permission], Meta(max_length=64)]


class UserState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


class KeyKind(StrEnum):
    SECRET = "secret"  # noqa: S105 - the name of a kind of key
    """For servers: acts with its scopes."""
    PUBLISHABLE = "publishable"
    """For browsers: may stand in a page's source; acts as an anonymous customer."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: UserId
    email: Annotated[str, Meta(extra={"sensitive": True})]
    name: Annotated[str, Meta(extra={"sensitive": True})]
    state: UserState
    roles: Sequence[Role]
    created_at: datetime
    last_login_at: datetime | None
    version: int


class UserUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; an absent field stays."""

    name: Name | None = None
    state: UserState | None = None
    """`active` or `disabled`; disabling ends every session at once."""
    version: int | None = None
    """The version this change was made from; another one in the database is a `UserChanged` conflict."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invited user and the token to register with; the token is shown this once."""

    user: User
    token: Secret
    expires_at: datetime


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in's tokens, named as in RFC 6749 section 5.1."""

    access_token: Secret
    token_type: str
    expires_in: int
    """Seconds the access token is good for."""
    refresh_token: Secret
    session_id: SessionId


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: SessionId
    user_id: UserId
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    current: bool
    """Whether it is the session of the caller."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    id: ApiKeyId
    name: str
    kind: KeyKind
    prefix: str
    """How the key begins, enough to tell it from others."""
    scopes: Sequence[str]
    created_by: UserId
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


class ApiKeyCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A new key with its secret, which is shown this once."""

    api_key: ApiKey
    secret: Secret


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who a credential speaks for."""

    tenant: TenantId
    actor: Actor
    scopes: frozenset[str]
    roles: Sequence[Role]
    session_id: SessionId | None
    key_id: ApiKeyId | None
    expires_at: datetime
    """Until when this answer may be kept, at most 30 seconds ahead."""


class RoleInfo(msgspec.Struct, frozen=True, kw_only=True):
    role: Role
    inherits: Sequence[Role]
    permissions: Sequence[str]
    """Everything it permits, inherited permissions included."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a user may or may not do something."""

    permission: str
    allowed: bool
    because: Sequence[str]
    """Each way to the permission, as `role > inherited role > permission`; when refused, the roles that would do."""


class JsonWebKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key as in RFC 8037 and RFC 7517."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class JsonWebKeySet(msgspec.Struct, frozen=True):
    keys: Sequence[JsonWebKey]


class IdentityApi(Protocol):
    """Users, log-in, sessions, API keys and roles."""

    async def authenticate(self, ctx: Ctx, *, credential: Secret) -> Principal:
        """Whom an access token or an API key speaks for; for services only (`service:edge`).

        Raises `InvalidCredential`, the same for unknown, malformed, expired, revoked and forged ones.
        """
        ...

    async def login(self, ctx: Ctx, *, email: Email, password: Secret, tenant: TenantRef | None = None) -> Tokens:
        """Log a user in; `tenant` is an id or slug, needed only where the address has users in several tenants.

        Raises `WrongCredentials` (the same, after the same time, for an unknown address and a wrong password),
        `AccountLocked` after too many failures, with `retry_after` in seconds, and `TenantNeeded`.
        """
        ...

    async def refresh(self, ctx: Ctx, *, refresh_token: Secret) -> Tokens:
        """Trade a refresh token for new tokens; each is good once.

        A second use ends the session, for one of the two holders is a thief, and raises `InvalidCredential`.
        """
        ...

    async def logout(self, ctx: Ctx) -> None:
        """End the caller's session."""
        ...

    async def whoami(self, ctx: Ctx) -> Principal:
        """Who the caller is and what they may do."""
        ...

    async def register(self, ctx: Ctx, *, token: Secret, name: Name, password: Password) -> User:
        """Accept an invitation: set name and password of the invited user. Raises `InvalidCredential`."""
        ...

    async def change_password(self, ctx: Ctx, *, current: Secret, new: Password) -> None:
        """Change the caller's password and end their other sessions. Raises `WrongCredentials`."""
        ...

    async def invite_user(self, ctx: Ctx, *, email: Email, name: Name, roles: Roles) -> Invitation:
        """Invite a user; needs `user:invite`, and each role must lie within the caller's own permissions.

        Counts against the quota `users`. Raises `EmailTaken`, `QuotaExceeded`, `RoleTooStrong`.
        """
        ...

    async def get_user(self, ctx: Ctx, *, user_id: UserId) -> User:
        """One user: oneself, or any with `user:read`."""
        ...

    async def list_users(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[User]:
        """The tenant's users, oldest first; needs `user:read`."""
        ...

    async def update_user(self, ctx: Ctx, *, user_id: UserId, change: UserUpdate) -> User:
        """Change one's own name, or anything with `user:update`. Raises `UserChanged`, `LastOwner`."""
        ...

    async def delete_user(self, ctx: Ctx, *, user_id: UserId) -> None:
        """Delete a user: sessions end, keys are revoked, personal data is erased, the quota is given back.

        Needs `user:delete`. Raises `LastOwner`.
        """
        ...

    async def assign_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        """Give a user a role; needs `role:assign`. Raises `RoleTooStrong` for more than the caller has."""
        ...

    async def revoke_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        """Take a role from a user; needs `role:assign`. Raises `LastOwner`, `RoleTooStrong`."""
        ...

    async def list_roles(self, ctx: Ctx) -> Sequence[RoleInfo]:
        """The roles with what each permits; needs `role:read`."""
        ...

    async def explain_permission(self, ctx: Ctx, *, user_id: UserId, permission: Permission) -> Explanation:
        """Why a user may or may not do something: oneself, or any user with `role:read`."""
        ...

    async def list_sessions(self, ctx: Ctx, *, user_id: UserId | None = None) -> Sequence[Session]:
        """Live sessions: one's own, or another user's with `session:read`; at most 100, newest first."""
        ...

    async def revoke_session(self, ctx: Ctx, *, session_id: SessionId) -> None:
        """End a session: one's own, or any with `session:revoke`."""
        ...

    async def create_api_key(
        self,
        ctx: Ctx,
        *,
        name: Name,
        kind: KeyKind = KeyKind.SECRET,
        scopes: Scopes = (),
        expires_at: datetime | None = None,
    ) -> ApiKeyCreated:
        """Create an API key; needs `key:create`, and each scope must lie within the caller's permissions.

        A publishable key takes no scopes. A key that expires creates none that expires later. Raises
        `ScopeTooStrong`, `ExpiryTooLate`, `QuotaExceeded`.
        """
        ...

    async def list_api_keys(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[ApiKey]:
        """The tenant's keys without their secrets, oldest first; needs `key:read`."""
        ...

    async def revoke_api_key(self, ctx: Ctx, *, key_id: ApiKeyId) -> ApiKey:
        """Revoke a key at once; needs `key:revoke`."""
        ...

    async def get_jwks(self, ctx: Ctx) -> JsonWebKeySet:
        """The public keys that access tokens are signed with; open to all."""
        ...

    async def provision_owner(self, ctx: Ctx, *, user_id: UserId, email: Email, invitation: Secret) -> User:
        """Create a new tenant's first user, invited as owner, once; for services only (`service:provision`)."""
        ...

    async def erase_tenant(self, ctx: Ctx) -> None:
        """End every session and key of the context's tenant and erase its users; `service:provision`."""
        ...
