"""Log-in, log-out and lock-out, through the contract."""

import asyncio

import bcrypt
import pytest

from steward.kit.authz import LoginNeeded
from steward.kit.ids import PLATFORM
from steward.services.identity.api import Role, UserState, UserUpdate
from steward.services.identity.errors import (
    AccountLocked,
    InvalidCredential,
    TenantNeeded,
    WrongCredentials,
)
from tests.support.identity import PASSWORD, Home, World

WRONG = "not the password at all"


async def fail(world: World, email: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            await world.login(email, WRONG)


async def test_login_opens_a_session_with_the_rights_of_the_roles(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.SUPPORT_AGENT])
    assert member.ctx.tenant == home.tenant
    assert member.ctx.actor.id == str(member.id)
    assert "ticket:write" in member.ctx.scopes
    assert "user:invite" not in member.ctx.scopes
    assert member.tokens.token_type == "Bearer"
    assert member.tokens.expires_in == 900
    (session,) = await world.identity.list_sessions(member.ctx)
    assert (session.address, session.user_agent, session.current) == ("192.0.2.7", "pytest/1", True)


async def test_address_counts_in_any_case_and_width(world: World, home: Home) -> None:
    member = await world.new_member(home, email="Zoë.\uff37ide@Example.COM")
    await world.login("ZOË.wide@example.com")
    assert (await world.identity.get_user(home.owner.ctx, user_id=member.id)).email == "Zoë.\uff37ide@Example.COM"


async def test_personal_data_is_sealed_in_the_database(world: World, home: Home) -> None:
    for table in ("user", "session", "intent", "audit_outbox", "outbox", "reply"):
        for row in await world.rows(f"SELECT t::text AS all FROM identity.{table} t"):
            text = row["all"]
            for secret in (home.owner.email, "Mem Ber", "pytest/1", PASSWORD):
                assert secret not in text
                assert secret.encode().hex() not in text


async def test_unknown_address_and_wrong_password_are_refused_alike(world: World, home: Home) -> None:
    with pytest.raises(WrongCredentials) as unknown:
        await world.login("nobody@nowhere.example", WRONG)
    with pytest.raises(WrongCredentials) as wrong:
        await world.login(home.owner.email, WRONG)
    assert (unknown.value.message, unknown.value.data) == (wrong.value.message, wrong.value.data)
    with pytest.raises(WrongCredentials):
        await world.login(home.owner.email, tenant="no-such-tenant")
    await world.login(home.owner.email, tenant=home.slug)


async def test_five_failures_in_a_row_lock_for_fifteen_minutes(world: World, home: Home) -> None:
    await fail(world, home.owner.email, 5)
    with pytest.raises(AccountLocked) as locked:
        await world.login(home.owner.email)
    assert locked.value.data["retry_after"] == 900
    world.clock.advance(899)
    with pytest.raises(AccountLocked):
        await world.login(home.owner.email)
    world.clock.advance(1)
    await world.login(home.owner.email)
    actions = await world.actions(home.tenant)
    assert actions.count("session.started failed") == 5
    assert actions.count("user.login_locked done") == 1


async def test_a_success_between_failures_starts_the_count_anew(world: World, home: Home) -> None:
    await fail(world, home.owner.email, 4)
    await world.login(home.owner.email)
    await fail(world, home.owner.email, 4)
    await world.login(home.owner.email)


async def test_lock_out_does_not_tell_whether_an_address_has_a_user(world: World) -> None:
    await fail(world, "ghost@nowhere.example", 5)
    with pytest.raises(AccountLocked):
        await world.login("ghost@nowhere.example", WRONG)


async def test_failures_for_unknown_addresses_are_in_the_trail_of_the_platform(world: World) -> None:
    before = len(await world.audits(PLATFORM))
    await fail(world, "stranger@nowhere.example", 1)
    (entry,) = (await world.audits(PLATFORM))[before:]
    assert (entry.action, entry.outcome.value, entry.reason) == ("session.started", "failed", "unknown address")
    assert entry.address == "192.0.2.7"


