"""Batches from upload to output, on a real database."""

import asyncio
from datetime import timedelta

import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.errors import AppError
from steward.kit.paging import Page
from steward.kit.testing.clock import FakeClock
from steward.services.models.api import Batch, BatchId, BatchState, FileId
from steward.services.models.batches.running import ATTEMPTS
from steward.services.models.batches.worker import LEASE
from steward.services.models.errors import BatchNotFound, InvalidParameter, ProvidersBusy
from tests.services.models.batches.conftest import NewRoom
from tests.services.models.batches.shop import CHAT, Room, caller, line
from tests.support.database import new_tenant


async def test_a_batch_is_worked_off_and_its_results_are_read(room: Room) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("a"), line("b"), b"", line("c")])
    assert (created.state, created.total, created.metadata) == (BatchState.VALIDATING, 0, {"job": "night"})
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.total, found.succeeded, found.failed) == (BatchState.COMPLETED, 3, 3, 0)
    assert found.error_file is None
    lines = await room.lines(ctx, found.output_file)
    assert list(lines) == ["id-a", "id-b", "id-c"]
    assert lines["id-b"]["response"] == {
        "status_code": 200, "request_id": ctx.request_id, "body": {"said": "b"}
    }  # fmt: skip
    assert lines["id-b"]["error"] is None
    assert (found.ended_at, found.expires_at - found.created_at) == (room.clock.now(), timedelta(hours=24))


async def test_requests_are_made_for_the_caller_a_few_at_a_time(room: Room) -> None:
    ctx = caller(new_tenant(), "model:call", "model:read", user="somebody")
    await room.batch(ctx, [line(f"w{number}") for number in range(9)])
    await room.work()
    made, endpoint, _ = room.maker.asked[0]
    assert (made.tenant, made.actor, made.scopes, endpoint) == (ctx.tenant, ctx.actor, frozenset({"model:call"}), CHAT)
    assert room.maker.most == 3
    assert sorted(room.maker.words) == sorted(f"w{number}" for number in range(9))


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([line("a"), b"{not json"], "line 2: it is no request"),
        ([line("a"), line("b"), line("a")], "line 3: its custom_id is that of line 1"),
        ([line("a", url="/v1/embeddings")], "line 1: url must be /v1/chat/completions"),
        ([{**line("a"), "method": "GET"}], "line 1: it is no request"),
        ([{**line("a"), "body": []}], "line 1: body cannot be"),
        ([{**line("a"), "body": {"x": 1}}], "line 1: body.model is missing"),
        ([line("a", stream=True)], "line 1: body.stream must be false"),
        ([b" ", b""], "the file has no requests"),
        ([b"x" * (4 * 1024 * 1024 + 1)], "line 1: it has more than 4194304 bytes"),
    ],
)
async def test_a_file_that_is_not_good_fails_as_a_whole(room: Room, lines: list[object], fault: str) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, lines)
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.total, found.output_file, found.error_file) == (BatchState.FAILED, 0, None, None)
    assert found.errors[0].startswith(fault)
    assert room.maker.asked == []


async def test_faults_are_told_with_an_end(room: Room) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [b"?"] * 50)
    await room.work()
    assert len((await room.batches.get(ctx, batch=created.id)).errors) == 20


async def test_requests_that_fail_are_in_the_error_file(room: Room) -> None:
    async def answer(word: str) -> tuple[int, bytes]:
        if word == "raised":
            raise InvalidParameter("messages", "is wrong")
        if word == "defect":
            raise ZeroDivisionError
        return (400, b'{"error":{"type":"invalid_request_error"}}') if word == "refused" else (200, b"{}")

    room.maker.answer = answer
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("good"), line("refused"), line("raised"), line("defect")])
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.COMPLETED, 1, 3)
    assert list(await room.lines(ctx, found.output_file)) == ["id-good"]
    errors = await room.lines(ctx, found.error_file)
    assert {name: one["response"]["status_code"] for name, one in errors.items()} == {
        "id-refused": 400, "id-raised": 400, "id-defect": 500
    }  # fmt: skip


