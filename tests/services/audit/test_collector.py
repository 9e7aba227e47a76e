"""The collector: every record once, in the order of commits, whoever collects and wherever it crashes."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from steward.kit.clock import SystemClock
from steward.services.audit.anchor import Anchor
from steward.services.audit.chain import Head
from steward.services.audit.collector import Collector
from tests.support.audit import Archive, open_archive
from tests.support.database import new_tenant
from tests.support.identity import Crashed
from tests.support.postgres import PostgresForTests


@pytest_asyncio.fixture(scope="module")
async def archive(postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Archive]:
    async with open_archive(postgres, tmp_path_factory.mktemp("home")) as opened:
        yield opened


async def test_records_are_sealed_in_the_order_of_commits(archive: Archive) -> None:
    tenant = await archive.chain([["a", "b"], ["c"], ["d", "e"]])
    assert await archive.rows(tenant) == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
async def test_size_of_a_batch_makes_no_difference_to_the_chain(archive: Archive, batch: int) -> None:
    tenant = new_tenant()
    await archive.write(tenant, *"abcdef")
    await archive.collector(batch=batch).collect()
    assert [action for _, action in await archive.rows(tenant)] == list("abcdef")
    assert (await archive.verify(tenant)).ok


async def test_records_of_several_services_make_one_chain(archive: Archive) -> None:
    tenant = new_tenant()
    await archive.write(tenant, "a", source="identity")
    await archive.write(tenant, "b", source="tenants")
    await archive.write(tenant, "c", source="audit")
    await archive.collector(sources=("tenants", "identity", "audit")).collect()
    assert [seq for seq, _ in await archive.rows(tenant)] == [1, 2, 3]
    assert (await archive.verify(tenant)).ok


async def test_collecting_again_seals_nothing_twice(archive: Archive) -> None:
    tenant = await archive.chain([["a", "b"]])
    assert await archive.collector().collect() == 0
    assert len(await archive.rows(tenant)) == 2


async def test_collectors_at_once_make_neither_duplicates_nor_gaps(archive: Archive) -> None:
    """Such as when a lock was lost: the cursor decides, whatever the lock says."""
    tenants = [new_tenant() for _ in range(3)]
    collectors = [archive.collector(batch=3) for _ in range(4)]

    async def write(number: int) -> None:
        for tenant in tenants:
            await archive.write(tenant, f"n{number}")

    for round_ in range(4):
        await asyncio.gather(*(write(round_ * 5 + number) for number in range(5)), *(c.collect() for c in collectors))
    await archive.collector().collect()
    for tenant in tenants:
        rows = await archive.rows(tenant)
        assert [seq for seq, _ in rows] == list(range(1, 21))
        assert {action for _, action in rows} == {f"n{number}" for number in range(20)}
        assert (await archive.verify(tenant)).ok


async def test_crash_between_two_batches_loses_and_doubles_nothing(archive: Archive) -> None:
    tenant = new_tenant()
    await archive.write(tenant, *"abcdef")
    collector = archive.collector(batch=2)
    real, count = archive.anchor.append, 0

    async def crash(heads: list[Head]) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise Crashed
        await real(heads)

    archive.anchor.append = crash
    try:
        with pytest.raises(Crashed):
            await collector.collect()
    finally:
        archive.anchor.append = real
    assert len(await archive.rows(tenant)) == 4
    await archive.collector().collect()
    assert [action for _, action in await archive.rows(tenant)] == list("abcdef")
    assert (await archive.verify(tenant)).ok


async def test_crash_within_a_batch_leaves_nothing_of_it(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = new_tenant()
    await archive.write(tenant, "a", "b")

    def crash(*_: object) -> Head:
        raise Crashed

    with monkeypatch.context() as patch:
        patch.setattr(Collector, "_sign", crash)
        with pytest.raises(Crashed):
            await archive.collector().collect()
    assert await archive.rows(tenant) == []
    await archive.collector().collect()
    assert len(await archive.rows(tenant)) == 2


async def test_only_records_sealed_long_ago_are_cleaned_up(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = await archive.chain([["a"]])
    await archive.write(tenant, "b")
    left = "SELECT count(*) FROM tenants.audit_outbox WHERE tenant_id = $1"
    assert await archive.collector().clean_up() == 0
    clock = archive.installation.foundation.clock
    later = clock.now() + timedelta(days=8)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert await archive.collector().clean_up() >= 1
    ((count,),) = await archive.tamper(left, tenant)
    assert count == 1
    await archive.collector().collect()
    assert [action for _, action in await archive.rows(tenant)] == ["a", "b"]


async def test_anchor_goes_on_behind_a_line_that_a_crash_cut_short(tmp_path: Path) -> None:
    anchor, tenant = Anchor(tmp_path / "a" / "heads.jsonl"), new_tenant()
    assert list(await anchor.of_tenant(tenant)) == []
    heads = [
        Head(tenant=tenant, seq=seq, hash=b"h", at=SystemClock().now(), key_id="k", signature=b"s") for seq in (1, 2, 3)
    ]
    await anchor.append(heads[:2])
    whole = anchor.path.read_bytes()
    anchor.path.write_bytes(whole[:-10])
    assert list(await anchor.of_tenant(tenant)) == heads[:1]
    await anchor.append(heads[2:])
    assert list(await anchor.of_tenant(tenant)) == [heads[0], heads[2]]
    assert anchor.path.stat().st_mode & 0o777 == 0o600
    assert list(await anchor.of_tenant(new_tenant())) == []
