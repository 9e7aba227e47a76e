"""What survives: crashes between the steps, repeated requests, the end of a tenant, time passing, key rotation."""

from datetime import timedelta

import msgspec
import pytest

from steward.kit.context import Ctx
from steward.kit.errors import Unavailable
from steward.kit.idempotency import IdempotencyKeyReused
from steward.kit.intents.intents import LEASE
from steward.services.identity.api import Role, User, UserState, UserUpdate
from steward.services.identity.errors import InvalidCredential, UserNotFound, WrongCredentials
from steward.services.tenants.api import Plan, TenantsApi
from steward.services.tenants.errors import QuotaExceeded
from tests.support.identity import PASSWORD, Crashed, Home, World

pytestmark = pytest.mark.parametrize("world", ["local"], indirect=True, scope="module")
"""In this process only: these tests reach into it, and what crosses gRPC is shown by the other modules."""


def keyed(ctx: Ctx, key: str) -> Ctx:
    return msgspec.structs.replace(ctx, idempotency_key=key)


async def open_intents(world: World, home: Home) -> int:
    return len(await world.rows("SELECT 1 FROM identity.intent WHERE tenant_id = $1", home.tenant))


async def users(world: World, home: Home) -> list[User]:
    return list((await world.identity.list_users(home.owner.ctx)).items)


@pytest.mark.parametrize("step", ["committed", "hold", "create"])
async def test_invitation_survives_a_crash_between_any_two_steps(world: World, home: Home, step: str) -> None:
    ctx = keyed(home.owner.ctx, f"crash-{step}")
    email = f"crash-{step}@new.example"
    world.crash.at = f"identity.invite_user:{step}"
    with pytest.raises(Crashed):
        await world.identity.invite_user(ctx, email=email, name="C", roles=[Role.VIEWER])
    world.clock.advance(LEASE.total_seconds() + 1)
    assert await world.another_process().intents.resume() >= 1
    assert await open_intents(world, home) == 0
    assert [user.email for user in await users(world, home)] == [home.owner.email, email]
    assert await world.quota_used(home.tenant, "users") == 2
    answer = await world.identity.invite_user(ctx, email=email, name="C", roles=[Role.VIEWER])
    await world.identity.register(world.ctx(), token=answer.token, name="C", password=PASSWORD)


@pytest.mark.parametrize("step", ["committed", "hold", "create"])
async def test_key_creation_survives_a_crash_between_any_two_steps(world: World, home: Home, step: str) -> None:
    ctx = keyed(home.owner.ctx, f"crash-{step}")
    world.crash.at = f"identity.create_api_key:{step}"
    with pytest.raises(Crashed):
        await world.identity.create_api_key(ctx, name="k", scopes=["agent:run"])
    world.clock.advance(LEASE.total_seconds() + 1)
    await world.another_process().intents.resume()
    answer = await world.identity.create_api_key(ctx, name="k", scopes=["agent:run"])
    await world.authenticated(answer.secret)
    assert len((await world.identity.list_api_keys(home.owner.ctx)).items) == 1
    assert await world.quota_used(home.tenant, "api_keys") == 1


async def test_key_made_before_a_crash_keeps_its_quota_whatever_became_of_its_creator(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.DEVELOPER])
    world.crash.at = "identity.create_api_key:create"
    with pytest.raises(Crashed):
        await world.identity.create_api_key(member.ctx, name="k", scopes=["agent:run"])
    await world.identity.update_user(home.owner.ctx, user_id=member.id, change=UserUpdate(state=UserState.DISABLED))
    world.clock.advance(LEASE.total_seconds() + 1)
    await world.another_process().intents.resume()
    assert await open_intents(world, home) == 0
    assert len((await world.identity.list_api_keys(home.owner.ctx)).items) == 1
    assert await world.quota_used(home.tenant, "api_keys") == 1


