"""A tenant's own intents: put, trained now or later, served in every process, kept from others."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import pytest_asyncio

from steward.kit.authz import PermissionDenied
from steward.kit.outbox import StoredEvent
from steward.services.support.api import IntentExamples, TrainingState
from steward.services.support.understanding import trainings as trainings_module
from steward.services.support.understanding.build import UnderstandingParts
from steward.services.support.understanding.errors import IntentTwice, TooFewIntents, TooManyExamples
from steward.services.support.understanding.training.trainer import TrainingFailed
from tests.services.support.understanding.conftest import CONFIGURE, READ, Room, room_on
from tests.support.database import as_owner
from tests.support.platform import Installation
from tests.support.postgres import PostgresForTests

PETS = [
    IntentExamples(name="cat", examples=["my cat meows", "the cat sleeps", "a kitten purrs", "cat food please"]),
    IntentExamples(name="dog", examples=["my dog barks", "the dog runs", "a puppy whines", "dog food please"]),
]


def many(count: int) -> list[IntentExamples]:
    """Two intents of so many examples in all."""
    half = count // 2
    return [
        IntentExamples(name="sum", examples=[f"add {number} to it" for number in range(half)]),
        IntentExamples(name="product", examples=[f"multiply it by {number}" for number in range(count - half)]),
    ]


class Behind:
    """The database as its owner sees it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def rows(self, sql: str, *args: object) -> list[Any]:
        return await as_owner(self._dsn, sql, *args)

    async def told(self, room: Room) -> Sequence[StoredEvent]:
        sql = "SELECT body FROM support.outbox WHERE tenant_id = $1 ORDER BY id"
        return [msgspec.json.decode(row["body"], type=StoredEvent) for row in await self.rows(sql, room.tenant)]


@pytest.fixture
def behind(postgres: PostgresForTests, dsn: str) -> Behind:
    return Behind(postgres.dsn(urlsplit(dsn).path.lstrip("/")))


@pytest_asyncio.fixture
async def second_process(platform: Installation, models_folder: Path) -> AsyncIterator[UnderstandingParts]:
    parts = room_on(platform, models_folder)
    yield parts
    await parts.stop()


async def classified(room: Room, *texts: str) -> list[str]:
    return [each.intent for each in await room.parts.use_case.classify(room.ctx(READ), texts=texts)]


async def test_a_tenant_without_intents_has_the_shipped_ones(room: Room) -> None:
    found = await room.parts.use_case.get_intents(room.ctx(READ))
    assert (found.version, found.serving_version, found.state) == (0, 0, TrainingState.READY)
    assert {each.name for each in found.intents} == {"faq", "order", "refund", "technical", "human"}
    assert found.examples >= 1500
    assert await classified(room, "where is my parcel", "我要退款") == ["order", "refund"]


async def test_a_small_set_classifies_when_it_is_put(room: Room) -> None:
    found = await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    assert (found.version, found.serving_version, found.state) == (1, 1, TrainingState.READY)
    assert [(each.name, each.examples) for each in found.intents] == [("cat", 4), ("dog", 4)]
    assert found.accuracy is not None
    assert found.trained_at is not None
    assert await classified(room, "a sleepy cat", "the puppy barks") == ["cat", "dog"]
    assert await room.parts.use_case.get_intents(room.ctx(READ)) == found


async def test_a_set_is_of_its_tenant_only(room: Room) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    assert await classified(room.another_tenant(), "where is my parcel") == ["order"]


async def test_putting_again_replaces(room: Room) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    await classified(room, "a cat")
    found = await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=many(10))
    assert (found.version, found.serving_version) == (2, 2)
    assert await classified(room, "add 77 to it") == ["sum"]


async def test_a_change_is_told_and_audited(room: Room, behind: Behind) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    assert [each.type for each in await behind.told(room)] == ["support.IntentsReplaced", "support.IntentsTrained"]
    (row,) = await behind.rows("SELECT body FROM support.audit_outbox WHERE tenant_id = $1", room.tenant)
    entry = msgspec.json.decode(row["body"])
    assert (entry["action"], entry["resource"]) == ("intents.replaced", "intents/1")
    assert "meows" not in row["body"]


async def test_a_large_set_waits_and_is_swapped_in(room: Room) -> None:
    use_case = room.parts.use_case
    await use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    queued = await use_case.put_intents(room.ctx(CONFIGURE), intents=many(1001))
    assert (queued.version, queued.serving_version, queued.state) == (2, 1, TrainingState.QUEUED)
    assert await classified(room, "a sleepy cat") == ["cat"]
    await room.parts.trainings.run()
    ready = await use_case.get_intents(room.ctx(READ))
    assert (ready.version, ready.serving_version, ready.state) == (2, 2, TrainingState.READY)
    room.parts.models.forget(room.tenant)
    assert await classified(room, "multiply it by 12345") == ["product"]


