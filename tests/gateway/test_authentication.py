"""Who calls: credentials, what is remembered of them, and how it is forgotten."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from steward.gateway.authn import asking_ctx, credential_of
from steward.gateway.consumers import consumers
from steward.gateway.errors import TwoCredentials
from steward.gateway.exchange import Exchange, read_head
from steward.gateway.settings import GatewaySettings
from steward.kit.context import Actor, ActorType, Ctx
from steward.kit.errors import Unauthenticated
from steward.kit.outbox import StoredEvent
from steward.kit.telemetry import Telemetry
from steward.kit.testing.clock import FakeClock
from steward.services.identity.errors import InvalidCredential
from steward.services.tenants.api import TenantState
from tests.gateway.fakes import API_KEY, AT, KEY, SESSION, TENANT, TOKEN, USER
from tests.gateway.rig import BEARER, GENEROUS, Rig, running

ME = "/api/v1/auth/me"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rig(clock: FakeClock) -> Rig:
    return Rig(GENEROUS, Telemetry.for_tests(), clock)


async def identify(rig: Rig, credential: str = TOKEN) -> Ctx:
    asking = asking_ctx("r", rig.clock.now(), address="192.0.2.1", user_agent="t", traceparent="")
    identified = await rig.authenticator.identify(credential, asking, locale=None, idempotency_key=None)
    return identified.ctx


def event(kind: str, **payload: object) -> StoredEvent:
    return StoredEvent(
        id=UUID(int=1),
        tenant=TENANT,
        type=kind,
        at=AT,
        request_id="r",
        actor=Actor(ActorType.USER, str(USER)),
        payload=msgspec.Raw(msgspec.json.encode(payload)),
    )


async def deliver(rig: Rig, kind: str, **payload: object) -> None:
    source = kind.split(".", 1)[0]
    for subscription in consumers(rig.authenticator):
        if source in subscription.sources:
            assert subscription.broadcast
            await subscription.handler(event(kind, **payload))


async def test_context_carries_what_the_principal_may(rig: Rig) -> None:
    ctx = await identify(rig)
    assert (ctx.tenant, ctx.actor.id, ctx.session_id, ctx.key_id) == (TENANT, str(USER), SESSION, None)
    assert ctx.scopes == {"user:read"}
    assert ctx.locale == "zh-Hant"
    assert (await identify(rig, API_KEY)).key_id == KEY


async def test_principal_is_asked_for_once_in_30_seconds(rig: Rig, clock: FakeClock) -> None:
    for _ in range(3):
        await identify(rig)
        clock.advance(9)
    assert rig.identity.asked == 1
    clock.advance(4)
    await identify(rig)
    assert rig.identity.asked == 2


async def test_many_at_once_ask_once(rig: Rig) -> None:
    await asyncio.gather(*(identify(rig) for _ in range(20)))
    assert rig.identity.asked == 1


async def test_refusal_is_not_remembered(rig: Rig) -> None:
    for _ in range(2):
        with pytest.raises(InvalidCredential):
            await identify(rig, "forged")
    assert rig.identity.asked == 2


@pytest.mark.parametrize(
    ("credential", "kind", "payload"),
    [
        (TOKEN, "identity.SessionRevoked", {"user_id": USER, "session_id": SESSION}),
        (TOKEN, "identity.PasswordChanged", {"user_id": USER, "session_ids": [SESSION]}),
        (TOKEN, "identity.RolesChanged", {"user_id": USER, "roles": [], "session_ids": [], "key_ids": []}),
        (TOKEN, "identity.UserDisabled", {"user_id": USER, "session_ids": [SESSION], "key_ids": []}),
        (API_KEY, "identity.UserDeleted", {"user_id": USER, "session_ids": [], "key_ids": [KEY]}),
        (API_KEY, "identity.ApiKeyRevoked", {"key_id": KEY}),
        (API_KEY, "identity.IdentitiesErased", {}),
    ],
)
async def test_event_that_ends_access_is_heeded_at_once(
    rig: Rig, credential: str, kind: str, payload: dict[str, object]
) -> None:
    await identify(rig, credential)
    rig.identity.known.pop(credential)
    await identify(rig, credential)
    await deliver(rig, kind, **payload)
    with pytest.raises(InvalidCredential):
        await identify(rig, credential)


async def test_event_of_somebody_else_forgets_nothing(rig: Rig) -> None:
    await identify(rig)
    await deliver(rig, "identity.SessionRevoked", user_id=UUID(int=7), session_id=UUID(int=8))
    await deliver(rig, "identity.SessionStarted", user_id=USER, session_id=SESSION)
    await identify(rig)
    assert rig.identity.asked == 1


async def test_answer_on_its_way_while_access_ends_does_not_count(rig: Rig) -> None:
    rig.identity.hold_authenticate = asyncio.Event()
    asking = asyncio.create_task(identify(rig))
    await rig.identity.was_asked.wait()
    rig.identity.known.pop(TOKEN)
    rig.authenticator.forget_session(SESSION)
    rig.identity.hold_authenticate.set()
    with pytest.raises(InvalidCredential):
        await asking


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        (TenantState.SUSPENDED, 403, "tenant_suspended"),
        (TenantState.DELETED, 401, "unauthenticated"),
        (TenantState.PROVISIONING, 503, "unavailable"),
    ],
)
async def test_tenant_that_is_not_active_is_refused(state: TenantState, status: int, code: str) -> None:
    async with running() as rig:
        assert (await rig.call("GET", ME, headers=BEARER)).status == 200
        rig.tenants.policy = msgspec.structs.replace(rig.tenants.policy, state=state)
        await deliver(rig, "tenants.TenantSuspended", reason="unpaid")
        answer = await rig.call("GET", ME, headers=BEARER)
        assert (answer.status, answer.problem["code"]) == (status, code)


async def test_own_change_is_seen_by_the_next_request() -> None:
    """Without the bus: the process that answered a log-out has forgotten the session when it answers."""
    async with running() as rig:
        assert (await rig.call("GET", ME, headers=BEARER)).status == 200
        assert (await rig.call("POST", "/api/v1/auth/logout", headers=BEARER)).status == 204
        assert (await rig.call("GET", ME, headers=BEARER)).problem["code"] == "invalid_credential"


async def test_suspension_holds_when_it_is_answered() -> None:
    async with running() as rig:
        path = f"/api/v1/tenants/{TENANT}/suspend"
        assert (await rig.call("POST", path, headers=BEARER, json={"reason": "unpaid"})).status == 200
        assert (await rig.call("GET", ME, headers=BEARER)).problem["code"] == "tenant_suspended"


async def test_missing_and_wrong_credentials_are_told_apart(shared: Rig) -> None:
    missing = await shared.call("GET", ME)
    assert missing.problem["code"] == "unauthenticated"
    assert missing.headers["www-authenticate"] == 'Bearer realm="steward"'
    wrong = await shared.call("GET", ME, headers={"X-API-Key": "stw_sk_wrong"})
    assert wrong.problem["code"] == "invalid_credential"
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


async def test_key_is_taken_from_either_header(shared: Rig) -> None:
    for headers in ({"X-API-Key": API_KEY}, {"Authorization": f"bearer {API_KEY}"}):
        assert (await shared.call("GET", ME, headers=headers)).status == 200
    both = {"X-API-Key": API_KEY, "Authorization": f"Bearer {API_KEY}"}
    assert (await shared.call("GET", ME, headers=both)).status == 200


async def test_open_operation_ignores_a_stale_credential(shared: Rig) -> None:
    body = {"email": "ada@example.com", "password": "open sesame"}
    answer = await shared.call("POST", "/api/v1/auth/login", json=body, headers={"Authorization": "Bearer stale"})
    assert answer.status == 200
    assert shared.identity.seen[-1].tenant is None


async def test_claimed_identity_goes_no_further() -> None:
    async with running() as rig:
        headers = {**BEARER, "X-Steward-Context": "forged", "X-Forwarded-For": "203.0.113.9", "Forwarded": "for=1"}
        assert (await rig.call("GET", ME, headers=headers)).status == 200
        assert rig.identity.seen[-1].address == "127.0.0.1"


async def test_trusted_proxy_says_where_the_caller_is() -> None:
    settings = GatewaySettings(trusted_proxies=("127.0.0.1", "10.0.0.0/8"))
    async with running(settings) as rig:
        headers = {**BEARER, "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.1.2.3", "X-Forwarded-Proto": "https"}
        answer = await rig.call("GET", ME, headers=headers)
        assert rig.identity.seen[-1].address == "203.0.113.9"
        assert "strict-transport-security" in answer.headers


async def test_flood_of_forged_credentials_is_barred_before_anybody_is_asked() -> None:
    async with running(GatewaySettings(address_per_minute=5)) as rig:
        statuses = [(await rig.call("GET", ME, headers={"X-API-Key": f"stw_sk_{n}"})).status for n in range(12)]
        assert statuses[:5] == [401] * 5
        assert set(statuses[6:]) == {429}
        assert rig.identity.asked <= 7
        assert (await rig.call("GET", ME)).headers["retry-after"]


@pytest.mark.parametrize(
    ("authorization", "api_key", "found"),
    [
        (None, None, None),
        (b"Bearer a", None, "a"),
        (b"BEARER  a ", None, "a"),
        (None, b"b", "b"),
        (b"Bearer a", b"a", "a"),
    ],
)
def test_credential_is_read(authorization: bytes | None, api_key: bytes | None, found: str | None) -> None:
    assert credential_of(authorization, api_key) == found


def test_different_credentials_are_refused() -> None:
    with pytest.raises(TwoCredentials):
        credential_of(b"Bearer a", b"b")


async def test_credential_of_an_unknown_tenant_is_refused(rig: Rig) -> None:
    rig.tenants.policy = msgspec.structs.replace(rig.tenants.policy, state=TenantState.DELETED)
    with pytest.raises(Unauthenticated):
        await identify(rig)


def test_claims_of_the_caller_are_stripped_before_the_routes() -> None:
    kept = [(b"host", b"a"), (b"accept", b"*/*")]
    claims = [(b"x-steward-context", b"forged"), (b"x-forwarded-for", b"6.6.6.6"), (b"forwarded", b"for=1")]
    scope = {
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "scheme": "http",
        "headers": kept + claims,
    }
    read_head(Exchange(scope, "r", "", 0.0), GENEROUS)
    assert scope["headers"] == kept