@pytest.mark.parametrize("step", ["committed", "release"])
async def test_quota_is_given_back_even_if_deletion_is_cut_short(world: World, home: Home, step: str) -> None:
    member = await world.new_member(home)
    world.crash.at = f"identity.give_back:{step}"
    with pytest.raises(Crashed):
        await world.identity.delete_user(home.owner.ctx, user_id=member.id)
    with pytest.raises(UserNotFound):
        await world.identity.get_user(home.owner.ctx, user_id=member.id)
    world.clock.advance(LEASE.total_seconds() + 1)
    await world.another_process().intents.resume()
    assert await world.quota_used(home.tenant, "users") == 1
    assert await open_intents(world, home) == 0


async def test_refused_invitation_leaves_nothing_and_frees_its_key(world: World) -> None:
    home = await world.new_home(Plan.FREE)
    members = [await world.new_member(home) for _ in range(4)]
    ctx = keyed(home.owner.ctx, "full")
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            await world.identity.invite_user(ctx, email="full@new.example", name="F", roles=[Role.VIEWER])
    assert await open_intents(world, home) == 0
    await world.identity.delete_user(home.owner.ctx, user_id=members[0].id)
    await world.identity.invite_user(ctx, email="full@new.example", name="F", roles=[Role.VIEWER])


async def test_refused_key_frees_its_idempotency_key_and_revoking_gives_quota_back(world: World) -> None:
    home = await world.new_home(Plan.FREE)
    made = [await world.identity.create_api_key(home.owner.ctx, name="k", scopes=["agent:run"]) for _ in range(5)]
    ctx = keyed(home.owner.ctx, "full")
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            await world.identity.create_api_key(ctx, name="sixth", scopes=["agent:run"])
    await world.identity.revoke_api_key(home.owner.ctx, key_id=made[0].api_key.id)
    assert await world.quota_used(home.tenant, "api_keys") == 4
    await world.identity.create_api_key(ctx, name="sixth", scopes=["agent:run"])
    assert await open_intents(world, home) == 0


class TenantsDown:
    """The tenants service while it cannot be reached."""

    async def release_quota(self, _: Ctx, **_given: object) -> None:
        raise Unavailable("tenants does not answer", retry_after=1)


async def test_deletion_stands_while_tenants_is_away_and_quota_follows(world: World, home: Home) -> None:
    member = await world.new_member(home)
    world.apis.put(TenantsApi, TenantsDown())
    try:
        await world.identity.delete_user(home.owner.ctx, user_id=member.id)
    finally:
        world.apis.put(TenantsApi, world.tenants)
    assert await world.quota_used(home.tenant, "users") == 2
    world.clock.advance(LEASE.total_seconds() + 1)
    await world.parts.intents.resume()
    assert await world.quota_used(home.tenant, "users") == 1


async def test_repeated_request_gets_the_first_answer_and_another_is_a_conflict(world: World, home: Home) -> None:
    ctx = keyed(home.owner.ctx, "same")
    first = await world.identity.create_api_key(ctx, name="k", scopes=["agent:run"])
    assert await world.identity.create_api_key(ctx, name="k", scopes=["agent:run"]) == first
    with pytest.raises(IdempotencyKeyReused):
        await world.identity.create_api_key(ctx, name="other", scopes=["agent:run"])
    invited = await world.identity.invite_user(ctx, email="same@new.example", name="S", roles=[Role.VIEWER])
    assert await world.identity.invite_user(ctx, email="same@new.example", name="S", roles=[Role.VIEWER]) == invited
    assert len(await users(world, home)) == 2


async def test_deleted_tenant_leaves_no_user_session_or_key(world: World, home: Home) -> None:
    doomed = await world.new_home()
    key = await world.identity.create_api_key(doomed.owner.ctx, name="k", scopes=["agent:run"])
    operator = msgspec.structs.replace(home.owner.ctx, scopes=frozenset({"platform:tenants"}))
    await world.tenants.delete_tenant(operator, tenant_id=doomed.tenant)
    for credential in (key.secret, doomed.owner.tokens.access_token):
        with pytest.raises(InvalidCredential):
            await world.authenticated(credential)
    with pytest.raises(WrongCredentials):
        await world.login(doomed.owner.email)
    for table in ("user", "session", "refresh_token", "api_key", "password", "user_role", "invitation"):
        assert await world.rows(f"SELECT 1 FROM identity.{table} WHERE tenant_id = $1", doomed.tenant) == []
    assert (await world.events(doomed.tenant))[-1].type == "identity.IdentitiesErased"
    await world.authenticated(home.owner.tokens.access_token)


