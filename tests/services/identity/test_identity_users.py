"""Users: invited, registered, changed and deleted, with their quota, by those who may."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from steward.kit.authz import LoginNeeded, PermissionDenied
from steward.kit.errors import AppError
from steward.services.identity.api import Role, UserState, UserUpdate
from steward.services.identity.errors import (
    EmailTaken,
    InvalidCredential,
    LastOwner,
    RoleTooStrong,
    SessionNotFound,
    UserChanged,
    UserNotFound,
    WrongUserState,
)
from steward.services.tenants.api import Plan
from steward.services.tenants.errors import QuotaExceeded
from tests.support.identity import PASSWORD, Home, World


async def invite(world: World, home: Home, email: str, roles: list[Role] | None = None) -> str:
    invitation = await world.identity.invite_user(home.owner.ctx, email=email, name="New", roles=roles or [Role.VIEWER])
    return invitation.token


async def test_invited_user_registers_once_and_becomes_active(world: World, home: Home) -> None:
    invitation = await world.identity.invite_user(
        home.owner.ctx, email="new@new.example", name="New", roles=[Role.VIEWER, Role.AUDITOR]
    )
    assert invitation.user.state is UserState.INVITED
    assert invitation.user == await world.identity.get_user(home.owner.ctx, user_id=invitation.user.id)
    user = await world.identity.register(world.ctx(), token=invitation.token, name="Newt", password=PASSWORD)
    assert (user.state, user.name, user.roles) == (UserState.ACTIVE, "Newt", [Role.AUDITOR, Role.VIEWER])
    assert user == await world.identity.get_user(home.owner.ctx, user_id=user.id)
    with pytest.raises(InvalidCredential):
        await world.identity.register(world.ctx(), token=invitation.token, name="Again", password=PASSWORD)
    registered = [audit for audit in await world.audits(home.tenant) if audit.action == "user.registered"]
    assert registered[-1].actor.id == str(user.id)


async def test_invitation_expires_after_a_week_and_cannot_be_forged(world: World, home: Home) -> None:
    token = await invite(world, home, "late@new.example")
    for wrong in (token[:-3] + "AAA", token.replace("stw_in_", "stw_rt_"), "x", home.owner.tokens.refresh_token):
        with pytest.raises(InvalidCredential):
            await world.identity.register(world.ctx(), token=wrong, name="N", password=PASSWORD)
    world.clock.advance(timedelta(days=7).total_seconds())
    with pytest.raises(InvalidCredential):
        await world.identity.register(world.ctx(), token=token, name="N", password=PASSWORD)


async def test_address_is_unique_in_a_tenant_and_free_after_deletion(world: World, home: Home) -> None:
    member = await world.new_member(home, email="dup@new.example")
    with pytest.raises(EmailTaken):
        await invite(world, home, "DUP@new.example")
    await world.identity.delete_user(home.owner.ctx, user_id=member.id)
    await invite(world, home, "dup@new.example")


async def test_of_invitations_of_one_address_at_once_one_wins_and_one_quota_is_taken(world: World, home: Home) -> None:
    used = await world.quota_used(home.tenant, "users")
    results = await asyncio.gather(*(invite(world, home, "race@new.example") for _ in range(5)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["EmailTaken"] * 4 + ["str"]
    assert await world.quota_used(home.tenant, "users") == used + 1


async def test_quota_of_users_is_taken_refused_and_given_back(world: World) -> None:
    home = await world.new_home(Plan.FREE)
    members = [await world.new_member(home) for _ in range(4)]
    with pytest.raises(QuotaExceeded):
        await invite(world, home, "sixth@new.example")
    await world.identity.delete_user(home.owner.ctx, user_id=members[0].id)
    assert await world.quota_used(home.tenant, "users") == 4
    await invite(world, home, "sixth@new.example")


async def test_deleting_a_user_gives_back_the_quota_of_their_keys(world: World) -> None:
    home = await world.new_home()
    member = await world.new_member(home, [Role.DEVELOPER])
    for name in ("one", "two"):
        await world.identity.create_api_key(member.ctx, name=name, scopes=["agent:run"])
    assert await world.quota_used(home.tenant, "api_keys") == 2
    await world.identity.delete_user(home.owner.ctx, user_id=member.id)
    assert await world.quota_used(home.tenant, "api_keys") == 0
    assert await world.rows("SELECT 1 FROM identity.intent WHERE tenant_id = $1", home.tenant) == []


async def test_deletion_erases_the_person_and_ends_all_access(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.DEVELOPER])
    key = await world.identity.create_api_key(member.ctx, name="k", scopes=["agent:run"])
    await world.identity.delete_user(home.owner.ctx, user_id=member.id)
    with pytest.raises(UserNotFound):
        await world.identity.get_user(home.owner.ctx, user_id=member.id)
    for credential in (member.tokens.access_token, key.secret):
        with pytest.raises(InvalidCredential):
            await world.authenticated(credential)
    (row,) = await world.rows("SELECT * FROM identity.user WHERE id = $1", member.id)
    assert (row["email"], row["email_index"], row["name"]) == (None, None, None)
    (event,) = [event for event in await world.events(home.tenant) if event.type == "identity.UserDeleted"]
    told = msgspec.json.decode(event.payload)
    assert told == {
        "user_id": str(member.id),
        "session_ids": [str(member.tokens.session_id)],
        "key_ids": [str(key.api_key.id)],
    }


async def test_nobody_gives_a_role_that_permits_more_than_they_may(world: World, home: Home) -> None:
    admin = await world.new_member(home, [Role.ADMIN])
    viewer = await world.new_member(home, [Role.VIEWER])
    for role in (Role.OWNER, Role.AUDITOR, Role.PLATFORM_OPERATOR):
        with pytest.raises(RoleTooStrong):
            await world.identity.assign_role(admin.ctx, user_id=viewer.id, role=role)
        with pytest.raises(RoleTooStrong):
            await world.identity.invite_user(admin.ctx, email="strong@new.example", name="S", roles=[role])
    with pytest.raises(RoleTooStrong):
        await world.identity.revoke_role(admin.ctx, user_id=home.owner.id, role=Role.OWNER)
    with pytest.raises(RoleTooStrong):
        await world.identity.assign_role(home.owner.ctx, user_id=viewer.id, role=Role.PLATFORM_OPERATOR)
    user = await world.identity.assign_role(admin.ctx, user_id=viewer.id, role=Role.DEVELOPER)
    assert user.roles == [Role.DEVELOPER, Role.VIEWER]
    assert (await world.actions(home.tenant)).count("access.denied denied") == 8


async def test_nobody_disables_or_deletes_who_may_more_than_they_do(world: World, home: Home) -> None:
    admin = await world.new_member(home, [Role.ADMIN])
    await world.new_member(home, [Role.OWNER])
    with pytest.raises(RoleTooStrong):
        await world.identity.delete_user(admin.ctx, user_id=home.owner.id)
    with pytest.raises(RoleTooStrong):
        await world.identity.update_user(admin.ctx, user_id=home.owner.id, change=UserUpdate(state=UserState.DISABLED))


async def test_key_for_deleting_users_deletes_those_its_maker_may(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.VIEWER])
    key = await world.identity.create_api_key(home.owner.ctx, name="leavers", scopes=["user:delete"])
    await world.identity.delete_user(await world.authenticated(key.secret), user_id=member.id)


async def test_last_owner_stays(world: World, home: Home) -> None:
    ctx, owner = home.owner.ctx, home.owner.id
    invited = await world.identity.invite_user(ctx, email="o2@new.example", name="O", roles=[Role.OWNER])
    for attempt in (
        world.identity.delete_user(ctx, user_id=owner),
        world.identity.revoke_role(ctx, user_id=owner, role=Role.OWNER),
        world.identity.update_user(ctx, user_id=owner, change=UserUpdate(state=UserState.DISABLED)),
    ):
        with pytest.raises(LastOwner):
            await attempt
    await world.identity.register(world.ctx(), token=invited.token, name="O", password=PASSWORD)
    await world.identity.delete_user(ctx, user_id=owner)


async def test_of_two_owners_who_leave_at_once_one_stays(world: World) -> None:
    for _ in range(4):
        home = await world.new_home()
        other = await world.new_member(home, [Role.OWNER])
        results = await asyncio.gather(
            world.identity.delete_user(home.owner.ctx, user_id=home.owner.id),
            world.identity.revoke_role(other.ctx, user_id=other.id, role=Role.OWNER),
            return_exceptions=True,
        )
        assert [type(result) for result in results].count(LastOwner) == 1


async def test_role_changes_are_told_with_all_that_they_touch(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.DEVELOPER])
    key = await world.identity.create_api_key(member.ctx, name="k", scopes=["agent:run"])
    before = await world.identity.get_user(home.owner.ctx, user_id=member.id)
    after = await world.identity.revoke_role(home.owner.ctx, user_id=member.id, role=Role.DEVELOPER)
    assert after.version == before.version + 1
    assert after == await world.identity.get_user(home.owner.ctx, user_id=member.id)
    assert after == await world.identity.revoke_role(home.owner.ctx, user_id=member.id, role=Role.DEVELOPER)
    (event,) = [event for event in await world.events(home.tenant) if event.type == "identity.RolesChanged"]
    assert msgspec.json.decode(event.payload) == {
        "user_id": str(member.id),
        "roles": [],
        "session_ids": [str(member.tokens.session_id)],
        "key_ids": [str(key.api_key.id)],
    }
    audit = (await world.audits(home.tenant))[-1]
    assert (audit.action, audit.before["roles"], audit.after["roles"]) == ("role.revoked", ["developer"], [])


async def test_user_changes_their_own_name_but_not_their_state(world: World, home: Home) -> None:
    member = await world.new_member(home)
    renamed = await world.identity.update_user(member.ctx, user_id=member.id, change=UserUpdate(name="王小明"))
    assert renamed.name == "王小明"
    with pytest.raises(PermissionDenied):
        await world.identity.update_user(member.ctx, user_id=member.id, change=UserUpdate(state=UserState.DISABLED))
    with pytest.raises(PermissionDenied):
        await world.identity.update_user(member.ctx, user_id=home.owner.id, change=UserUpdate(name="X"))


async def test_change_from_an_old_version_is_refused(world: World, home: Home) -> None:
    member = await world.new_member(home)
    version = (await world.identity.get_user(home.owner.ctx, user_id=member.id)).version
    change = UserUpdate(name="First", version=version)
    assert (await world.identity.update_user(home.owner.ctx, user_id=member.id, change=change)).version == version + 1
    with pytest.raises(UserChanged):
        await world.identity.update_user(home.owner.ctx, user_id=member.id, change=change)


async def test_states_change_only_between_active_and_disabled(world: World, home: Home) -> None:
    member = await world.new_member(home)
    invited = await world.identity.invite_user(home.owner.ctx, email="i@new.example", name="I", roles=[Role.VIEWER])
    for user_id, state in (
        (member.id, UserState.DELETED),
        (member.id, UserState.INVITED),
        (invited.user.id, UserState.ACTIVE),
        (invited.user.id, UserState.DISABLED),
    ):
        with pytest.raises(WrongUserState):
            await world.identity.update_user(home.owner.ctx, user_id=user_id, change=UserUpdate(state=state))
    for state in (UserState.DISABLED, UserState.ACTIVE):
        user = await world.identity.update_user(home.owner.ctx, user_id=member.id, change=UserUpdate(state=state))
        assert user.state is state
    with pytest.raises(InvalidCredential):
        await world.authenticated(member.tokens.access_token)


async def test_sessions_of_others_are_seen_and_ended_by_permission(world: World, home: Home) -> None:
    member = await world.new_member(home)
    auditor = await world.new_member(home, [Role.AUDITOR])
    session = member.tokens.session_id
    stranger = await world.new_member(home)
    assert len(await world.identity.list_sessions(auditor.ctx, user_id=member.id)) == 1
    with pytest.raises(PermissionDenied):
        await world.identity.list_sessions(stranger.ctx, user_id=member.id)
    with pytest.raises(SessionNotFound):
        await world.identity.revoke_session(stranger.ctx, session_id=session)
    with pytest.raises(PermissionDenied):
        await world.identity.revoke_session(auditor.ctx, session_id=session)
    with pytest.raises(LoginNeeded):
        await world.identity.revoke_session(world.ctx(), session_id=session)
    await world.identity.revoke_session(home.owner.ctx, session_id=session)
    with pytest.raises(InvalidCredential):
        await world.authenticated(member.tokens.access_token)


async def test_permission_is_explained_and_a_disabled_user_has_none(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.DEVELOPER])
    explain = world.identity.explain_permission
    told = await explain(member.ctx, user_id=member.id, permission="agent:run")
    assert (told.allowed, told.because) == (True, ["developer > agent-operator > agent:run"])
    await world.identity.update_user(home.owner.ctx, user_id=member.id, change=UserUpdate(state=UserState.DISABLED))
    told = await explain(home.owner.ctx, user_id=member.id, permission="agent:run")
    assert (told.allowed, told.because) == (False, ["the user is disabled"])


async def test_objects_of_another_tenant_do_not_exist(world: World, home: Home) -> None:
    other = (await world.new_home()).owner
    api, ctx = world.identity, home.owner.ctx
    for probe in (
        api.get_user(ctx, user_id=other.id),
        api.update_user(ctx, user_id=other.id, change=UserUpdate(name="X")),
        api.delete_user(ctx, user_id=other.id),
        api.assign_role(ctx, user_id=other.id, role=Role.VIEWER),
        api.revoke_role(ctx, user_id=other.id, role=Role.OWNER),
        api.explain_permission(ctx, user_id=other.id, permission="agent:run"),
        api.list_sessions(ctx, user_id=other.id),
    ):
        with pytest.raises(UserNotFound):
            await probe
    with pytest.raises(SessionNotFound):
        await api.revoke_session(ctx, session_id=other.tokens.session_id)
    assert other.id not in [user.id for user in (await api.list_users(ctx)).items]


async def test_viewer_and_nobody_may_change_nothing(world: World, home: Home) -> None:
    viewer = await world.new_member(home, [Role.VIEWER])
    target = home.owner.id
    for ctx, refusal in ((viewer.ctx, PermissionDenied), (world.ctx(), LoginNeeded)):
        api = world.identity
        for probe in (
            api.invite_user(ctx, email="x@new.example", name="X", roles=[Role.VIEWER]),
            api.update_user(ctx, user_id=target, change=UserUpdate(name="X")),
            api.delete_user(ctx, user_id=target),
            api.assign_role(ctx, user_id=target, role=Role.VIEWER),
            api.revoke_role(ctx, user_id=target, role=Role.OWNER),
            api.create_api_key(ctx, name="x", scopes=["agent:read"]),
            api.revoke_api_key(ctx, key_id=world.ids.new()),
            api.list_api_keys(ctx),
            api.provision_owner(ctx, user_id=target, email="x@new.example", invitation="x"),
            api.erase_tenant(ctx),
        ):
            with pytest.raises(refusal):
                await probe
    denied = [audit for audit in await world.audits(home.tenant) if audit.action == "access.denied"]
    assert len(denied) == 10
    assert {audit.actor.id for audit in denied} == {str(viewer.id)}


async def test_users_are_paged_oldest_first(world: World, home: Home) -> None:
    expected = [home.owner.id] + [(await world.new_member(home)).id for _ in range(4)]
    first = await world.identity.list_users(home.owner.ctx, limit=3)
    rest = await world.identity.list_users(home.owner.ctx, limit=3, cursor=first.next_cursor)
    assert [user.id for user in (*first.items, *rest.items)] == expected
    assert rest.next_cursor is None
    with pytest.raises(AppError):
        await world.identity.list_users(home.owner.ctx, cursor="nonsense")


async def test_whoami_tells_user_tenant_and_rights(world: World, home: Home) -> None:
    told = await world.identity.whoami(home.owner.ctx)
    assert (told.tenant, told.actor, told.roles) == (home.tenant, home.owner.ctx.actor, [Role.OWNER])
    assert told.scopes == home.owner.ctx.scopes
    with pytest.raises(LoginNeeded):
        await world.identity.whoami(world.ctx())