async def test_what_passes_is_tried_again_and_a_spent_budget_is_not(room: Room) -> None:
    async def answer(word: str) -> tuple[int, bytes]:
        if word == "budget":
            return 429, b'{"error":{"type":"insufficient_quota"}}'
        if word == "busy" or room.maker.words.count(word) < 3:
            raise ProvidersBusy("small", 1.0)
        return 200, b"{}"

    room.maker.answer = answer
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("soon"), line("busy"), line("budget")])
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.succeeded, found.failed) == (1, 2)
    assert [room.maker.words.count(word) for word in ("soon", "busy", "budget")] == [3, ATTEMPTS, 1]


async def test_another_process_goes_on_where_one_died(new_room: NewRoom, clock: FakeClock) -> None:
    """Done lines stay done; those left `running` are made again; each has one result, and all are counted once."""
    first, second = new_room(), new_room()
    stuck = asyncio.Event()

    async def dies(word: str) -> tuple[int, bytes]:
        if word not in {"w0", "w1"}:
            await stuck.wait()
        return 200, b'{"by":1}'

    first.maker.answer = dies
    ctx = caller(new_tenant())
    created = await first.batch(ctx, [line(f"w{number}") for number in range(7)])
    await first.worker.sweep()
    await first.maker.reached(5)
    partial = await first.batches.get(ctx, batch=created.id)
    assert (partial.state, partial.total, partial.succeeded) == (BatchState.IN_PROGRESS, 7, 2)
    assert list(await first.lines(ctx, partial.output_file)) == ["id-w0", "id-w1"]

    assert await second.worker.sweep() == 0
    clock.advance(LEASE.total_seconds() + 1)
    await second.work()
    found = await second.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded) == (BatchState.COMPLETED, 7)
    assert sorted(second.maker.words) == ["w2", "w3", "w4", "w5", "w6"]

    stuck.set()
    await first.worker.drain()
    late = await second.batches.get(ctx, batch=created.id)
    assert (late.succeeded, late.failed) == (7, 0)
    lines = await second.lines(ctx, late.output_file)
    assert [one["response"]["body"] for one in lines.values()] == [{"by": 1}] * 2 + [
        {"said": f"w{number}"} for number in range(2, 7)
    ]
    assert len(first.maker.asked) == 5


async def test_a_process_that_stops_leaves_its_batches_at_once(new_room: NewRoom) -> None:
    first, second = new_room(), new_room()

    async def forever(word: str) -> tuple[int, bytes]:
        await asyncio.Event().wait()
        return 200, b"{}"

    first.maker.answer = forever
    ctx = caller(new_tenant())
    created = await first.batch(ctx, [line("a"), line("b")])
    await first.worker.sweep()
    await first.maker.reached(2)
    await first.worker.stop()
    await second.work()
    assert (await second.batches.get(ctx, batch=created.id)).succeeded == 2
    assert await first.worker.sweep() == 0


async def test_a_lease_is_kept_as_long_as_the_work_goes_on(new_room: NewRoom, clock: FakeClock) -> None:
    first, second = new_room(), new_room()
    go = asyncio.Event()

    async def slow(word: str) -> tuple[int, bytes]:
        await go.wait()
        return 200, b"{}"

    first.maker.answer = slow
    ctx = caller(new_tenant())
    created = await first.batch(ctx, [line("a")])
    await first.worker.sweep()
    for _ in range(4):
        clock.advance(LEASE.total_seconds() / 2)
        assert await first.worker.sweep() == 0
        assert await second.worker.sweep() == 0
    go.set()
    await first.worker.drain()
    assert (await first.batches.get(ctx, batch=created.id)).state is BatchState.COMPLETED


