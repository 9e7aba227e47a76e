"""Whoever has the database but not the keys and the anchor is found out, and told where."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from steward.kit.ids import TenantId
from steward.services.audit.chain import Link, next_link
from tests.support.audit import Archive, open_archive
from tests.support.postgres import PostgresForTests

# Letters that no id in hexadecimal has.
BATCHES = (("p1", "p2"), ("q1", "q2"), ("r1", "r2"))
LAST = 6
NO_HASH = "its hash does not follow"


@pytest_asyncio.fixture(scope="module")
async def archive(postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Archive]:
    async with open_archive(postgres, tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest_asyncio.fixture
async def tenant(archive: Archive) -> TenantId:
    made = await archive.chain(BATCHES)
    result = await archive.verify(made)
    assert (result.ok, result.entries, result.checkpoints) == (True, LAST, 3)
    return made


async def found(archive: Archive, tenant: TenantId) -> list[int]:
    result = await archive.verify(tenant)
    assert result.ok is (not result.findings)
    return [finding.seq for finding in result.findings]


async def test_edited_content_is_found(archive: Archive, tenant: TenantId) -> None:
    edit = "UPDATE audit.entry SET body = replace(body, 'p2', 'pX') WHERE tenant_id = $1 AND seq = 2"
    await archive.tamper(edit, tenant)
    (finding,) = await archive.findings(tenant)
    assert finding.seq == 2
    assert NO_HASH in finding.problem


async def test_content_that_cannot_be_read_any_more_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("UPDATE audit.entry SET body = 'gone' WHERE tenant_id = $1 AND seq = 4", tenant)
    assert await found(archive, tenant) == [4]


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'innocent'",
        "action = 'thing.other'",
        "resource = 'x/1'",
        "outcome = 'failed'",
        "at = at + '1 s'",
        "id = tenant_id",
    ],
)
async def test_edited_column_is_found_though_the_content_holds(archive: Archive, tenant: TenantId, change: str) -> None:
    await archive.tamper(f"UPDATE audit.entry SET {change} WHERE tenant_id = $1 AND seq = 3", tenant)
    (finding,) = await archive.findings(tenant)
    assert finding.seq == 3
    assert "columns" in finding.problem


async def test_deleted_entry_is_found_where_it_is_missing(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq = 3", tenant)
    findings = await archive.findings(tenant)
    assert {finding.seq for finding in findings} == {4}
    assert any("missing" in finding.problem for finding in findings)


async def test_first_entry_deleted_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq = 1", tenant)
    assert set(await found(archive, tenant)) == {2}


async def test_deleted_entry_hidden_by_renumbering_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq = 3", tenant)
    await archive.tamper("UPDATE audit.entry SET seq = -seq WHERE tenant_id = $1 AND seq > 3", tenant)
    await archive.tamper("UPDATE audit.entry SET seq = -seq - 1 WHERE tenant_id = $1 AND seq < 0", tenant)
    assert 3 in await found(archive, tenant)


async def test_swapped_entries_are_found(archive: Archive, tenant: TenantId) -> None:
    for old, new in ((3, 100), (4, 3), (100, 4)):
        await archive.tamper("UPDATE audit.entry SET seq = $3 WHERE tenant_id = $1 AND seq = $2", tenant, old, new)
    assert set(await found(archive, tenant)) >= {3, 4}


async def test_cut_tail_is_found_by_the_head(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq > 4", tenant)
    assert set(await found(archive, tenant)) == {LAST}


async def cut(archive: Archive, tenant: TenantId, to: int) -> None:
    """Cut the end off with everything in the database that tells of it."""
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq > $2", tenant, to)
    await archive.tamper("DELETE FROM audit.checkpoint WHERE tenant_id = $1 AND seq > $2", tenant, to)
    await archive.tamper(
        "UPDATE audit.head h SET seq = e.seq, hash = e.hash FROM audit.entry e"
        " WHERE h.tenant_id = $1 AND e.tenant_id = $1 AND e.seq = $2",
        tenant,
        to,
    )


async def test_tail_cut_with_its_heads_is_found_by_the_anchor(archive: Archive, tenant: TenantId) -> None:
    await cut(archive, tenant, 4)
    (finding,) = await archive.findings(tenant)
    assert finding.seq == LAST
    assert "not there" in finding.problem


async def test_tail_cut_to_an_unsigned_entry_is_found_by_that_too(archive: Archive, tenant: TenantId) -> None:
    await cut(archive, tenant, 3)
    findings = [finding for finding in await archive.findings(tenant) if finding.seq == 3]
    assert "never signed" in findings[0].problem


async def test_whole_trail_removed_is_found_by_the_anchor(archive: Archive, tenant: TenantId) -> None:
    for table in ("entry", "checkpoint", "head"):
        await archive.tamper(f"DELETE FROM audit.{table} WHERE tenant_id = $1", tenant)
    assert await found(archive, tenant) == [2, 4, 6]


async def test_removed_head_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.head WHERE tenant_id = $1", tenant)
    assert await found(archive, tenant) == [LAST]


async def test_forged_signature_is_found(archive: Archive, tenant: TenantId) -> None:
    forge = "UPDATE audit.checkpoint SET signature = decode(repeat('ab', 64), 'hex') WHERE tenant_id = $1 AND seq = 4"
    await archive.tamper(forge, tenant)
    (finding,) = await archive.findings(tenant)
    assert finding.seq == 4
    assert "signature" in finding.problem


async def test_checkpoint_of_a_time_it_was_not_made_at_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper(
        "UPDATE audit.checkpoint SET at = at - '1 day'::interval WHERE tenant_id = $1 AND seq = 2", tenant
    )
    assert await found(archive, tenant) == [2]


async def test_chain_computed_anew_is_found_by_its_signed_heads(archive: Archive, tenant: TenantId) -> None:
    """The strongest forger: everything is recomputed, only the signatures cannot be."""
    rows = await archive.tamper("SELECT seq, body, hash FROM audit.entry WHERE tenant_id = $1 ORDER BY seq", tenant)
    link = Link(2, rows[1]["hash"])
    for row in rows[2:]:
        body = row["body"].replace("q1", "qX")
        link = next_link(link, body)
        await archive.tamper(
            "UPDATE audit.entry SET body = $3, hash = $4, action = replace(action, 'q1', 'qX'),"
            " resource = replace(resource, 'q1', 'qX') WHERE tenant_id = $1 AND seq = $2",
            tenant,
            row["seq"],
            body,
            link.hash,
        )
    await archive.tamper("UPDATE audit.head SET hash = $2 WHERE tenant_id = $1", tenant, link.hash)
    await archive.tamper(
        "UPDATE audit.checkpoint c SET hash = e.hash FROM audit.entry e WHERE c.tenant_id = $1"
        " AND e.tenant_id = $1 AND e.seq = c.seq",
        tenant,
    )
    findings = await archive.findings(tenant)
    assert {finding.seq for finding in findings} == {4, 6}
    problems = " ".join(finding.problem for finding in findings)
    assert "signature that does not hold" in problems
    assert "differs from the one that was signed" in problems


async def test_entries_added_behind_the_last_signature_are_found(archive: Archive, tenant: TenantId) -> None:
    (last,) = await archive.tamper("SELECT body, hash FROM audit.entry WHERE tenant_id = $1 AND seq = 6", tenant)
    link = next_link(Link(LAST, last["hash"]), last["body"])
    await archive.tamper(
        "INSERT INTO audit.entry SELECT tenant_id, 7, id, at, actor, action, resource, outcome, body, $2"
        " FROM audit.entry WHERE tenant_id = $1 AND seq = 6",
        tenant,
        link.hash,
    )
    await archive.tamper("UPDATE audit.head SET seq = 7, hash = $2 WHERE tenant_id = $1", tenant, link.hash)
    (finding,) = await archive.findings(tenant)
    assert finding.seq == 7
    assert "never signed" in finding.problem


async def test_entry_put_before_the_first_is_found(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper(
        "INSERT INTO audit.entry SELECT tenant_id, -1, id, at, actor, action, resource, outcome, body, hash"
        " FROM audit.entry WHERE tenant_id = $1 AND seq = 1",
        tenant,
    )
    assert await found(archive, tenant) == [-1]


async def test_replaced_signing_key_is_found_by_the_anchor(archive: Archive) -> None:
    tenant = await archive.chain(BATCHES)
    keys = await archive.tamper("SELECT id, public_key FROM audit.signing_key")
    try:
        await archive.tamper("UPDATE audit.signing_key SET public_key = sha256(public_key)")
        assert set(await found(archive, tenant)) == {2, 4, 6}
    finally:
        for key in keys:
            await archive.tamper(
                "UPDATE audit.signing_key SET public_key = $2 WHERE id = $1", key["id"], key["public_key"]
            )
    assert await found(archive, tenant) == []


async def test_finding_is_itself_in_the_trail_and_an_event(archive: Archive, tenant: TenantId) -> None:
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq = 3", tenant)
    await archive.verify(tenant)
    entries = await archive.tamper("SELECT body FROM audit.audit_outbox WHERE tenant_id = $1 ORDER BY xid, id", tenant)
    assert '"outcome":"failed"' in entries[-1]["body"]
    assert "missing" in entries[-1]["body"]
    (event,) = await archive.tamper("SELECT body FROM audit.outbox WHERE tenant_id = $1", tenant)
    assert '"type":"audit.ChainBroken"' in event["body"]


async def test_long_chain_with_an_edit_reports_that_edit_alone(archive: Archive) -> None:
    """More entries than are read at once."""
    tenant = await archive.chain([[f"n{number}" for number in range(1100)]])
    assert await found(archive, tenant) == []
    await archive.tamper("UPDATE audit.entry SET body = body || ' ' WHERE tenant_id = $1 AND seq = 777", tenant)
    assert await found(archive, tenant) == [777]


async def test_tampering_with_one_tenant_says_nothing_of_another(archive: Archive, tenant: TenantId) -> None:
    other = await archive.chain(BATCHES)
    await archive.tamper("DELETE FROM audit.entry WHERE tenant_id = $1 AND seq = 3", tenant)
    assert await found(archive, other) == []
