"""The audit trail through its contract, local and over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from steward.kit.audit import Outcome
from steward.kit.authz import PermissionDenied
from steward.kit.context import Ctx
from steward.kit.errors import InvalidInput
from steward.kit.paging import encode_cursor
from steward.services.audit.api import AuditApi, Entry, EntryFilter
from steward.services.audit.errors import EntryNotFound
from steward.services.identity.api import IdentityApi, Role
from steward.services.tenants.api import TenantsApi, TenantUpdate
from steward.services.tenants.errors import TenantNotFound
from tests.support.platform import Installation, TestTenant

PATIENCE = 10


def audit(installation: Installation) -> AuditApi:
    return installation.api(AuditApi)


async def sealed(installation: Installation, ctx: Ctx, count: int, **where: object) -> Sequence[Entry]:
    """The newest entries of a filter, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            page = await audit(installation).list_entries(ctx, where=EntryFilter(**where), limit=200)
            if len(page.items) >= count:
                return page.items
            await asyncio.sleep(0.02)


async def renamed(installation: Installation, tenant: TestTenant, *names: str) -> None:
    for name in names:
        await installation.api(TenantsApi).update_tenant(
            tenant.owner, tenant_id=tenant.id, change=TenantUpdate(name=name)
        )


async def drained(stream: AsyncIterator[Entry]) -> list[Entry]:
    return [entry async for entry in stream]


async def test_change_is_in_the_trail_with_who_what_before_and_after(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, "New")
    (entry,) = await sealed(installation, tenant.owner, 1, action="tenant.updated")
    assert (entry.service, entry.outcome, entry.resource) == ("tenants", Outcome.DONE, f"tenant/{tenant.id}")
    assert (entry.actor, entry.request_id, entry.address) == (
        tenant.owner.actor,
        tenant.owner.request_id,
        tenant.owner.address,
    )
    assert entry.before is not None
    assert entry.after is not None
    assert msgspec.json.decode(entry.before)["name"] == "Test"
    assert msgspec.json.decode(entry.after)["name"] == "New"
    assert len(bytes.fromhex(entry.hash)) == 32
    assert await audit(installation).get_entry(tenant.owner, seq=entry.seq) == entry


async def test_personal_data_is_masked_in_the_trail(installation: Installation) -> None:
    tenant = await installation.tenant()
    await installation.api(IdentityApi).invite_user(
        tenant.owner, email="secret-person@example.com", name="Somebody", roles=[Role.VIEWER]
    )
    entries = await sealed(installation, tenant.owner, 3, action="user.")
    assert any(entry.after is not None for entry in entries)
    assert b"secret-person" not in msgspec.json.encode(entries)


async def test_refusal_is_in_the_trail(installation: Installation) -> None:
    mine, other = await installation.tenant(), await installation.tenant()
    with pytest.raises(TenantNotFound):
        await installation.api(TenantsApi).get_tenant(mine.owner, tenant_id=other.id)
    (entry,) = await sealed(installation, mine.owner, 1, outcome=Outcome.DENIED)
    assert (entry.action, entry.resource) == ("access.denied", f"tenant/{other.id}")
    assert "platform:tenants" in entry.reason


async def test_entries_are_numbered_without_gaps_newest_first(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, *"abcde")
    entries = await sealed(installation, tenant.owner, 8)
    assert [entry.seq for entry in entries] == list(range(len(entries), 0, -1))


async def test_filters_hold_together(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, "one", "two")
    everything = await sealed(installation, tenant.owner, 5)
    one, two = reversed([entry for entry in everything if entry.action == "tenant.updated"])

    async def found(**where: object) -> list[int]:
        page = await audit(installation).list_entries(tenant.owner, where=EntryFilter(**where))
        return [entry.seq for entry in page.items]

    assert await found(action="tenant.updated") == [two.seq, one.seq]
    assert await found(action="tenant.") == [e.seq for e in everything if e.action.startswith("tenant.")]
    assert await found(action="tenant") == []
    assert await found(action="tenant.%") == []
    assert await found(actor=tenant.owner.actor.id, action="tenant.updated") == [two.seq, one.seq]
    assert await found(actor="nobody") == []
    assert await found(resource=f"tenant/{tenant.id}", outcome=Outcome.DONE, action="tenant.updated", until=two.at) == [
        one.seq
    ]
    assert await found(action="tenant.updated", since=two.at) == [two.seq]
    assert await found(outcome=Outcome.DENIED) == []


async def test_pages_go_back_to_the_first_entry_each_once(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, *"abcde")
    everything = await sealed(installation, tenant.owner, 8)
    seen: list[int] = []
    cursor = None
    while True:
        page = await audit(installation).list_entries(tenant.owner, limit=3, cursor=cursor)
        seen += [entry.seq for entry in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [entry.seq for entry in everything]


@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor(2**70), encode_cursor({"seq": 2**63}), encode_cursor({"seq": 0})]
)
async def test_forged_cursor_refused(installation: Installation, cursor: str) -> None:
    tenant = await installation.tenant()
    for call in (
        audit(installation).list_entries(tenant.owner, cursor=cursor),
        audit(installation).list_checkpoints(tenant.owner, cursor=cursor),
    ):
        with pytest.raises(InvalidInput):
            await call


async def test_export_streams_all_oldest_first_and_is_audited_itself(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, "one", "two")
    listed = await sealed(installation, tenant.owner, 5)
    exported = await drained(audit(installation).export_entries(tenant.owner))
    assert exported[: len(listed)] == list(reversed(listed))
    only = await drained(audit(installation).export_entries(tenant.owner, where=EntryFilter(action="tenant.updated")))
    assert [entry.action for entry in only] == ["tenant.updated"] * 2
    assert await sealed(installation, tenant.owner, 2, action="audit.exported")


async def test_checkpoints_cover_the_chain_and_it_verifies(installation: Installation) -> None:
    tenant = await installation.tenant()
    await renamed(installation, tenant, "one")
    entries = await sealed(installation, tenant.owner, 3)
    page = await audit(installation).list_checkpoints(tenant.owner, limit=1)
    assert page.items[0].seq == entries[0].seq
    assert page.items[0].hash == entries[0].hash
    result = await audit(installation).verify_chain(tenant.owner)
    assert (result.ok, list(result.findings)) == (True, [])
    assert result.entries >= len(entries)
    assert result.checkpoints >= 1
    assert await sealed(installation, tenant.owner, 1, action="audit.verified", outcome=Outcome.DONE)


async def test_trail_of_another_tenant_is_not_seen(installation: Installation) -> None:
    mine, other = await installation.tenant(), await installation.tenant()
    await renamed(installation, other, "theirs")
    await sealed(installation, other.owner, 1, action="tenant.updated")
    page = await audit(installation).list_entries(mine.owner, where=EntryFilter(resource=f"tenant/{other.id}"))
    assert list(page.items) == []


async def test_entry_that_is_not_there(installation: Installation) -> None:
    tenant = await installation.tenant()
    with pytest.raises(EntryNotFound):
        await audit(installation).get_entry(tenant.owner, seq=10**9)


async def test_viewer_may_not_read_export_or_verify(installation: Installation) -> None:
    tenant = await installation.tenant()
    viewer = await installation.user(tenant, Role.VIEWER)
    api = audit(installation)
    calls = (
        api.list_entries(viewer),
        api.get_entry(viewer, seq=1),
        api.list_checkpoints(viewer),
        api.verify_chain(viewer),
        drained(api.export_entries(viewer)),
    )
    for call in calls:
        with pytest.raises(PermissionDenied):
            await call
