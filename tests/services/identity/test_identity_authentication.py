"""Whom credentials speak for: access tokens that are genuine and live, keys that count, and nothing else."""

import base64
import json
import re
from datetime import datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from steward.kit.authz import LoginNeeded, PermissionDenied
from steward.kit.context import ActorType, Ctx
from steward.kit.errors import InvalidInput
from steward.services.identity.api import ApiKeyCreated, KeyKind, Role, UserState, UserUpdate
from steward.services.identity.errors import (
    ApiKeyNotFound,
    ExpiryTooLate,
    InvalidCredential,
    ScopeTooStrong,
    UserLoginNeeded,
)
from steward.services.tenants.api import Plan
from tests.support.identity import Home, World


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def refused(world: World, credential: str) -> None:
    with pytest.raises(InvalidCredential):
        await world.authenticated(credential)


async def test_only_the_edge_may_ask_whom_a_credential_speaks_for(world: World, home: Home) -> None:
    with pytest.raises(PermissionDenied):
        await world.identity.authenticate(home.owner.ctx, credential=home.owner.tokens.access_token)
    with pytest.raises(LoginNeeded):
        await world.identity.authenticate(world.ctx(), credential=home.owner.tokens.access_token)


async def test_rights_come_from_the_roles_of_now_not_from_the_token(world: World, home: Home) -> None:
    member = await world.new_member(home, [Role.DEVELOPER])
    await world.identity.revoke_role(home.owner.ctx, user_id=member.id, role=Role.DEVELOPER)
    now = await world.authenticated(member.tokens.access_token)
    assert now.scopes == frozenset()
    assert "developer" in json.loads(base64.urlsafe_b64decode(member.tokens.access_token.split(".")[1] + "=="))["roles"]


async def test_live_session_of_a_user_who_is_not_active_counts_for_nothing(world: World, home: Home) -> None:
    member = await world.new_member(home)
    await world.rows("UPDATE identity.user SET state = 'disabled' WHERE id = $1", member.id)
    await refused(world, member.tokens.access_token)
    with pytest.raises(InvalidCredential):
        await world.identity.refresh(world.ctx(), refresh_token=member.tokens.refresh_token)


async def test_principal_is_good_for_half_a_minute_at_most(world: World, home: Home) -> None:
    tokens = await world.login(home.owner.email)
    principal = await world.identity.authenticate(world.edge(), credential=tokens.access_token)
    assert principal.expires_at == world.clock.now() + timedelta(seconds=30)
    world.clock.advance(890)
    principal = await world.identity.authenticate(world.edge(), credential=tokens.access_token)
    assert principal.expires_at - world.clock.now() <= timedelta(seconds=10)
    world.clock.advance(10)
    await refused(world, tokens.access_token)


async def test_token_names_user_tenant_session_and_key(world: World, home: Home) -> None:
    tokens = await world.login(home.owner.email)
    header, claims, _ = tokens.access_token.split(".")
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    keys = (await world.identity.get_jwks(world.ctx())).keys
    assert told["alg"] == "Ed25519"
    assert told["kid"] in [key.kid for key in keys]
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (said["iss"], said["sub"], said["tenant"], said["sid"]) == (
        "steward",
        str(home.owner.id),
        str(home.tenant),
        str(tokens.session_id),
    )
    assert said["exp"] - said["iat"] == 900
    assert len(tokens.access_token) < 1024