async def test_of_guesses_at_once_no_more_than_the_limit_are_answered(world: World, home: Home) -> None:
    guesses = [WRONG] * 12 + [PASSWORD]
    results = await asyncio.gather(*(world.login(home.owner.email, guess) for guess in guesses), return_exceptions=True)
    refused = [result for result in results if isinstance(result, WrongCredentials)]
    locked = [result for result in results if isinstance(result, AccountLocked)]
    won = [result for result in results if not isinstance(result, BaseException)]
    assert len(refused) + len(locked) + len(won) == 13
    # A right guess that came in time starts the count anew; else five answers are all there are.
    assert len(refused) <= (5 + 5 if won else 5)
    assert locked
    world.clock.advance(900)


async def test_many_right_logins_at_once_all_succeed(world: World, home: Home) -> None:
    tokens = await asyncio.gather(*(world.login(home.owner.email) for _ in range(12)))
    assert len({one.session_id for one in tokens}) == 12


async def test_address_in_two_tenants_needs_the_tenant_named(world: World, home: Home) -> None:
    other = await world.new_home()
    email = f"both@{home.slug}.example"
    await world.new_member(home, email=email)
    await world.new_member(other, email=email)
    with pytest.raises(TenantNeeded):
        await world.login(email)
    with pytest.raises(WrongCredentials):
        await world.login(email, WRONG)
    for tenant in (home, other):
        for name in (tenant.slug, str(tenant.tenant)):
            tokens = await world.login(email, tenant=name)
            assert (await world.authenticated(tokens.access_token)).tenant == tenant.tenant


async def test_bcrypt_hash_is_verified_and_replaced(world: World, home: Home) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    await world.rows("UPDATE identity.password SET hash = $2 WHERE user_id = $1", home.owner.id, old)
    await world.login(home.owner.email)
    (row,) = await world.rows("SELECT hash FROM identity.password WHERE user_id = $1", home.owner.id)
    assert row["hash"].startswith("$argon2id$")
    await world.login(home.owner.email)


async def test_disabled_user_cannot_log_in(world: World, home: Home) -> None:
    member = await world.new_member(home)
    await world.identity.update_user(home.owner.ctx, user_id=member.id, change=UserUpdate(state=UserState.DISABLED))
    with pytest.raises(WrongCredentials):
        await world.login(member.email)


async def test_logout_ends_the_session(world: World, home: Home) -> None:
    tokens = await world.login(home.owner.email)
    await world.identity.logout(await world.authenticated(tokens.access_token))
    with pytest.raises(InvalidCredential):
        await world.authenticated(tokens.access_token)
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=tokens.refresh_token)
    with pytest.raises(LoginNeeded):
        await world.identity.logout(world.ctx())


async def test_password_change_ends_the_other_sessions(world: World, home: Home) -> None:
    member = await world.new_member(home)
    other = await world.login(member.email)
    with pytest.raises(WrongCredentials):
        await world.identity.change_password(member.ctx, current=WRONG, new="a new password of mine")
    await world.identity.change_password(member.ctx, current=PASSWORD, new="a new password of mine")
    await world.authenticated(member.tokens.access_token)
    with pytest.raises(InvalidCredential):
        await world.authenticated(other.access_token)
    with pytest.raises(WrongCredentials):
        await world.login(member.email)
    await world.login(member.email, "a new password of mine")
    event = next(event for event in await world.events(home.tenant) if event.type == "identity.PasswordChanged")
    assert str(other.session_id) in bytes(event.payload).decode()


async def test_password_guesses_of_a_stolen_session_lock_too(world: World, home: Home) -> None:
    member = await world.new_member(home)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await world.identity.change_password(member.ctx, current=WRONG, new="a new password of mine")
    with pytest.raises(AccountLocked):
        await world.identity.change_password(member.ctx, current=PASSWORD, new="a new password of mine")
