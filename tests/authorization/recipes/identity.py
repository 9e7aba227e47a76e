"""How the operations of the identity service are called."""

from collections.abc import Sequence

from steward.services.identity.api import KeyKind, Role, UserState, UserUpdate
from steward.services.identity.roles import permissions_of
from tests.authorization.recipes.recipe import HIDDEN, Across, Arguments, Kind, Prepare, Recipe, by, needs, of
from tests.authorization.stage import Stage
from tests.support.platform import PASSWORD


async def colleague(stage: Stage) -> Arguments:
    return {"user_id": await stage.somebody()}


async def oneself(stage: Stage) -> Arguments:
    return {"user_id": stage.caller.id}


async def authenticate(stage: Stage) -> Arguments:
    return {"credential": stage.caller.tokens.access_token}


async def login(stage: Stage) -> Arguments:
    return {"email": stage.caller.email, "password": PASSWORD, "tenant": str(stage.caller.tenant)}


async def refresh(stage: Stage) -> Arguments:
    fresh = await stage.house.logged_in(stage.caller.tenant, stage.caller.email)
    return {"refresh_token": fresh.tokens.refresh_token}


async def register(stage: Stage) -> Arguments:
    return {"token": await stage.invitation(), "name": "Registered", "password": PASSWORD}


async def change_password(_: Stage) -> Arguments:
    return {"current": PASSWORD, "new": PASSWORD}


def invite_user(role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {"email": f"{stage.unique()}@new.example", "name": "New", "roles": [role]}

    return prepare


def update_user(whom: Prepare, change: UserUpdate) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "change": change}

    return prepare


async def disable_user(stage: Stage) -> Arguments:
    other = await stage.house.member(stage.tenant)
    return {"user_id": other.id, "change": UserUpdate(state=UserState.DISABLED)}


async def delete_owner(stage: Stage) -> Arguments:
    return {"user_id": await stage.somebody(Role.OWNER)}


def role_of(whom: Prepare, role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "role": role}

    return prepare


def take(role: Role) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {"user_id": await stage.somebody(role), "role": role}

    return prepare


def explain(whom: Prepare) -> Prepare:
    async def prepare(stage: Stage) -> Arguments:
        return {**await whom(stage), "permission": "user:read"}

    return prepare


async def owners_session(stage: Stage) -> Arguments:
    return {"session_id": await stage.session()}


async def own_session(stage: Stage) -> Arguments:
    return {"session_id": stage.caller.ctx.session_id}


def create_key(kind: KeyKind, *scopes: str) -> Prepare:
    async def prepare(_: Stage) -> Arguments:
        return {"name": "made", "kind": kind, "scopes": list(scopes)}

    return prepare


async def key(stage: Stage) -> Arguments:
    return {"key_id": await stage.key()}


async def provision_owner(stage: Stage) -> Arguments:
    user_id = await stage.somebody()
    return {"user_id": user_id, "email": f"{stage.unique()}@new.example", "invitation": await stage.invitation()}


def _owner_and(*permissions: str) -> frozenset[str]:
    return needs(*permissions) | permissions_of([Role.OWNER])


_RENAME = UserUpdate(name="Renamed")

IDENTITY: Sequence[Recipe] = (
    of("authenticate", Kind.SERVICE, authenticate, across=Across.REFUSED),
    of("login", Kind.OPEN, login),
    of("refresh", Kind.OPEN, refresh),
    of("register", Kind.OPEN, register),
    of("logout", Kind.SELF),
    of("whoami", Kind.ANYBODY),
    of("change_password", Kind.SELF, change_password),
    by("user:invite", "invite_user", invite_user(Role.VIEWER)),
    by("", "invite_user", invite_user(Role.OWNER), "as owner", needs=(_owner_and("user:invite"),)),
    by("user:read", "get_user", colleague, **HIDDEN),
    of("get_user", Kind.SELF, oneself, "oneself"),
    by("user:read", "list_users"),
    by("user:update", "update_user", update_user(colleague, _RENAME), **HIDDEN),
    by("user:update", "update_user", disable_user, "disable", **HIDDEN),
    of("update_user", Kind.SELF, update_user(oneself, _RENAME), "own name"),
    by("user:delete", "delete_user", colleague, **HIDDEN),
    by("", "delete_user", delete_owner, "an owner", needs=(_owner_and("user:delete"),), **HIDDEN),
    by("role:assign", "assign_role", role_of(colleague, Role.VIEWER), **HIDDEN),
    by("", "assign_role", role_of(colleague, Role.OWNER), "owner", needs=(_owner_and("role:assign"),), **HIDDEN),
    by(
        "",
        "assign_role",
        role_of(oneself, Role.PLATFORM_OPERATOR),
        "platform-operator, oneself",
        needs=(needs("role:assign", "platform:tenants"),),
    ),
    by("role:assign", "revoke_role", take(Role.VIEWER), **HIDDEN),
    by("", "revoke_role", take(Role.OWNER), "owner", needs=(_owner_and("role:assign"),), **HIDDEN),
    by("role:read", "list_roles"),
    by("role:read", "explain_permission", explain(colleague), **HIDDEN),
    of("explain_permission", Kind.SELF, explain(oneself), "oneself"),
    by("session:read", "list_sessions", colleague, "of another", **HIDDEN),
    of("list_sessions", Kind.SELF),
    by("session:revoke", "revoke_session", owners_session, hides=needs("session:read", "session:revoke"), **HIDDEN),
    of("revoke_session", Kind.SELF, own_session, "own"),
    by("key:create", "create_api_key", create_key(KeyKind.PUBLISHABLE), "publishable"),
    by(
        "",
        "create_api_key",
        create_key(KeyKind.SECRET, "user:read"),
        "for user:read",
        needs=(needs("key:create", "user:read"),),
    ),
    by(
        "",
        "create_api_key",
        create_key(KeyKind.SECRET, "audit:export"),
        "for audit:export",
        needs=(needs("key:create", "audit:export"),),
    ),
    by("key:read", "list_api_keys"),
    by("key:revoke", "revoke_api_key", key, **HIDDEN),
    of("get_jwks", Kind.OPEN),
    of("provision_owner", Kind.SERVICE, provision_owner, across=Across.REFUSED),
    of("erase_tenant", Kind.SERVICE, across=Across.REFUSED),
)