async def test_cancelling_begins_no_more(room: Room) -> None:
    ctx = caller(new_tenant())

    cancelled = asyncio.Event()

    async def answer(word: str) -> tuple[int, bytes]:
        if word == "w1":
            await room.batches.cancel(ctx, batch=created.id)
            cancelled.set()
        await cancelled.wait()
        return 200, b"{}"

    room.maker.answer = answer
    created = await room.batch(ctx, [line(f"w{number}") for number in range(8)])
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    made = len(room.maker.asked)
    assert found.state is BatchState.CANCELLED
    assert 3 <= made < 8
    assert (found.succeeded, found.failed) == (made, 8 - made)
    errors = await room.lines(ctx, found.error_file)
    assert {one["error"]["code"] for one in errors.values()} == {"batch_cancelled"}
    assert (await room.batches.cancel(ctx, batch=created.id)).state is BatchState.CANCELLED


async def test_cancelled_before_it_began(room: Room) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("a")])
    assert (await room.batches.cancel(ctx, batch=created.id)).state is BatchState.CANCELLING
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.total, room.maker.asked) == (BatchState.CANCELLED, 0, [])


async def test_what_is_not_done_in_a_day_expires(room: Room, clock: FakeClock) -> None:
    ctx = caller(new_tenant())
    created = await room.batch(ctx, [line("a"), line("b")])
    clock.advance(timedelta(hours=24).total_seconds())
    await room.work()
    found = await room.batches.get(ctx, batch=created.id)
    assert (found.state, found.succeeded, found.failed) == (BatchState.EXPIRED, 0, 2)
    errors = await room.lines(ctx, found.error_file)
    assert {one["error"]["code"] for one in errors.values()} == {"batch_expired"}


async def test_the_same_key_makes_one_batch(room: Room) -> None:
    tenant = new_tenant()
    file = await room.upload(caller(tenant), [line("a")])
    made = [
        await room.batches.create(caller(tenant, key="k"), endpoint=CHAT, input_file=file, metadata=None)
        for _ in range(2)
    ]
    assert made[0].id == made[1].id


async def test_lists_are_paged_newest_first(room: Room) -> None:
    ctx = caller(new_tenant())
    file = await room.upload(ctx, [line("a")])
    made = [(await room.batches.create(ctx, endpoint=CHAT, input_file=file, metadata=None)).id for _ in range(3)]
    first: Page[Batch] = await room.batches.list_all(ctx, limit=2, cursor=None)
    second = await room.batches.list_all(ctx, limit=2, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *second.items)] == list(reversed(made))
    assert second.next_cursor is None


async def test_a_batch_is_its_callers(room: Room) -> None:
    tenant = new_tenant()
    created = await room.batch(caller(tenant), [line("a")])
    for stranger in (caller(tenant, user="other"), caller(new_tenant())):
        with pytest.raises(BatchNotFound):
            await room.batches.get(stranger, batch=created.id)
        with pytest.raises(BatchNotFound):
            await room.batches.cancel(stranger, batch=created.id)
        assert (await room.batches.list_all(stranger, limit=9, cursor=None)).items == []
    admin = caller(tenant, "model:call", "model:configure", user="admin")
    assert (await room.batches.get(admin, batch=created.id)).id == created.id
    with pytest.raises(PermissionDenied):
        await room.batches.get(caller(tenant, "model:read"), batch=created.id)


@pytest.mark.parametrize(
    ("endpoint", "file", "metadata"),
    [
        ("/v1/messages", None, None),
        (CHAT, "file-1", None),
        (CHAT, f"file-{'0' * 32}", None),
        (CHAT, None, {"a": "b" * 600}),
    ],
)
async def test_a_batch_that_cannot_be_is_refused(
    room: Room, endpoint: str, file: FileId | None, metadata: dict[str, str] | None
) -> None:
    ctx = caller(new_tenant())
    given = file or await room.upload(ctx, [line("a")])
    with pytest.raises(AppError) as refused:
        await room.batches.create(ctx, endpoint=endpoint, input_file=given, metadata=metadata)
    assert refused.value.status in {400, 404}
    with pytest.raises(BatchNotFound):
        await room.batches.get(ctx, batch=BatchId("batch_1"))