async def test_a_stranger_verifies_tokens_with_the_published_keys(world: World, home: Home) -> None:
    tokens = await world.login(home.owner.email)
    (key,) = (await world.identity.get_jwks(world.ctx())).keys
    published = OKPKey.import_key({"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid, "alg": key.alg})
    assert jwt.decode(tokens.access_token, published, algorithms=["Ed25519"]).claims["sub"] == str(home.owner.id)


async def test_forged_tokens_are_refused(world: World, home: Home) -> None:
    token = (await world.login(home.owner.email)).access_token
    header, payload, signature = token.split(".")
    (published,) = (await world.identity.get_jwks(world.ctx())).keys
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    own = OKPKey.generate_key("Ed25519")
    public_as_secret = OctKey.import_key(base64.urlsafe_b64decode(published.x + "=="))
    forged = [
        f"{b64(json.dumps({'alg': 'none', 'kid': published.kid}).encode())}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        f"{header}.{b64(json.dumps({**claims, 'sub': str(home.tenant)}).encode())}.{signature}",
        f"{b64(json.dumps({'alg': 'EdDSA', 'kid': published.kid}).encode())}.{payload}.{signature}",
        jwt.encode({"alg": "Ed25519", "kid": published.kid}, claims, own, algorithms=["Ed25519"]),
        jwt.encode({"alg": "Ed25519", "kid": "other"}, claims, own, algorithms=["Ed25519"]),
        jwt.encode({"alg": "HS256", "kid": published.kid}, claims, public_as_secret, algorithms=["HS256"]),
        *(".", "..", "a.b.c", "\x01", "é.é.é", f"{b64(b'[1]')}.{payload}.{signature}", "x" * 1024),
    ]
    for one in forged:
        await refused(world, one)
    await world.authenticated(token)


async def test_tokens_of_another_issuer_or_with_odd_claims_are_refused(world: World, home: Home) -> None:
    signing = world.parts.signing
    token = (await world.login(home.owner.email)).access_token
    claims = await signing.verify(token)
    key = (await signing._current()).signers[-1].key
    plain = {"sub": str(claims.sub), "tenant": str(claims.tenant), "sid": str(claims.sid), "roles": []}
    good = {**plain, "iss": "steward", "iat": claims.iat, "exp": claims.exp, "jti": str(claims.jti)}
    wrong = [
        {"iss": "other"},
        {"exp": "soon"},
        {"exp": None},
        {"sid": "1"},
        {"tenant": str(home.owner.id)},
        {"sub": []},
    ]
    header = {"alg": "Ed25519", "kid": key.kid}
    await world.authenticated(jwt.encode(header, good, key.key, algorithms=["Ed25519"]))
    for change in wrong:
        await refused(world, jwt.encode(header, {**good, **change}, key.key, algorithms=["Ed25519"]))


async def test_key_has_its_scopes_as_far_as_its_creator_has_them(world: World, home: Home) -> None:
    maker = await world.new_member(home, [Role.DEVELOPER])
    made = await world.identity.create_api_key(maker.ctx, name="ci", scopes=["agent:write", "agent:run"])
    ctx = await world.authenticated(made.secret)
    assert ctx.scopes == {"agent:write", "agent:run"}
    assert (ctx.actor.type, ctx.actor.id) == (ActorType.USER, str(maker.id))
    assert ctx.key_id == made.api_key.id
    await world.identity.revoke_role(home.owner.ctx, user_id=maker.id, role=Role.DEVELOPER)
    await world.identity.assign_role(home.owner.ctx, user_id=maker.id, role=Role.AGENT_OPERATOR)
    assert (await world.authenticated(made.secret)).scopes == {"agent:run"}
    await world.identity.update_user(home.owner.ctx, user_id=maker.id, change=UserUpdate(state=UserState.DISABLED))
    await refused(world, made.secret)
    await world.identity.update_user(home.owner.ctx, user_id=maker.id, change=UserUpdate(state=UserState.ACTIVE))
    await world.authenticated(made.secret)
    await world.identity.delete_user(home.owner.ctx, user_id=maker.id)
    await refused(world, made.secret)


async def test_key_is_not_its_creator_beyond_its_scopes(world: World, home: Home) -> None:
    made = await world.identity.create_api_key(home.owner.ctx, name="narrow", scopes=["agent:run"])
    ctx = await world.authenticated(made.secret)
    with pytest.raises(PermissionDenied):
        await world.identity.get_user(ctx, user_id=home.owner.id)
    with pytest.raises(UserLoginNeeded, match="log in as a user"):
        await world.identity.change_password(ctx, current="x", new="y" * 12)
    with pytest.raises(UserLoginNeeded):
        await world.identity.list_sessions(ctx)
    with pytest.raises(UserLoginNeeded):
        await world.identity.logout(ctx)


async def test_key_is_stored_as_a_hash_and_never_shown_again(world: World, home: Home) -> None:
    made = await world.identity.create_api_key(home.owner.ctx, name="once", scopes=["agent:run"])
    assert made.secret.startswith("stw_sk_")
    assert made.secret.startswith(made.api_key.prefix)
    hidden = made.secret[-43:]
    for table in ("api_key", "audit_outbox", "outbox", "intent", "reply"):
        for row in await world.rows(f"SELECT t::text AS all FROM identity.{table} t"):
            assert hidden not in row["all"]
    page = await world.identity.list_api_keys(home.owner.ctx)
    assert made.api_key in page.items


async def test_altered_expired_and_revoked_keys_are_refused(world: World, home: Home) -> None:
    end = world.clock.now() + timedelta(hours=1)
    made = await world.identity.create_api_key(home.owner.ctx, name="short", scopes=["agent:run"], expires_at=end)
    other = await world.identity.create_api_key(home.owner.ctx, name="other", scopes=["agent:run"])
    crossed = other.secret[:50] + made.secret[50:]
    kinds = made.secret.replace("stw_sk_", "stw_pk_"), made.secret.replace("stw_sk_", "stw_rt_")
    for wrong in (crossed, *kinds, made.secret + "A", made.secret[:-3] + "AAA", "stw_", "stw_sk_" + "A" * 87):
        await refused(world, wrong)
    principal = await world.identity.authenticate(world.edge(), credential=made.secret)
    assert principal.expires_at <= end
    world.clock.advance(3600)
    await refused(world, made.secret)
    revoked = await world.identity.revoke_api_key(home.owner.ctx, key_id=other.api_key.id)
    assert revoked.revoked_at == world.clock.now()
    await refused(world, other.secret)
    assert await world.identity.revoke_api_key(home.owner.ctx, key_id=other.api_key.id) == revoked


async def test_publishable_key_is_anonymous_and_may_only_converse(world: World, home: Home) -> None:
    made = await world.identity.create_api_key(home.owner.ctx, name="page", kind=KeyKind.PUBLISHABLE)
    ctx = await world.authenticated(made.secret)
    assert ctx.actor.type is ActorType.ANONYMOUS
    assert ctx.scopes == {"conversation:write"}


async def test_key_with_more_than_its_maker_has_is_refused_and_audited(world: World, home: Home) -> None:
    maker = await world.new_member(home, [Role.DEVELOPER])
    for scope in ("user:delete", "service:edge", "platform:tenants", "no:such"):
        with pytest.raises(ScopeTooStrong):
            await world.identity.create_api_key(maker.ctx, name="strong", scopes=["agent:run", scope])
    assert (await world.actions(home.tenant)).count("access.denied denied") == 4
    for wrong in ({"scopes": []}, {"kind": KeyKind.PUBLISHABLE, "scopes": ["agent:run"]}):
        with pytest.raises(InvalidInput):
            await world.identity.create_api_key(maker.ctx, name="wrong", **wrong)
    with pytest.raises(InvalidInput):
        await world.identity.create_api_key(maker.ctx, name="late", scopes=["agent:run"], expires_at=world.clock.now())


async def test_key_creates_none_that_outlasts_it(world: World, home: Home) -> None:
    end = world.clock.now() + timedelta(hours=1)
    scopes = ["agent:run", "key:create"]

    async def make(ctx: Ctx, expires_at: datetime | None, kind: KeyKind = KeyKind.SECRET) -> ApiKeyCreated:
        given = scopes if kind is KeyKind.SECRET else ()
        return await world.identity.create_api_key(ctx, name="k", kind=kind, scopes=given, expires_at=expires_at)

    expiring = await world.authenticated((await make(home.owner.ctx, end)).secret)
    for late in (None, end + timedelta(seconds=1)):
        for kind in KeyKind:
            with pytest.raises(ExpiryTooLate, match=re.escape(end.isoformat())) as refused:
                await make(expiring, late, kind)
            assert refused.value.data == {"field": "expires_at", "limit": end.isoformat()}
    assert (await world.actions(home.tenant)).count("access.denied denied") == 4
    for early in (end, end - timedelta(minutes=1)):
        assert (await make(expiring, early)).api_key.expires_at == early
    lasting = await world.authenticated((await make(home.owner.ctx, None)).secret)
    assert (await make(lasting, None)).api_key.expires_at is None
    assert (await make(lasting, end)).api_key.expires_at == end


async def test_keys_of_another_tenant_do_not_exist(world: World, home: Home) -> None:
    other = await world.new_home(Plan.FREE)
    made = await world.identity.create_api_key(other.owner.ctx, name="theirs", scopes=["agent:run"])
    with pytest.raises(ApiKeyNotFound):
        await world.identity.revoke_api_key(home.owner.ctx, key_id=made.api_key.id)
    assert made.api_key not in (await world.identity.list_api_keys(home.owner.ctx)).items


async def test_last_use_is_written_in_batches_and_at_most_once_a_minute(world: World, home: Home) -> None:
    made = await world.identity.create_api_key(home.owner.ctx, name="used", scopes=["agent:run"])
    last_use = world.parts.last_use
    await last_use.flush()
    world.clock.advance(60)
    for _ in range(3):
        await world.authenticated(made.secret)
    first = world.clock.now()
    assert await last_use.flush() == 1
    world.clock.advance(59)
    await world.authenticated(made.secret)
    assert await last_use.flush() == 0
    keys = (await world.identity.list_api_keys(home.owner.ctx)).items
    assert keys[-1].last_used_at == first


async def test_keys_are_paged_oldest_first(world: World, home: Home) -> None:
    made = [
        (await world.identity.create_api_key(home.owner.ctx, name=f"key {n}", scopes=["agent:run"])).api_key.id
        for n in range(5)
    ]
    seen, cursor = [], None
    while True:
        page = await world.identity.list_api_keys(home.owner.ctx, limit=2, cursor=cursor)
        seen += [key.id for key in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made
