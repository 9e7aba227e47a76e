"""Ways to more than one has: all are refused, and what is taken away is away at once, in every process."""

from collections.abc import Mapping
from typing import Any

import pytest

from steward.services.identity.api import Role
from tests.authorization.walk import until
from tests.support.house import RPCS, Answer, House, Member, bearer
from tests.support.platform import PASSWORD, TestTenant

USERS = "/api/v1/users"
KEYS = "/api/v1/api-keys"
ME = "/api/v1/auth/me"

Headers = Mapping[str, str]


async def make_key(house: House, headers: Headers, *scopes: str, **fields: Any) -> Answer:
    return await house.http("POST", KEYS, headers, {"name": "k", "scopes": list(scopes), **fields})


async def key_of(house: House, headers: Headers, *scopes: str) -> Headers:
    made = await make_key(house, headers, *scopes)
    assert made.status == 201, made
    return {"X-API-Key": made.json["secret"]}


async def give(house: House, headers: Headers, whom: Member, role: Role) -> Answer:
    return await house.http("PUT", f"{USERS}/{whom.id}/roles/{role}", headers)


async def take(house: House, headers: Headers, whom: Member, role: Role) -> Answer:
    return await house.http("DELETE", f"{USERS}/{whom.id}/roles/{role}", headers)


async def disable(house: House, headers: Headers, whom: Member) -> Answer:
    return await house.http("PATCH", f"{USERS}/{whom.id}", headers, {"state": "disabled"})


async def may_list_users(house: House, headers: Headers) -> int:
    return (await house.http("GET", USERS, headers)).status


@pytest.mark.parametrize("scope", ["audit:export", "user:invite", "role:assign", "platform:tenants"])
async def test_developer_makes_no_key_beyond_their_own_rights(house: House, tenant: TestTenant, scope: str) -> None:
    developer = await house.member(tenant, Role.DEVELOPER)
    refused = await make_key(house, developer.bearer, "user:read", scope)
    assert (refused.status, refused.code) == (403, "scope_too_strong")


@pytest.mark.parametrize(
    "scope", ["service:edge", "service:quota", "service:provision", "service:costs", "no-such:thing"]
)
async def test_nobody_makes_a_key_with_a_scope_of_services(house: House, tenant: TestTenant, scope: str) -> None:
    everything = await house.member(tenant, *Role)
    refused = await make_key(house, everything.bearer, scope)
    assert (refused.status, refused.code) == (403, "scope_too_strong")


async def test_publishable_key_takes_no_scopes(house: House, owner: Member) -> None:
    refused = await make_key(house, owner.bearer, "user:read", kind="publishable")
    assert (refused.status, refused.json["field"]) == (422, "scopes")


async def test_narrow_key_makes_no_wider_key(house: House, owner: Member) -> None:
    narrow = await key_of(house, owner.bearer, "key:create", "user:read")
    refused = await make_key(house, narrow, "key:read")
    assert (refused.status, refused.code) == (403, "scope_too_strong")
    child = await key_of(house, narrow, "user:read")
    assert await may_list_users(house, child) == 200
    assert (await make_key(house, child, "user:read")).code == "permission_denied"


@pytest.mark.parametrize("role", [Role.OWNER, Role.AUDITOR, Role.PLATFORM_OPERATOR])
async def test_admin_gives_no_stronger_role(house: House, tenant: TestTenant, role: Role) -> None:
    admin = await house.member(tenant, Role.ADMIN)
    friend = await house.member(tenant, Role.VIEWER)
    for whom in (admin, friend):
        refused = await give(house, admin.bearer, whom, role)
        assert (refused.status, refused.code) == (403, "role_too_strong")
    invited = await house.http(
        "POST", USERS, admin.bearer, {"email": "x@friend.example", "name": "x", "roles": ["viewer", role]}
    )
    assert (invited.status, invited.code) == (403, "role_too_strong")


async def test_owner_gives_no_platform_operator(house: House, owner: Member) -> None:
    refused = await give(house, owner.bearer, owner, Role.PLATFORM_OPERATOR)
    assert (refused.status, refused.code) == (403, "role_too_strong")


async def test_key_gives_no_role_beyond_its_scopes(house: House, owner: Member, tenant: TestTenant) -> None:
    """Though its creator could."""
    friend = await house.member(tenant, Role.VIEWER)
    key = await key_of(house, owner.bearer, "role:assign", "user:invite")
    refused = await give(house, key, friend, Role.VIEWER)
    assert (refused.status, refused.code) == (403, "role_too_strong")
    invited = await house.http("POST", USERS, key, {"email": "y@friend.example", "name": "y", "roles": ["viewer"]})
    assert (invited.status, invited.code) == (403, "role_too_strong")


async def test_admin_does_nothing_to_an_owner(house: House, tenant: TestTenant, owner: Member) -> None:
    admin = await house.member(tenant, Role.ADMIN)
    for attempt in (
        await take(house, admin.bearer, owner, Role.OWNER),
        await disable(house, admin.bearer, owner),
        await house.http("PATCH", f"{USERS}/{owner.id}", admin.bearer, {"name": "Nobody"}),
        await house.http("DELETE", f"{USERS}/{owner.id}", admin.bearer),
    ):
        assert (attempt.status, attempt.code) == (403, "role_too_strong")
    assert (await house.http("GET", ME, owner.bearer)).status == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER, Role.AUDITOR])
