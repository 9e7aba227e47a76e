"""The built-in roles: what each permits is fixed in `roles.golden.txt`; a change of a role is a change of that file."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from steward.services.identity.api import Role
from steward.services.identity.roles import GRANTABLE, explain, missing_for, permissions_of, role_infos

GOLDEN = Path(__file__).with_name("roles.golden.txt")
SOME_ROLES = st.lists(st.sampled_from(list(Role)), unique=True)


def as_text() -> str:
    lines: list[str] = []
    for info in role_infos():
        parents = ", ".join(info.inherits) or "nothing"
        lines += [f"{info.role} inherits {parents}", *(f"    {permission}" for permission in info.permissions)]
    return "\n".join(lines) + "\n"


def test_effective_permissions_are_those_of_the_golden_file() -> None:
    assert as_text() == GOLDEN.read_text()


def test_no_role_gives_a_permission_of_services() -> None:
    assert not [permission for permission in GRANTABLE if permission.startswith("service:")]


def test_work_across_tenants_belongs_to_the_platform_operator_alone() -> None:
    assert [role for role in Role if "platform:tenants" in permissions_of([role])] == [Role.PLATFORM_OPERATOR]


@given(SOME_ROLES, st.sampled_from(sorted(GRANTABLE)))
def test_explanation_agrees_with_what_is_permitted(roles: list[Role], permission: str) -> None:
    told = explain(roles, permission)
    assert told.allowed is (permission in permissions_of(roles))
    if told.allowed:
        assert all(way.split(" > ")[0] in roles and way.endswith(f" > {permission}") for way in told.because)
    else:
        assert told.because
        assert all(permission in permissions_of([Role(role)]) for role in told.because)


@given(SOME_ROLES, SOME_ROLES)
def test_permissions_grow_with_roles(some: list[Role], more: list[Role]) -> None:
    assert permissions_of(some) | permissions_of(more) == permissions_of([*some, *more])


@given(st.sampled_from(list(Role)), SOME_ROLES)
def test_a_role_lies_within_scopes_when_nothing_is_missing(role: Role, others: list[Role]) -> None:
    scopes = permissions_of(others)
    missing = missing_for(role, scopes)
    assert (missing is None) == (permissions_of([role]) <= scopes)
    assert missing is None or missing in permissions_of([role]) - scopes


def test_explanation_names_each_way_through_inheritance() -> None:
    assert explain([Role.OWNER], "key:read").because == [
        "owner > admin > developer > key:read",
        "owner > auditor > key:read",
    ]
    assert explain([Role.VIEWER], "agent:run").because == ["owner", "admin", "developer", "agent-operator"]
    assert explain([], "no:such").because == []
