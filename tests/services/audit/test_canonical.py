"""The persisted form of version 1, which must never change: entries of today are verified for years."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from steward.kit.audit import Outcome
from steward.kit.context import Actor, ActorType
from steward.kit.ids import TenantId
from steward.kit.outbox import AuditRecord
from steward.services.audit.chain import Link, canonical, genesis, head_bytes, next_link
from steward.services.audit.collector import entry_row

GOLDEN = Path(__file__).parent / "golden" / "chain_v1.json"
TENANT = TenantId(UUID("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"))
AT = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)

RECORDS = [
    AuditRecord(
        id=UUID(int=7 << 76 | 2 << 62 | number),
        tenant=TENANT,
        service="tenants",
        at=AT,
        actor=Actor(ActorType.USER, "0190a1b2"),
        request_id="r-1",
        address="192.0.2.7",
        action="tenant.updated",
        resource=f"tenant/{TENANT}",
        outcome=Outcome.DONE,
        reason="",
        before=before,
        after={"name": '店 — Größe \u0007 \\ " </x>', "numbers": [1, -2, 1.5, 2**53 - 1], "b": True, "a": None},
    )
    for number, before in enumerate([None, {"z": 1, "Z": 2, "é": 3, "𝄞": 4, "a": {"c": 1, "b": []}}, "text"])
]


def chain_of_today() -> dict[str, object]:
    link = genesis(TENANT)
    entries: list[dict[str, str]] = []
    for record in RECORDS:
        body = canonical(msgspec.json.encode(record).decode())
        link = next_link(link, body)
        entries.append({"body": body, "hash": link.hash.hex()})
    return {
        "tenant": str(TENANT),
        "genesis": genesis(TENANT).hash.hex(),
        "entries": entries,
        "head_bytes": head_bytes(TENANT, link, AT).hex(),
    }


def test_chain_of_version_1_is_what_it_always_was() -> None:
    assert chain_of_today() == json.loads(GOLDEN.read_text())


def test_entries_of_version_1_are_still_read() -> None:
    link = genesis(TENANT)
    for record, kept in zip(RECORDS, json.loads(GOLDEN.read_text())["entries"], strict=True):
        link = next_link(link, kept["body"])
        row = entry_row(TENANT, link, kept["body"])
        assert (row.seq, row.hash.hex(), row.id, row.action, row.at) == (
            link.seq,
            kept["hash"],
            record.id,
            record.action,
            record.at,
        )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_canonical_form_is_one_whatever_the_order_of_keys(value: object) -> None:
    once = canonical(json.dumps(value, sort_keys=True))
    assert canonical(json.dumps(value, ensure_ascii=False, indent=2)) == once
    assert canonical(once) == once
    assert json.loads(once) == value


@given(st.text(), st.integers(0, 2**40))
def test_hash_depends_on_content_place_and_predecessor(body: str, seq: int) -> None:
    link = next_link(Link(seq, bytes(32)), body)
    others = [
        next_link(Link(seq, bytes(32)), body + " "),
        next_link(Link(seq + 1, bytes(32)), body),
        next_link(Link(seq, bytes(31) + b"\1"), body),
    ]
    assert link.seq == seq + 1
    assert link.hash not in [other.hash for other in others]
