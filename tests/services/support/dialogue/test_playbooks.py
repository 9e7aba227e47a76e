"""A tenant's own playbooks: put, listed, deleted, in force at once, and nobody else's."""

from typing import Any

import msgspec
import pytest

from steward.kit.authz import PermissionDenied
from steward.kit.context import SystemCtx
from steward.kit.ids import TenantId
from steward.services.identity.api import Role
from steward.services.support.api import SupportApi
from steward.services.support.dialogue.shipped import sources
from steward.services.support.errors import PlaybookInvalid, PlaybookNotFound
from tests.support.platform import Installation

_TEXT = "{en: Hello, zh-Hant: 您好, zh-Hans: 您好}"
_OWN = f"""\
kind: playbook
name: human
agent: human
title: {_TEXT}
handles: [{{intent: human}}]
steps:
  - do: hand_off
    reason: request
"""


async def test_own_playbook_stands_in_the_place_of_the_shipped_one(installation: Installation) -> None:
    api, tenant = installation.api(SupportApi), await installation.tenant()
    shipped = await api.list_playbooks(tenant.owner)
    assert [each.name for each in shipped] == sorted(sources())
    assert {each.version for each in shipped} == {0}
    put = await api.put_playbook(tenant.owner, name="human", source=_OWN)
    assert (put.version, put.source) == (1, _OWN)
    assert (await api.put_playbook(tenant.owner, name="human", source=_OWN + "# again\n")).version == 2
    own = {each.name: each for each in await api.list_playbooks(tenant.owner)}
    assert own["human"].version == 2
    assert len(own) == len(shipped)
    await api.delete_playbook(tenant.owner, name="human")
    assert await api.list_playbooks(tenant.owner) == shipped
    with pytest.raises(PlaybookNotFound):
        await api.delete_playbook(tenant.owner, name="human")


async def test_other_tenants_keep_the_shipped_one(installation: Installation) -> None:
    api, one, other = installation.api(SupportApi), await installation.tenant(), await installation.tenant()
    await api.put_playbook(one.owner, name="human", source=_OWN)
    assert {each.version for each in await api.list_playbooks(other.owner)} == {0}


async def test_playbook_with_problems_is_refused_with_each_line(installation: Installation) -> None:
    api, tenant = installation.api(SupportApi), await installation.tenant()
    wrong = _OWN.replace("reason: request", "reason: whim").replace("intent: human", "intent: [x]")
    with pytest.raises(PlaybookInvalid) as refused:
        await api.put_playbook(tenant.owner, name="human", source=wrong)
    assert "line 8, steps[0].reason: 'whim' is not known" in refused.value.message
    assert "line 5, handles[0].intent:" in refused.value.message
    assert {each.version for each in await api.list_playbooks(tenant.owner)} == {0}


async def test_who_may_not_configure_is_refused(installation: Installation) -> None:
    api, tenant = installation.api(SupportApi), await installation.tenant()
    viewer = await installation.user(tenant, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        await api.put_playbook(viewer, name="human", source=_OWN)
    with pytest.raises(PermissionDenied):
        await api.delete_playbook(viewer, name="human")


async def test_change_is_in_force_at_the_next_message(installation: Installation) -> None:
    api, tenant = installation.api(SupportApi), await installation.tenant()
    asking = installation.ctx(tenant.id, "conversation:write", "support:act-as-customer")

    async def answer() -> str:
        return (await api.chat(asking, message="I want to talk to a real person", user_id="c-1")).message

    assert "ticket" in await answer()
    asleep = _OWN.replace("do: hand_off\n    reason: request", f"do: end\n    text: {_TEXT}")
    await api.put_playbook(tenant.owner, name="human", source=asleep)
    assert await answer() == "Hello"
    await api.delete_playbook(tenant.owner, name="human")
    assert "ticket" in await answer()


async def test_changes_leave_events_and_audit_entries_without_the_text(installation: Installation) -> None:
    api, tenant = installation.api(SupportApi), await installation.tenant()
    await api.put_playbook(tenant.owner, name="human", source=_OWN)
    await api.delete_playbook(tenant.owner, name="human")
    told = [
        body for body in await _left(installation, "outbox", tenant.id) if body["type"] == "support.PlaybookChanged"
    ]
    assert [body["payload"] for body in told] == [{"name": "human", "version": 1}, {"name": "human", "version": 0}]
    trail = await _left(installation, "audit_outbox", tenant.id)
    assert [(body["action"], body["resource"]) for body in trail] == [
        ("playbook.put", "playbook/human"),
        ("playbook.deleted", "playbook/human"),
    ]
    assert trail[0]["after"] == {"name": "human", "version": 1, "characters": len(_OWN)}


async def _left(installation: Installation, table: str, tenant: TenantId) -> list[Any]:
    reading = SystemCtx(reason="tests", service="support")
    async with installation.foundation.database.service("support").system_tx(reading) as tx:
        rows = await tx.fetch(f"SELECT body FROM support.{table} WHERE tenant_id = $1 ORDER BY xid, id", tenant)
    return [msgspec.json.decode(row["body"]) for row in rows]