async def test_another_process_takes_up_what_a_dead_one_left(
    room: Room, second_process: UnderstandingParts, behind: Behind
) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=many(1002))
    await behind.rows("UPDATE support.intent_set SET state = 'training' WHERE tenant_id = $1 RETURNING 1", room.tenant)
    other = Room(room.platform, second_process, room.tenant)
    assert await classified(other, "where is my parcel") == ["order"]
    assert await second_process.trainings.run() >= 1
    assert (await other.parts.use_case.get_intents(other.ctx(READ))).state is TrainingState.READY
    (trained,) = [each for each in await behind.told(room) if each.type == "support.IntentsTrained"]
    await other.parts.models.on_event(trained)
    assert await classified(other, "add 4 to it") == ["sum"]


async def test_a_set_that_was_replaced_while_it_was_trained_does_not_serve(
    room: Room, monkeypatch: pytest.MonkeyPatch, behind: Behind
) -> None:
    use_case, trainings = room.parts.use_case, room.parts.trainings
    await use_case.put_intents(room.ctx(CONFIGURE), intents=many(1003))
    train = trainings.trained

    async def meanwhile(intents: Sequence[IntentExamples]) -> Any:
        monkeypatch.setattr(trainings, "trained", train)
        await use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
        return await train(intents)

    monkeypatch.setattr(trainings, "trained", meanwhile)
    await trainings.run()
    found = await use_case.get_intents(room.ctx(READ))
    assert (found.version, found.serving_version, found.state) == (2, 2, TrainingState.READY)
    assert await classified(room, "a sleepy cat") == ["cat"]
    trained = [each.payload for each in await behind.told(room) if each.type == "support.IntentsTrained"]
    assert [msgspec.json.decode(each) for each in trained] == [{"version": 2}]


@pytest.mark.parametrize("count", [10, 1004])
async def test_a_failed_training_says_why_and_the_old_set_serves(
    room: Room, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    use_case, trainings = room.parts.use_case, room.parts.trainings
    await use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)

    async def fails(intents: Sequence[IntentExamples]) -> Any:
        raise TrainingFailed("no memory")

    monkeypatch.setattr(trainings, "trained", fails)
    await use_case.put_intents(room.ctx(CONFIGURE), intents=many(count))
    await trainings.run()
    found = await use_case.get_intents(room.ctx(READ))
    assert (found.state, found.problem, found.serving_version) == (TrainingState.FAILED, "no memory", 1)
    assert await classified(room, "a sleepy cat") == ["cat"]


async def test_only_one_process_trains(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(name: str) -> bool:
        return name != trainings_module._LOCK

    monkeypatch.setattr(room.parts.trainings._wake, "try_lock", refused)
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=many(1005))
    assert await room.parts.trainings.run() == 0


async def test_a_model_of_another_form_is_trained_anew(room: Room, behind: Behind) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    sql = "UPDATE support.intent_model SET model = $2 WHERE tenant_id = $1 RETURNING 1"
    await behind.rows(sql, room.tenant, b"\x80")
    assert await classified(room, "where is my parcel") == ["order"]
    assert await room.parts.trainings.run() >= 1
    room.parts.models.forget(room.tenant)
    assert await classified(room, "a sleepy cat") == ["cat"]


async def test_a_thousand_texts_are_classified_in_order(room: Room) -> None:
    texts = ["where is my order", "I want a refund"] * 500
    assert await classified(room, *texts) == ["order", "refund"] * 500


async def test_what_cannot_be_trained_from_is_refused(room: Room) -> None:
    for intents, failure in (
        (PETS[:1], TooFewIntents),
        ([*PETS, PETS[0]], IntentTwice),
        (many(20_001), TooManyExamples),
    ):
        with pytest.raises(failure):
            await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=intents)


async def test_permissions_are_asked_for(room: Room) -> None:
    use_case = room.parts.use_case
    with pytest.raises(PermissionDenied):
        await use_case.put_intents(room.ctx(READ), intents=PETS)
    with pytest.raises(PermissionDenied):
        await use_case.get_intents(room.ctx(CONFIGURE))
    with pytest.raises(PermissionDenied):
        await use_case.classify(room.ctx(CONFIGURE), texts=["a"])


async def test_intents_of_a_tenant_that_has_no_human_are_left_to_the_classifier(room: Room) -> None:
    await room.parts.use_case.put_intents(room.ctx(CONFIGURE), intents=PETS)
    found = await room.parts.room.understand(room.ctx(), "my cat wants to talk to a human", previous=None)
    assert found.intents[0].type == "cat"
    assert found.wants_person
