"""The built-in roles: what each permits, what it inherits, and why someone may do something."""

from collections.abc import Iterable, Iterator, Mapping

from steward.services.identity.api import Explanation, Role, RoleInfo

PUBLISHABLE_SCOPES = frozenset({"conversation:write"})
"""What a publishable key permits, to anyone who reads it in a page."""

PLATFORM = "platform:tenants"
"""The permission that works across tenants; only who has it can give it."""

_DIRECT: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset(
        {
            "tenant:read",
            "user:read",
            "role:read",
            "agent:read",
            "conversation:read",
            "knowledge:read",
            "model:read",
            "ticket:read",
        }
    ),
    Role.AUDITOR: frozenset(
        {"audit:read", "audit:export", "audit:verify", "session:read", "key:read", "cost:read"},
    ),
    Role.SUPPORT_AGENT: frozenset({"ticket:write", "conversation:write", "model:call"}),
    Role.AGENT_OPERATOR: frozenset({"agent:run", "model:call"}),
    Role.DEVELOPER: frozenset(
        {
            "agent:write",
            "knowledge:write",
            "key:read",
            "key:create",
            "key:revoke",
            "support:act-as-customer",
            "support:configure",
        }
    ),
    Role.ADMIN: frozenset(
        {
            "tenant:update",
            "user:read",
            "user:invite",
            "user:update",
            "user:delete",
            "session:read",
            "session:revoke",
            "role:assign",
            "audit:read",
            "cost:read",
            "cost:configure",
            "model:configure",
        }
    ),
    Role.OWNER: frozenset(),
    Role.PLATFORM_OPERATOR: frozenset({PLATFORM}),
}

_INHERITS: Mapping[Role, tuple[Role, ...]] = {
    Role.VIEWER: (),
    Role.AUDITOR: (Role.VIEWER,),
    Role.SUPPORT_AGENT: (Role.VIEWER,),
    Role.AGENT_OPERATOR: (Role.VIEWER,),
    Role.DEVELOPER: (Role.AGENT_OPERATOR,),
    Role.ADMIN: (Role.DEVELOPER, Role.SUPPORT_AGENT),
    Role.OWNER: (Role.ADMIN, Role.AUDITOR),
    Role.PLATFORM_OPERATOR: (),
}


def _with_inherited(role: Role) -> frozenset[str]:
    return _DIRECT[role].union(*(_with_inherited(inner) for inner in _INHERITS[role]))


_EFFECTIVE: Mapping[Role, frozenset[str]] = {role: _with_inherited(role) for role in Role}

GRANTABLE = frozenset[str]().union(*_EFFECTIVE.values())
"""Every permission that some role has; only these can be scopes of a key."""


def permissions_of(roles: Iterable[Role]) -> frozenset[str]:
    """Everything that these roles permit together, inherited permissions included."""
    return frozenset[str]().union(*(_EFFECTIVE[role] for role in roles))


def missing_for(role: Role, scopes: frozenset[str]) -> str | None:
    """A permission of the role that these scopes lack, the first by name; None where the role lies within them."""
    return min(_EFFECTIVE[role] - scopes, default=None)


def role_infos() -> list[RoleInfo]:
    """Every built-in role, strongest first."""
    return [RoleInfo(role=role, inherits=_INHERITS[role], permissions=sorted(_EFFECTIVE[role])) for role in Role]


def explain(roles: Iterable[Role], permission: str) -> Explanation:
    """Why these roles permit something, each way there; or which roles would, where they do not."""
    ways = [" > ".join([*path, permission]) for role in roles for path in _paths(role, permission)]
    if ways:
        return Explanation(permission=permission, allowed=True, because=ways)
    would_do = [role.value for role in Role if permission in _EFFECTIVE[role]]
    return Explanation(permission=permission, allowed=False, because=would_do)


def _paths(role: Role, permission: str) -> Iterator[tuple[str, ...]]:
    if permission in _DIRECT[role]:
        yield (role.value,)
    for inner in _INHERITS[role]:
        for path in _paths(inner, permission):
            yield (role.value, *path)
