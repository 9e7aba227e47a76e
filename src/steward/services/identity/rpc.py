"""The identity service over gRPC: its description and its client."""

from collections.abc import Sequence
from datetime import datetime

from steward.kit.context import Ctx
from steward.kit.paging import Cursor, Limit, Page
from steward.kit.rpc.client import RpcClient
from steward.kit.rpc.service import RpcService
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
    Roles,
    Scopes,
    Secret,
    Session,
    SessionId,
    TenantRef,
    Tokens,
    User,
    UserId,
    UserUpdate,
)
from steward_proto.v1 import users_pb2

IDENTITY = RpcService(
    "identity",
    users_pb2.DESCRIPTOR.services_by_name["UserService"],
    IdentityApi,
    {
        "Authenticate": IdentityApi.authenticate,
        "Login": IdentityApi.login,
        "Refresh": IdentityApi.refresh,
        "Logout": IdentityApi.logout,
        "Whoami": IdentityApi.whoami,
        "Register": IdentityApi.register,
        "ChangePassword": IdentityApi.change_password,
        "InviteUser": IdentityApi.invite_user,
        "GetUser": IdentityApi.get_user,
        "ListUsers": IdentityApi.list_users,
        "UpdateUser": IdentityApi.update_user,
        "DeleteUser": IdentityApi.delete_user,
        "AssignRole": IdentityApi.assign_role,
        "RevokeRole": IdentityApi.revoke_role,
        "ListRoles": IdentityApi.list_roles,
        "ExplainPermission": IdentityApi.explain_permission,
        "ListSessions": IdentityApi.list_sessions,
        "RevokeSession": IdentityApi.revoke_session,
        "CreateApiKey": IdentityApi.create_api_key,
        "ListApiKeys": IdentityApi.list_api_keys,
        "RevokeApiKey": IdentityApi.revoke_api_key,
        "GetJwks": IdentityApi.get_jwks,
        "ProvisionOwner": IdentityApi.provision_owner,
        "EraseTenant": IdentityApi.erase_tenant,
    },
)


class IdentityClient(IdentityApi):
    """The identity service in another process."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def authenticate(self, ctx: Ctx, *, credential: Secret) -> Principal:
        return await self._rpc.call(ctx, "Authenticate", credential=credential)

    async def login(self, ctx: Ctx, *, email: Email, password: Secret, tenant: TenantRef | None = None) -> Tokens:
        return await self._rpc.call(ctx, "Login", email=email, password=password, tenant=tenant)

    async def refresh(self, ctx: Ctx, *, refresh_token: Secret) -> Tokens:
        return await self._rpc.call(ctx, "Refresh", refresh_token=refresh_token)

    async def logout(self, ctx: Ctx) -> None:
        await self._rpc.call(ctx, "Logout")

    async def whoami(self, ctx: Ctx) -> Principal:
        return await self._rpc.call(ctx, "Whoami")

    async def register(self, ctx: Ctx, *, token: Secret, name: Name, password: Password) -> User:
        return await self._rpc.call(ctx, "Register", token=token, name=name, password=password)

    async def change_password(self, ctx: Ctx, *, current: Secret, new: Password) -> None:
        await self._rpc.call(ctx, "ChangePassword", current=current, new=new)

    async def invite_user(self, ctx: Ctx, *, email: Email, name: Name, roles: Roles) -> Invitation:
        return await self._rpc.call(ctx, "InviteUser", email=email, name=name, roles=roles)

    async def get_user(self, ctx: Ctx, *, user_id: UserId) -> User:
        return await self._rpc.call(ctx, "GetUser", user_id=user_id)

    async def list_users(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[User]:
        return await self._rpc.call(ctx, "ListUsers", limit=limit, cursor=cursor)

    async def update_user(self, ctx: Ctx, *, user_id: UserId, change: UserUpdate) -> User:
        return await self._rpc.call(ctx, "UpdateUser", user_id=user_id, change=change)

    async def delete_user(self, ctx: Ctx, *, user_id: UserId) -> None:
        await self._rpc.call(ctx, "DeleteUser", user_id=user_id)

    async def assign_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        return await self._rpc.call(ctx, "AssignRole", user_id=user_id, role=role)

    async def revoke_role(self, ctx: Ctx, *, user_id: UserId, role: Role) -> User:
        return await self._rpc.call(ctx, "RevokeRole", user_id=user_id, role=role)

    async def list_roles(self, ctx: Ctx) -> Sequence[RoleInfo]:
        return await self._rpc.call(ctx, "ListRoles")

    async def explain_permission(self, ctx: Ctx, *, user_id: UserId, permission: Permission) -> Explanation:
        return await self._rpc.call(ctx, "ExplainPermission", user_id=user_id, permission=permission)

    async def list_sessions(self, ctx: Ctx, *, user_id: UserId | None = None) -> Sequence[Session]:
        return await self._rpc.call(ctx, "ListSessions", user_id=user_id)

    async def revoke_session(self, ctx: Ctx, *, session_id: SessionId) -> None:
        await self._rpc.call(ctx, "RevokeSession", session_id=session_id)

    async def create_api_key(
        self,
        ctx: Ctx,
        *,
        name: Name,
        kind: KeyKind = KeyKind.SECRET,
        scopes: Scopes = (),
        expires_at: datetime | None = None,
    ) -> ApiKeyCreated:
        return await self._rpc.call(ctx, "CreateApiKey", name=name, kind=kind, scopes=scopes, expires_at=expires_at)

    async def list_api_keys(self, ctx: Ctx, *, limit: Limit = 50, cursor: Cursor | None = None) -> Page[ApiKey]:
        return await self._rpc.call(ctx, "ListApiKeys", limit=limit, cursor=cursor)

    async def revoke_api_key(self, ctx: Ctx, *, key_id: ApiKeyId) -> ApiKey:
        return await self._rpc.call(ctx, "RevokeApiKey", key_id=key_id)

    async def get_jwks(self, ctx: Ctx) -> JsonWebKeySet:
        return await self._rpc.call(ctx, "GetJwks")

    async def provision_owner(self, ctx: Ctx, *, user_id: UserId, email: Email, invitation: Secret) -> User:
        return await self._rpc.call(ctx, "ProvisionOwner", user_id=user_id, email=email, invitation=invitation)

    async def erase_tenant(self, ctx: Ctx) -> None:
        await self._rpc.call(ctx, "EraseTenant")
