"""Each operation, over HTTP and gRPC, called as nobody, as a viewer and as the owner of another tenant."""

from collections.abc import Mapping

import pytest

from steward.kit.context import Ctx
from steward.services.identity.api import Role
from steward.services.knowledge.api import KnowledgeApi
from tests.authorization.operations import Across, Arguments, Kind, Recipe, Route
from tests.authorization.stage import Behind, Stage, difference
from tests.authorization.walk import NOBODY, WAYS, Findings, Walk, until
from tests.support.house import Answer, House, Member
from tests.support.platform import PLATFORM_SCOPE, TestTenant


@pytest.fixture(params=WAYS)
def walk(request: pytest.FixtureRequest, house: House, routes: Mapping[str, Route]) -> Walk:
    return Walk(house, routes, request.param)


async def test_nobody_is_let_in_but_where_it_is_open(
    walk: Walk, house: House, tenant: TestTenant, owner: Member
) -> None:
    findings = Findings()
    stage = Stage(house=house, caller=owner, tenant=tenant)
    for recipe in walk.recipes():
        answer = await walk.call(recipe, await recipe.prepare(stage), NOBODY)
        wanted = range(200, 300) if recipe.kind is Kind.OPEN else range(401, 402)
        findings.expect(answer.status in wanted, recipe, answer, wanted)
    findings.none()


async def test_viewer_may_do_what_a_viewer_may(walk: Walk, house: House, tenant: TestTenant) -> None:
    findings = Findings()
    caller = await house.member(tenant)
    for recipe in walk.recipes(closed=True):
        arguments = await recipe.prepare(Stage(house=house, caller=caller, tenant=tenant))
        answer = await walk.call(recipe, arguments, caller.bearer)
        scopes = caller.ctx.scopes
        wanted = range(200, 300) if recipe.allows(scopes) else range(recipe.refusal(scopes), recipe.refusal(scopes) + 1)
        findings.expect(answer.status in wanted, recipe, answer, wanted)
        caller = await _live(house, caller, recipe)
    findings.none()


@pytest.mark.parametrize("who", ["owner", "platform operator's key"])
async def test_what_is_for_services_is_for_no_user(house: House, tenant: TestTenant, owner: Member, who: str) -> None:
    findings = Findings()
    walk = Walk(house, {}, "grpc")
    headers = owner.bearer if who == "owner" else {"X-API-Key": await _operators_key(house, tenant)}
    stage = Stage(house=house, caller=owner, tenant=tenant)
    for recipe in walk.recipes():
        if recipe.kind is Kind.SERVICE:
            answer = await walk.call(recipe, await recipe.prepare(stage), headers)
            findings.expect((answer.status, answer.code) == (403, "permission_denied"), recipe, answer, 403)
    findings.none()


async def test_owner_of_another_tenant_sees_and_changes_nothing(
    walk: Walk, house: House, tenant: TestTenant, stranger: Member, behind: Behind
) -> None:
    """Every table of every service is compared, row by row, before and after each operation."""
    findings = Findings()
    calls = [(recipe, await _named(recipe, house, tenant, stranger)) for recipe in walk.recipes(closed=True)]
    given = {str(value) for _, arguments in calls for value in arguments.values()}
    await _settled(behind, house, tenant.owner)
    before, mark = await behind.rows_of(tenant.id), await behind.mark_of(tenant.id)
    secrets = await _secrets(behind, tenant) - given
    assert len(before) > 10
    caller = await _again(house, stranger)
    for recipe, named in calls:
        own = Stage(house=house, caller=caller, tenant=tenant)
        arguments = await recipe.prepare(own) if recipe.kind is Kind.SELF else named
        answer = await walk.call(recipe, arguments, caller.bearer)
        findings.expect(_as_across(recipe, answer), recipe, answer, recipe.across.value)
        shown = [secret for secret in secrets if secret.encode() in answer.body]
        findings.expect(not shown, recipe, answer, f"nothing of the tenant, but it has {shown}")
        caller = await _live(house, caller, recipe)
        if await behind.mark_of(tenant.id) != mark:
            changed = difference(before, await behind.rows_of(tenant.id))
            findings.expect(False, recipe, answer, f"no change of the tenant, but\n{changed}")
    findings.none()


async def _named(recipe: Recipe, house: House, tenant: TestTenant, stranger: Member) -> Arguments:
    """Arguments with the tenant's things in them, made before the tenant is looked at."""
    if recipe.kind is Kind.SELF:
        return {}
    return await recipe.prepare(Stage(house=house, caller=stranger, tenant=tenant))