async def test_nobody_raises_themself(house: House, tenant: TestTenant, role: Role) -> None:
    member = await house.member(tenant, role)
    assert (await give(house, member.bearer, member, Role.ADMIN)).code == "permission_denied"
    assert (await disable(house, member.bearer, member)).code == "permission_denied"
    smuggled = await house.http("PATCH", f"{USERS}/{member.id}", member.bearer, {"name": "n", "roles": ["owner"]})
    assert smuggled.status == 422


async def test_log_in_of_one_tenant_is_none_of_another(house: House, tenant: TestTenant, stranger: Member) -> None:
    body = {"email": stranger.email, "password": PASSWORD, "tenant": str(tenant.id)}
    refused = await house.http("POST", "/api/v1/auth/login", None, body)
    assert (refused.status, refused.code) == (401, "wrong_credentials")


async def test_disabled_user_is_refused_at_once(
    house: House, next_house: House, tenant: TestTenant, owner: Member
) -> None:
    """In mid-session, by token, by key and by refresh; elsewhere as soon as the bus has told it."""
    developer = await house.member(tenant, Role.DEVELOPER)
    key = await key_of(house, developer.bearer, "user:read")
    for there in (house, next_house):
        assert [await may_list_users(there, one) for one in (developer.bearer, key)] == [200, 200]
    assert (await disable(house, owner.bearer, developer)).status == 200
    assert [await may_list_users(house, one) for one in (developer.bearer, key)] == [401, 401]
    refresh = await house.http("POST", "/api/v1/auth/refresh", None, {"refresh_token": developer.tokens.refresh_token})
    assert refresh.status == 401
    await gone_elsewhere(next_house, developer.bearer, 401)
    await gone_elsewhere(next_house, key, 401)


async def test_role_taken_away_acts_at_once(house: House, next_house: House, tenant: TestTenant, owner: Member) -> None:
    """Also on the keys that the user made meanwhile; the session goes on with what is left."""
    developer = await house.member(tenant, Role.DEVELOPER)
    key = await key_of(house, developer.bearer, "user:read", "key:read")
    for there in (house, next_house):
        assert [await may_list_users(there, one) for one in (developer.bearer, key)] == [200, 200]
    assert (await give(house, owner.bearer, developer, Role.PLATFORM_OPERATOR)).status == 403
    assert (await take(house, owner.bearer, developer, Role.DEVELOPER)).status == 200
    assert [await may_list_users(house, one) for one in (developer.bearer, key)] == [403, 403]
    assert (await house.http("GET", ME, developer.bearer)).json["scopes"] == []
    await gone_elsewhere(next_house, developer.bearer, 403)
    await gone_elsewhere(next_house, key, 403)


async def test_role_taken_away_over_grpc_acts_at_the_http_edge(house: House, tenant: TestTenant, owner: Member) -> None:
    """The edge did not see the call, so here too the bus tells it."""
    viewer = await house.member(tenant, Role.VIEWER)
    assert await may_list_users(house, viewer.bearer) == 200
    taken = await house.rpc(RPCS["revoke_role"], {"user_id": viewer.id, "role": Role.VIEWER}, owner.bearer)
    assert taken.status == 200
    await gone_elsewhere(house, viewer.bearer, 403)


async def test_role_given_acts_at_once(house: House, tenant: TestTenant, owner: Member) -> None:
    viewer = await house.member(tenant, Role.VIEWER)
    assert (await make_key(house, viewer.bearer, "user:read")).status == 403
    assert (await give(house, owner.bearer, viewer, Role.DEVELOPER)).status == 200
    assert (await make_key(house, viewer.bearer, "user:read")).status == 201


async def test_key_of_a_deleted_creator_is_refused_at_once(
    house: House, next_house: House, tenant: TestTenant, owner: Member
) -> None:
    developer = await house.member(tenant, Role.DEVELOPER)
    key = await key_of(house, developer.bearer, "user:read")
    assert [await may_list_users(there, key) for there in (house, next_house)] == [200, 200]
    assert (await house.http("DELETE", f"{USERS}/{developer.id}", owner.bearer)).status == 204
    assert [await may_list_users(house, one) for one in (developer.bearer, key)] == [401, 401]
    await gone_elsewhere(next_house, key, 401)


async def test_suspension_reaches_every_process(house: House, next_house: House) -> None:
    suspended = await house.installation.tenant()
    member = await house.logged_in(suspended.id, suspended.owner_email)
    assert [await may_list_users(there, member.bearer) for there in (house, next_house)] == [200, 200]
    operator = await house.member(await house.installation.tenant(), Role.PLATFORM_OPERATOR)
    path = f"/api/v1/tenants/{suspended.id}/suspend"
    assert (await house.http("POST", path, operator.bearer, {"reason": "probe"})).status == 200
    assert await may_list_users(house, member.bearer) == 403
    await gone_elsewhere(next_house, member.bearer, 403)


async def test_spent_refresh_token_ends_the_session_at_once(house: House, tenant: TestTenant) -> None:
    """Whoever comes second is a thief, or was robbed."""
    member = await house.member(tenant, Role.VIEWER)
    body = {"refresh_token": member.tokens.refresh_token}
    renewed = await house.http("POST", "/api/v1/auth/refresh", None, body)
    assert await may_list_users(house, bearer(renewed.json["access_token"])) == 200
    assert (await house.http("POST", "/api/v1/auth/refresh", None, body)).status == 401
    for token in (member.tokens.access_token, renewed.json["access_token"]):
        assert await may_list_users(house, bearer(token)) == 401


async def gone_elsewhere(there: House, headers: Headers, status: int) -> None:
    """Long before what a process remembers of a credential would run out by itself."""

    async def refused() -> bool:
        return await may_list_users(there, headers) == status

    await until(refused)
