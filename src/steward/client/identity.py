"""The client's part for log-in, users, sessions, roles and API keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from steward.client.transport import Transport, segment
from steward.kit.paging import Page
from steward.services.identity.api import (
    ApiKey,
    ApiKeyCreated,
    Explanation,
    Invitation,
    KeyKind,
    Principal,
    Role,
    RoleInfo,
    Session,
    Tokens,
    User,
    UserUpdate,
)

_AUTH = "/api/v1/auth"
_USERS = "/api/v1/users"
_KEYS = "/api/v1/api-keys"


class _Sessions(msgspec.Struct):
    items: Sequence[Session]


class _Roles(msgspec.Struct):
    items: Sequence[RoleInfo]


class AuthResource:
    """Log-in and the caller."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def login(self, *, email: str, password: str, tenant: str | None = None) -> Tokens:
        body = {"email": email, "password": password} | ({"tenant": tenant} if tenant else {})
        return await self._transport.call("POST", f"{_AUTH}/login", Tokens, body)

    async def refresh(self, refresh_token: str) -> Tokens:
        return await self._transport.call("POST", f"{_AUTH}/refresh", Tokens, {"refresh_token": refresh_token})

    async def register(self, *, token: str, name: str, password: str) -> User:
        """Accept an invitation."""
        body = {"token": token, "name": name, "password": password}
        return await self._transport.call("POST", f"{_AUTH}/register", User, body)

    async def logout(self) -> None:
        await self._transport.send("POST", f"{_AUTH}/logout")

    async def me(self) -> Principal:
        return await self._transport.get(f"{_AUTH}/me", Principal)

    async def change_password(self, *, current: str, new: str) -> None:
        await self._transport.send("POST", f"{_AUTH}/password", {"current": current, "new": new})


class SessionsResource:
    """Log-in sessions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, user_id: UUID | None = None) -> Sequence[Session]:
        found = await self._transport.get(f"{_AUTH}/sessions", _Sessions, {"user_id": user_id})
        return found.items

    async def revoke(self, session_id: UUID) -> None:
        await self._transport.send("DELETE", f"{_AUTH}/sessions/{segment(session_id)}")


class UsersResource:
    """Users and their roles."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        return await self._transport.get(_USERS, Page[User], {"limit": limit, "cursor": cursor})

    async def invite(self, *, email: str, name: str, roles: Sequence[Role]) -> Invitation:
        body = {"email": email, "name": name, "roles": roles}
        return await self._transport.call("POST", _USERS, Invitation, body, creates=True)

    async def get(self, user_id: UUID) -> User:
        return await self._transport.get(f"{_USERS}/{segment(user_id)}", User)

    async def update(self, user_id: UUID, change: UserUpdate) -> User:
        return await self._transport.call("PATCH", f"{_USERS}/{segment(user_id)}", User, given(change))

    async def delete(self, user_id: UUID) -> None:
        await self._transport.send("DELETE", f"{_USERS}/{segment(user_id)}")

    async def assign_role(self, user_id: UUID, role: Role) -> User:
        return await self._transport.call("PUT", f"{_USERS}/{segment(user_id)}/roles/{segment(role)}", User)

    async def revoke_role(self, user_id: UUID, role: Role) -> User:
        return await self._transport.call("DELETE", f"{_USERS}/{segment(user_id)}/roles/{segment(role)}", User)

    async def roles(self) -> Sequence[RoleInfo]:
        """Every role with what it permits."""
        found = await self._transport.get("/api/v1/roles", _Roles)
        return found.items

    async def explain(self, user_id: UUID, permission: str) -> Explanation:
        path = f"{_USERS}/{segment(user_id)}/permissions/{segment(permission)}"
        return await self._transport.get(path, Explanation)


class KeysResource:
    """API keys."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[ApiKey]:
        return await self._transport.get(_KEYS, Page[ApiKey], {"limit": limit, "cursor": cursor})

    async def create(
        self,
        *,
        name: str,
        kind: KeyKind = KeyKind.SECRET,
        scopes: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> ApiKeyCreated:
        """Create a key; its secret is in the answer and nowhere else."""
        body: dict[str, object] = {"name": name, "kind": kind, "scopes": scopes}
        if expires_at is not None:
            body["expires_at"] = expires_at
        return await self._transport.call("POST", _KEYS, ApiKeyCreated, body, creates=True)

    async def revoke(self, key_id: UUID) -> ApiKey:
        return await self._transport.call("DELETE", f"{_KEYS}/{segment(key_id)}", ApiKey)


def given(change: msgspec.Struct) -> dict[str, object]:
    """The fields of an update that are set: an absent one stays as it is."""
    return {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
