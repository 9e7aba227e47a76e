"""Each operation called with credentials that do not count, or count for little."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.kit.crypto.secrets import CredentialKind, new_credential, parse_credential
from steward.kit.ids import TenantId
from steward.kit.rpc.caller import CONTEXT_KEY, CallerSigner
from steward.services.identity.api import Role
from steward.services.identity.roles import GRANTABLE, PUBLISHABLE_SCOPES
from steward.services.tenants.api import TenantsApi
from tests.authorization.forgery import claims_of, forged_tokens, sign_as_platform
from tests.authorization.operations import Arguments, Kind, Recipe, Route
from tests.authorization.stage import Behind, Stage
from tests.authorization.walk import WAYS, Findings, Walk, until
from tests.support.house import RPCS, House, Member, bearer
from tests.support.platform import TestTenant

ME = "/api/v1/auth/me"
SERVICE_SCOPES = frozenset({"service:edge", "service:quota", "service:provision", "service:costs"})
KINDS = {"invalid_credential": "authentication_error", "tenant_suspended": "permission_error"}
"""What failures are called where Anthropic's form has room for their kind only."""


class Prepared:
    """Valid arguments for every closed operation, made once: nothing here gets as far as to use them up."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.calls: list[tuple[Recipe, Arguments]] = []

    async def refused(self, headers: Mapping[str, str], *wanted: int, code: str = "") -> None:
        """Nothing may be had with these headers, only one of these statuses."""
        findings = Findings()
        for recipe, arguments in self.calls:
            answer = await self.walk.call(recipe, arguments, headers)
            fits = answer.status in wanted and (not code or answer.code in {code, KINDS[code]})
            findings.expect(fits, recipe, answer, (*wanted, code))
        findings.none()


@pytest_asyncio.fixture(scope="module", params=WAYS)
async def prepared(
    request: pytest.FixtureRequest, house: House, routes: Mapping[str, Route], tenant: TestTenant, owner: Member
) -> Prepared:
    made = Prepared(Walk(house, routes, request.param))
    stage = Stage(house=house, caller=owner, tenant=tenant)
    for recipe in made.walk.recipes(closed=True):
        made.calls.append((recipe, await recipe.prepare(stage)))
    return made


@pytest_asyncio.fixture(scope="module")
async def victim(house: House, tenant: TestTenant) -> Member:
    """Somebody who may much and whose session is live all the time."""
    return await house.member(tenant, Role.OWNER)


async def new_key(house: House, maker: Member, **fields: object) -> tuple[UUID, str]:
    body = {"name": "k", "scopes": sorted(maker.ctx.scopes & GRANTABLE), **fields}
    made = await house.http("POST", "/api/v1/api-keys", maker.bearer, body)
    assert made.status == 201, made
    return UUID(made.json["api_key"]["id"]), made.json["secret"]


async def test_control_token_signed_like_the_forged_ones_counts(house: House, victim: Member) -> None:
    """The wrong claims below are what makes those tokens wrong."""
    token = await sign_as_platform(house, claims_of(victim.tokens.access_token))
    assert (await house.http("GET", "/api/v1/auth/me", bearer(token))).status == 200


async def test_forged_and_expired_tokens_open_nothing(
    prepared: Prepared, house: House, victim: Member, stranger: Member
) -> None:
    tokens = await forged_tokens(house, victim, stranger.tenant)
    assert len(tokens) > 18
    for what, token in tokens.items():
        try:
            await prepared.refused(bearer(token), 401, code="invalid_credential")
        except AssertionError as error:
            raise AssertionError(f"a token {what}") from error
    assert (await house.http("GET", "/api/v1/auth/me", victim.bearer)).status == 200


async def test_tokens_for_other_purposes_open_nothing(prepared: Prepared, house: House, tenant: TestTenant) -> None:
    member = await house.member(tenant, Role.OWNER)
    stage = Stage(house=house, caller=member, tenant=tenant)
    for token in (member.tokens.refresh_token, await stage.invitation(), "stw_sk_", "x", "null"):
        await prepared.refused(bearer(token), 401, code="invalid_credential")


async def test_altered_keys_open_nothing(prepared: Prepared, house: House, victim: Member, stranger: Member) -> None:
    _, secret = await new_key(house, victim)
    key = parse_credential(secret)
    assert key is not None
    ids = house.installation.foundation.ids
    other = new_credential(ids, CredentialKind.SECRET_KEY, key.tenant, key.id)
    moved = new_credential(ids, CredentialKind.SECRET_KEY, TenantId(stranger.tenant), key.id)
    for altered in (
        other.text(),
        moved.text(),
        secret.replace("_sk_", "_pk_"),
        secret.replace("_sk_", "_rt_"),
        secret[:-1],
        f"{secret}A",
        secret.swapcase(),
    ):
        await prepared.refused({"X-API-Key": altered}, 401, code="invalid_credential")
    assert (await house.http("GET", "/api/v1/auth/me", {"X-API-Key": secret})).status == 200


async def test_revoked_key_opens_nothing(prepared: Prepared, house: House, victim: Member) -> None:
    key_id, secret = await new_key(house, victim)
    assert (await house.http("GET", "/api/v1/auth/me", {"X-API-Key": secret})).status == 200
    assert (await house.http("DELETE", f"/api/v1/api-keys/{key_id}", victim.bearer)).status == 200
    await prepared.refused({"X-API-Key": secret}, 401, code="invalid_credential")


async def test_expired_key_opens_nothing(prepared: Prepared, house: House, victim: Member, behind: Behind) -> None:
    now = house.installation.foundation.clock.now()
    key_id, secret = await new_key(house, victim, expires_at=(now + timedelta(hours=1)).isoformat())
    await behind.connection.execute("UPDATE identity.api_key SET expires_at = $1 WHERE id = $2", now, key_id)
    await prepared.refused({"X-API-Key": secret}, 401, code="invalid_credential")


async def test_ended_session_opens_nothing(prepared: Prepared, house: House, victim: Member) -> None:
    again = await house.logged_in(victim.tenant, victim.email)
    assert (await house.http("GET", "/api/v1/auth/me", again.bearer)).status == 200
    assert (await house.http("POST", "/api/v1/auth/logout", again.bearer)).status == 204
    await prepared.refused(again.bearer, 401, code="invalid_credential")


async def test_suspended_tenant_is_refused_everywhere(prepared: Prepared, house: House) -> None:
    suspended = await house.installation.tenant()
    member = await house.logged_in(suspended.id, suspended.owner_email)
    _, secret = await new_key(house, member)
    assert (await house.http("GET", "/api/v1/users", {"X-API-Key": secret})).status == 200
    operator = await house.member(suspended, Role.PLATFORM_OPERATOR)
    own = await house.http("POST", f"/api/v1/tenants/{suspended.id}/suspend", operator.bearer, {"reason": "one's own"})
    assert (own.status, own.code) == (409, "own_tenant")
    elsewhere = await house.member(await house.installation.tenant(), Role.PLATFORM_OPERATOR)
    path = f"/api/v1/tenants/{suspended.id}/suspend"
    assert (await house.http("POST", path, elsewhere.bearer, {"reason": "unpaid"})).status == 200
    await prepared.refused(member.bearer, 403, code="tenant_suspended")
    await prepared.refused({"X-API-Key": secret}, 403, code="tenant_suspended")
    resumed = await house.http("POST", f"/api/v1/tenants/{suspended.id}/resume", elsewhere.bearer)
    assert resumed.status == 200
    assert (await house.http("GET", "/api/v1/users", {"X-API-Key": secret})).status == 200


async def test_deleted_tenant_is_refused_everywhere(prepared: Prepared, house: House, next_house: House) -> None:
    gone = await house.installation.tenant()
    member = await house.logged_in(gone.id, gone.owner_email)
    _, secret = await new_key(house, member)
    for edge in (house, next_house):
        for headers in (member.bearer, {"X-API-Key": secret}):
            assert (await edge.http("GET", ME, headers)).status == 200
    operator = house.installation.operator()
    await house.installation.api(TenantsApi).delete_tenant(operator, tenant_id=gone.id)
    # Not by a request through this edge, which remembers the tenant; and before the bus had time to tell it.
    await prepared.refused(member.bearer, 401)
    await prepared.refused({"X-API-Key": secret}, 401)
    await until(lambda: _status(next_house, member.bearer, 401))
    await until(lambda: _status(next_house, {"X-API-Key": secret}, 401))


async def test_suspended_tenant_is_refused_at_once_where_it_was_suspended(house: House, next_house: House) -> None:
    tenant = await house.installation.tenant()
    member = await house.logged_in(tenant.id, tenant.owner_email)
    operator, tenants = house.installation.operator(), house.installation.api(TenantsApi)
    for edge in (house, next_house):
        assert await _status(edge, member.bearer, 200)
    await tenants.suspend_tenant(operator, tenant_id=tenant.id, reason="unpaid")
    assert await _status(house, member.bearer, 403)
    await until(lambda: _status(next_house, member.bearer, 403))
    await tenants.resume_tenant(operator, tenant_id=tenant.id)
    assert await _status(house, member.bearer, 200)
    await until(lambda: _status(next_house, member.bearer, 200))


async def _status(house: House, headers: Mapping[str, str], status: int) -> bool:
    return (await house.http("GET", ME, headers)).status == status


@pytest.mark.parametrize("key", [{"kind": "publishable", "scopes": []}, {"scopes": ["knowledge:read"]}])
async def test_key_may_only_what_its_scopes_say(
    prepared: Prepared, house: House, victim: Member, key: Mapping[str, object]
) -> None:
    """Its creator is an owner; and not even what everybody may do to themself, for a key is no session."""
    _, secret = await new_key(house, victim, **key)
    scopes = PUBLISHABLE_SCOPES if "kind" in key else frozenset({"knowledge:read"})
    findings = Findings()
    for recipe, arguments in prepared.calls:
        answer = await prepared.walk.call(recipe, arguments, {"X-API-Key": secret})
        wanted = _of_key(recipe, scopes)
        findings.expect(answer.status in wanted, recipe, answer, wanted)
    findings.none()
    me = await house.http("GET", "/api/v1/auth/me", {"X-API-Key": secret})
    assert set(me.json["scopes"]) == scopes


async def test_caller_context_counts_only_from_the_fleet_and_for_the_service(
    house: House, tenant: TestTenant, victim: Member
) -> None:
    """Else whoever reaches the port could sign themself the scopes of a service."""
    walk = Walk(house, {}, "grpc")
    foundation = house.installation.foundation
    ctx = house.installation.ctx(tenant.id, *GRANTABLE, *SERVICE_SCOPES)
    impostors = [
        CallerSigner(foundation.clock, kid, Ed25519PrivateKey.generate())
        for kid in (str(foundation.process_id), str(foundation.ids.new()))
    ]
    stage = Stage(house=house, caller=victim, tenant=tenant)
    findings = Findings()
    for recipe in walk.recipes():
        arguments = await recipe.prepare(stage)
        service = RPCS[recipe.method].path.split("/")[1]
        contexts = [impostor.sign(ctx, service) for impostor in impostors]
        for context in (*contexts, foundation.signer.sign(ctx, "steward.v1.OtherService"), "x"):
            answer = await walk.call(recipe, arguments, {CONTEXT_KEY: context})
            fits = (answer.status, answer.code) == (401, "invalid_caller_context")
            findings.expect(fits, recipe, answer, "invalid_caller_context")
    findings.none()
    genuine = {CONTEXT_KEY: foundation.signer.sign(ctx, "steward.v1.TenantService")}
    assert (await house.rpc(RPCS["get_edge_policy"], {"tenant_id": tenant.id}, genuine)).status == 200


def _of_key(recipe: Recipe, scopes: frozenset[str]) -> range:
    """The statuses of which a key with these scopes gets one.

    What one does to oneself is, under the same operation, a matter of permission for others: then that is missing.
    Where it is only ever done to oneself, a session is missing.
    """
    if recipe.kind is Kind.SELF:
        refused = 403 if recipe.variant else 401
        return range(refused, refused + 1)
    granted = recipe.kind is Kind.GRANTED and recipe.allows(scopes)
    return range(200, 300) if granted or recipe.kind is Kind.ANYBODY else range(403, 404)