def _as_across(recipe: Recipe, answer: Answer) -> bool:
    match recipe.across:
        case Across.HIDDEN:
            return answer.status == 404 and answer.code.endswith("_not_found")
        case Across.REFUSED:
            return (answer.status, answer.code) == (403, "permission_denied")
        case Across.APART:
            return 200 <= answer.status < 300 or answer.code == "role_too_strong"


SECRETS = (
    *(f"id::text FROM identity.{table}" for table in ("user", "session", "api_key", "invitation")),
    "name FROM costs.budget",
    "model FROM costs.price_override",
    "call_id::text FROM costs.ledger",
    "'file-' || encode(uuid_send(file_id), 'hex') FROM models.file",
    "'batch_' || encode(uuid_send(batch_id), 'hex') FROM models.batch",
    "name FROM models.connection",
    "name FROM models.alias",
)
"""What each row of a tenant is known by."""


async def _secrets(behind: Behind, tenant: TestTenant) -> set[str]:
    """What tells of the tenant's things: its slug, its owner's address, every id, name and hash."""
    found = {str(tenant.id), tenant.slug, tenant.owner_email}
    for what in SECRETS:
        rows = await behind.connection.fetch(f"SELECT {what} WHERE tenant_id = $1", tenant.id)
        assert rows, f"the tenant has none of: {what}"
        found |= {row[0] for row in rows}
    hashes = await behind.connection.fetch("SELECT id, hash FROM audit.entry WHERE tenant_id = $1", tenant.id)
    return found | {str(row["id"]) for row in hashes} | {row["hash"].hex() for row in hashes}


async def _settled(behind: Behind, house: House, owner: Ctx) -> None:
    """Wait until the tenant's queries are recorded, and until the collector has sealed what the tenant has audited."""
    await house.installation.api(KnowledgeApi).list_unanswered(owner)
    await until(lambda: behind.all_sealed(owner.require_tenant()))


async def _operators_key(house: House, tenant: TestTenant) -> str:
    """A key that may whatever a key can be given, of a platform operator."""
    operator = await house.member(tenant, *Role)
    assert PLATFORM_SCOPE in operator.ctx.scopes
    made = await house.http(
        "POST", "/api/v1/api-keys", operator.bearer, {"name": "all", "scopes": sorted(operator.ctx.scopes)}
    )
    return made.json["secret"]


async def _again(house: House, member: Member) -> Member:
    """Logged in anew: a change of password above has ended the other sessions."""
    return await house.logged_in(member.tenant, member.email)


async def _live(house: House, caller: Member, recipe: Recipe) -> Member:
    """The caller with a session that lives: what one does to oneself may have ended the one before."""
    return await _again(house, caller) if recipe.kind is Kind.SELF else caller


async def test_answers_kept_for_repetitions_are_the_own_ones(
    house: House, tenant: TestTenant, owner: Member, stranger: Member
) -> None:
    """The same Idempotency-Key with the same body, sent by two tenants, and by two users of one tenant."""
    body = {"name": "once", "scopes": ["user:read"]}
    callers = (owner, await house.member(tenant, Role.OWNER), await _again(house, stranger))
    once = {"Idempotency-Key": "the-same-for-all"}
    first = [await house.http("POST", "/api/v1/api-keys", {**one.bearer, **once}, body) for one in callers]
    again = [await house.http("POST", "/api/v1/api-keys", {**one.bearer, **once}, body) for one in callers]
    assert [answer.status for answer in first] == [201, 201, 201]
    assert [answer.body for answer in again] == [answer.body for answer in first]
    assert len({answer.json["secret"] for answer in first}) == 3


@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/api-keys", "/api/v1/audit/entries"])
async def test_cursor_of_one_tenant_leads_another_nowhere_new(
    house: House, owner: Member, stranger: Member, behind: Behind, path: str
) -> None:
    reader = await _again(house, stranger)
    for member in (owner, reader):
        for _ in range(2):
            made = await house.http("POST", "/api/v1/api-keys", member.bearer, {"name": "k", "scopes": ["user:read"]})
            assert made.status == 201
    await _settled(behind, house, owner.ctx)
    cursor = (await house.http("GET", path, owner.bearer, limit="1")).json["next_cursor"]
    theirs = await house.http("GET", path, owner.bearer, limit="200", cursor=cursor)
    page = await house.http("GET", path, reader.bearer, limit="200", cursor=cursor)
    assert (theirs.status, page.status) == (200, 200)
    assert theirs.json["items"]
    assert {item["id"] for item in page.json["items"]}.isdisjoint(item["id"] for item in theirs.json["items"])
