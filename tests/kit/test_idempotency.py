"""Idempotency keys: one creation, its answer again with its secrets, and nobody else's."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
import pytest

from steward.kit.clock import SystemClock
from steward.kit.context import ANONYMOUS, Actor, ActorType, Ctx
from steward.kit.db import ServiceDb
from steward.kit.idempotency import Idempotency, IdempotencyKeyReused, RequestInProgress
from steward.kit.ids import PLATFORM, Ids
from steward.services.identity.api import IdentityApi
from steward.services.tenants.api import Plan, TenantsApi
from tests.support.database import IDS, ctx_of, database_at, new_tenant
from tests.support.platform import PLATFORM_SCOPE, Installation


class Answer(msgspec.Struct, frozen=True):
    number: int
    secret: str


KEYS = Idempotency(b"secret of this test", Ids(SystemClock()))
OTHER_SECRET = Idempotency(b"another secret", Ids(SystemClock()))


@pytest.fixture(scope="module")
async def db(dsn: str) -> AsyncGenerator[ServiceDb]:
    async with database_at(dsn) as database:
        yield database.service("tenants")


async def create(db: ServiceDb, ctx: Ctx, request: object, number: int, keys: Idempotency = KEYS) -> Answer:
    async with db.tx(ctx) as tx:
        if (again := await keys.replay(tx, ctx, "create", request, Answer)) is not None:
            return again
        answer = Answer(number, f"hush-{number}")
        await keys.remember(tx, ctx, "create", answer)
    return answer


async def test_same_key_and_request_give_the_first_answer_with_its_secret(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    assert await create(db, ctx, ("a", 1), 1) == Answer(1, "hush-1")
    assert await create(db, ctx, ("a", 1), 2) == Answer(1, "hush-1")


async def test_same_key_with_another_request_is_a_conflict(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    await create(db, ctx, ("a", 1), 1)
    with pytest.raises(IdempotencyKeyReused):
        await create(db, ctx, ("a", 2), 2)


async def test_order_of_fields_does_not_make_another_request(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    await create(db, ctx, {"a": 1, "b": 2}, 1)
    assert (await create(db, ctx, {"b": 2, "a": 1}, 2)).number == 1


async def test_without_a_key_every_request_is_new(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant())
    assert [(await create(db, ctx, "same", number)).number for number in (1, 2)] == [1, 2]


async def test_key_is_its_callers_own(db: ServiceDb) -> None:
    tenant, other = new_tenant(), new_tenant()
    key = "00000000-0000-4000-8000-000000000000"

    def by(actor: Actor, api_key: UUID | None = None) -> Ctx:
        return msgspec.structs.replace(ctx_of(tenant, idempotency_key=key), actor=actor, key_id=api_key)

    of_page, of_other_page = IDS.new(), IDS.new()
    callers = [
        ctx_of(tenant, user="a", idempotency_key=key),
        ctx_of(tenant, user="b", idempotency_key=key),
        ctx_of(other, user="a", idempotency_key=key),
        by(Actor(ActorType.SERVICE, "a")),
        by(Actor(ActorType.USER, "a"), IDS.new()),
        by(Actor(ActorType.USER, "a"), IDS.new()),
        by(ANONYMOUS, of_page),
        by(ANONYMOUS, of_other_page),
        by(Actor(ActorType.CUSTOMER, "c"), of_page),
        by(Actor(ActorType.CUSTOMER, "d"), of_page),
        by(Actor(ActorType.CUSTOMER, "c"), of_other_page),
    ]
    made = [(await create(db, ctx, f"request {number}", number)).number for number, ctx in enumerate(callers)]
    assert made == list(range(len(callers)))
    again = [(await create(db, ctx, f"request {number}", 100)).number for number, ctx in enumerate(callers)]
    assert again == made


async def test_key_is_of_one_operation(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    await create(db, ctx, "a", 1)
    async with db.tx(ctx) as tx:
        assert await KEYS.replay(tx, ctx, "another operation", "b", Answer) is None


async def test_request_that_is_not_finished_is_said_to_be_in_progress(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    async with db.tx(ctx) as tx:
        assert await KEYS.replay(tx, ctx, "create", "a", Answer) is None
    with pytest.raises(RequestInProgress) as refused:
        await create(db, ctx, "a", 2)
    assert refused.value.data == {"retry_after": 1}
    with pytest.raises(IdempotencyKeyReused):
        await create(db, ctx, "b", 2)


async def test_work_that_is_rolled_back_frees_its_key(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    with pytest.raises(KeyError):  # noqa: PT012 it is the block that raises
        async with db.tx(ctx) as tx:
            await KEYS.replay(tx, ctx, "create", "a", Answer)
            await KEYS.remember(tx, ctx, "create", Answer(1, ""))
            raise KeyError
    assert (await create(db, ctx, "b", 2)).number == 2


async def test_work_that_is_undone_frees_its_key(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    await create(db, ctx, "a", 1)
    async with db.tx(ctx) as tx:
        await KEYS.forget(tx, ctx, "create")
    assert (await create(db, ctx, "b", 2)).number == 2


async def test_twenty_at_once_create_once(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="k")
    made = await asyncio.gather(*(create(db, ctx, "same", number) for number in range(20)))
    assert len({answer.number for answer in made}) == 1


async def test_stored_answer_shows_neither_key_nor_secret(db: ServiceDb) -> None:
    ctx = ctx_of(new_tenant(), idempotency_key="key-of-the-caller")
    await create(db, ctx, "a", 7)
    async with db.tx(ctx) as tx:
        row = await tx.fetchrow("SELECT key_hash, request_hash, sealed FROM tenants.reply")
    assert row is not None
    stored = b"".join(row.values())
    assert b"hush-7" not in stored
    assert b"key-of-the-caller" not in stored
    assert (await create(db, ctx, "a", 8, OTHER_SECRET)).number == 8, "another installation's secret names other rows"


async def test_tenant_is_created_once_by_twenty_at_once(platform: Installation) -> None:
    ctx = platform.ctx(
        PLATFORM, PLATFORM_SCOPE, actor=Actor(ActorType.USER, str(IDS.new())), idempotency_key=IDS.new().hex
    )
    slug = f"t-{IDS.new().hex}"

    async def once() -> object:
        try:
            return await platform.api(TenantsApi).create_tenant(
                ctx, name="N", slug=slug, plan=Plan.FREE, owner_email="o@example.com"
            )
        except RequestInProgress as busy:
            return busy

    answers = await asyncio.gather(*(once() for _ in range(20)))
    made = [answer for answer in answers if not isinstance(answer, RequestInProgress)]
    assert len(made) >= 1
    assert await once() == made[0]
    assert all(answer == made[0] for answer in made)


async def test_api_key_is_created_once_by_twenty_at_once(platform: Installation) -> None:
    tenant = await platform.tenant()
    identity = platform.api(IdentityApi)
    ctx = msgspec.structs.replace(tenant.owner, idempotency_key=IDS.new().hex)

    async def once() -> str:
        try:
            return (await identity.create_api_key(ctx, name="k", scopes=["tenant:read"])).secret
        except RequestInProgress:
            return ""

    answers = set(await asyncio.gather(*(once() for _ in range(20)))) - {""}
    assert answers == {await once()}
    assert len((await identity.list_api_keys(tenant.owner)).items) == 1