async def test_owner_is_provisioned_once(world: World, home: Home) -> None:
    ctx = world.ctx(tenant=home.tenant, scopes=frozenset({"service:provision"}))
    row = await world.rows("SELECT id FROM identity.user WHERE tenant_id = $1", home.tenant)
    token = (
        await world.identity.invite_user(home.owner.ctx, email="t@new.example", name="T", roles=[Role.VIEWER])
    ).token
    again = await world.identity.provision_owner(ctx, user_id=home.owner.id, email=home.owner.email, invitation=token)
    assert again.id == row[0]["id"]
    other = await world.new_home()
    with pytest.raises(InvalidCredential):
        await world.identity.provision_owner(
            msgspec.structs.replace(ctx, tenant=other.tenant), user_id=world.ids.new(), email="e@x.y", invitation=token
        )


async def test_what_has_expired_is_removed_and_what_lives_stays(world: World, home: Home) -> None:
    await world.identity.invite_user(home.owner.ctx, email="old@new.example", name="O", roles=[Role.VIEWER])
    with pytest.raises(WrongCredentials):
        await world.login(home.owner.email, "wrong")
    world.clock.advance(timedelta(days=29).total_seconds())
    live = await world.login(home.owner.email)
    world.clock.advance(timedelta(days=3).total_seconds())
    assert await world.housekeeping.sweep() >= 3
    for table, left in (("session", 1), ("refresh_token", 1), ("invitation", 0)):
        assert len(await world.rows(f"SELECT 1 FROM identity.{table} WHERE tenant_id = $1", home.tenant)) == left
    assert await world.rows("SELECT 1 FROM identity.login_attempt") == []
    await world.identity.refresh(world.ctx(), refresh_token=live.refresh_token)


async def test_signing_key_is_published_before_it_signs_and_kept_after(world: World, home: Home) -> None:
    signing, other = world.parts.signing, world.another_process().signing

    async def kids() -> list[str]:
        return [key.kid for key in (await signing.jwks()).keys]

    def signer(token: str) -> str:
        return msgspec.json.decode(_padded(token.split(".", maxsplit=1)[0]))["kid"]

    await signing.rotate()
    (old,) = await kids()
    await signing.rotate()
    assert await kids() == [old]
    world.clock.advance(timedelta(days=90).total_seconds())
    await signing.rotate()
    await other.rotate()
    first, new = await kids()
    assert first == old
    before = (await world.login(home.owner.email)).access_token
    assert signer(before) == old
    world.clock.advance(timedelta(days=1).total_seconds() - 60)
    late = (await world.login(home.owner.email)).access_token
    assert signer(late) == old
    world.clock.advance(60)
    fresh = (await world.login(home.owner.email)).access_token
    assert signer(fresh) == new
    for token in (late, fresh):
        await world.authenticated(token)
        await other.verify(token)
    world.clock.advance(1500)
    await signing.rotate()
    assert await kids() == [new]


async def test_process_learns_of_a_key_when_it_meets_it(world: World, home: Home) -> None:
    other = world.another_process().signing
    await other.jwks()
    await world.rows("UPDATE identity.signing_key SET signs_from = signs_from - interval '91 days'")
    await world.parts.signing.rotate()
    await world.rows("UPDATE identity.signing_key SET signs_from = $1 WHERE expires_at IS NULL", world.clock.now())
    token = (await world.login(home.owner.email)).access_token
    with pytest.raises(InvalidCredential):
        await other.verify(token + "x")
    world.clock.advance(6)
    await other.verify(token)


def _padded(part: str) -> bytes:
    return msgspec.json.decode(f'"{part}{"=" * (-len(part) % 4)}"'.replace("-", "+").replace("_", "/"), type=bytes)
