"""All SQL of reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from steward.kit.db import Tx
from steward.kit.ids import TenantId
from steward.services.costs.api import GroupBy, LedgerEntry, LedgerFilter, Subject, SubjectKind
from steward.services.costs.reports.spans import Source, Span
from steward.services.costs.repository.calls import ENTRY, ledger_entry

SUMS: Final = (
    "calls",
    "cached_calls",
    "failed_calls",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "latency_ms",
)
"""What a report adds up, in this order."""

_MOMENTS: Final[Mapping[Source, str]] = {Source.LEDGER: "at", Source.HOURS: "hour", Source.DAYS: "day"}
_COLUMNS: Final[Mapping[GroupBy, str]] = {
    GroupBy.USER: "user_id",
    GroupBy.TEAM: "team",
    GroupBy.AGENT: "agent_id",
    GroupBy.KEY: "key_id",
    GroupBy.PROVIDER: "provider",
    GroupBy.MODEL: "model",
    GroupBy.ALIAS: "alias",
    GroupBy.OUTCOME: "outcome",
    GroupBy.CACHE: "cache",
}
# Of several runs the first is the innermost.
_RUN: Final = (
    "coalesce((SELECT substr(s.subject, 5) FROM unnest(subjects) WITH ORDINALITY AS s (subject, place)"
    " WHERE starts_with(s.subject, 'run:') ORDER BY s.place LIMIT 1), '')"
)
_OWN_COLUMNS: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.USER: "user_id",
    SubjectKind.AGENT: "agent_id",
    SubjectKind.KEY: "key_id",
}
_FAILED: Final = "outcome NOT IN ('succeeded', 'cancelled')"


class _Arguments:
    """Numbers a statement's arguments."""

    def __init__(self, *first: object) -> None:
        self.values = list(first)

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


class ReportsRepository:
    """One tenant's ledger and sums, in a read of that tenant."""

    async def has_whole_hours(self, tx: Tx, zone: str, since: datetime, until: datetime) -> bool:
        """Whether the zone's clocks are whole hours off UTC all the time, so that its days begin with an hour."""
        return await tx.fetchval(
            "SELECT bool_and(extract(epoch FROM (m AT TIME ZONE $1) - (m AT TIME ZONE 'UTC'))::bigint % 3600 = 0)"
            " FROM (SELECT generate_series($2::timestamptz, least($3::timestamptz, now()), '14 days') UNION ALL"
            " SELECT least($3, now() + interval '1 year')) AS g (m)",
            zone,
            since,
            until,
        )

    async def sums(
        self,
        tx: Tx,
        tenant: TenantId,
        spans: Sequence[Span],
        groups: Sequence[GroupBy],
        zone: str,
        tag: str | None,
        where: LedgerFilter,
        limit: int,
    ) -> Sequence[asyncpg.Record]:
        """A row for each group, in the order of the groups: `g0`, `g1` … and `SUMS`."""
        arguments = _Arguments(tenant)
        names = [f"g{place}" for place in range(len(groups))]
        parts = [_part(span, groups, zone, tag, where, arguments) for span in spans]
        grouped = ", ".join(names)
        by = f"GROUP BY {grouped} ORDER BY {grouped}" if names else "HAVING count(*) > 0"
        added = ", ".join(f"sum({name})::bigint AS {name}" for name in SUMS)
        return await tx.fetch(
            f"SELECT {', '.join([*names, added])} FROM ({' UNION ALL '.join(parts)}) AS line {by}"
            f" LIMIT {arguments.add(limit)}",
            *arguments.values,
        )

    async def entries(
        self,
        tx: Tx,
        tenant: TenantId,
        where: LedgerFilter,
        place: tuple[UUID, int] | None,
        limit: int,
        *,
        newest_first: bool,
    ) -> Sequence[LedgerEntry]:
        """Entries in the order of their calls' beginnings, beyond a place."""
        arguments = _Arguments(tenant)
        conditions = ["true", *_narrowed(where, arguments)]
        if where.since is not None:
            conditions.append(f"at >= {arguments.add(where.since)}")
        if where.until is not None:
            # A call begins before its entry is written, and its id says when: months after that need no look.
            until = arguments.add(where.until)
            conditions += [f"at < {until}", f"call_id < costs.first_id({until}::timestamptz + interval '1 second')"]
        order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
        if place is not None:
            conditions.append(
                f"(call_id, revision) {beyond} ({arguments.add(place[0])}::uuid, {arguments.add(place[1])}::int)"
            )
        rows = await tx.fetch(
            f"SELECT {ENTRY} FROM costs.ledger WHERE tenant_id = $1 AND {' AND '.join(conditions)}"
            f" ORDER BY call_id {order}, revision {order} LIMIT {arguments.add(limit)}",
            *arguments.values,
        )
        return [ledger_entry(row) for row in rows]


def _part(
    span: Span, groups: Sequence[GroupBy], zone: str, tag: str | None, where: LedgerFilter, arguments: _Arguments
) -> str:
    """The lines of one span: what they are grouped by, and their own sums."""
    moment = _MOMENTS[span.source]
    ledger = span.source is Source.LEDGER
    calls = "(revision = 0)::int" if ledger else "calls"
    written = "cache_write_tokens + cache_write_1h_tokens" if ledger else "cache_write_tokens"
    keys = [f"{_key(group, moment, zone, tag, arguments)} AS g{place}" for place, group in enumerate(groups)]
    sums = [
        f"{calls} AS calls",
        f"CASE WHEN cache <> '' THEN {calls} ELSE 0 END AS cached_calls",
        f"CASE WHEN {_FAILED} THEN {calls} ELSE 0 END AS failed_calls",
        f"input_tokens, cache_read_tokens, {written} AS cache_write_tokens",
        "output_tokens, reasoning_tokens, cost, latency_ms",
    ]
    since, until = arguments.add(span.since), arguments.add(span.until)
    conditions = [f"{moment} >= {since} AND {moment} < {until}", *_narrowed(where, arguments)]
    if ledger:
        conditions.append(f"call_id < costs.first_id({until}::timestamptz + interval '1 second')")
    return (
        f"SELECT {', '.join([*keys, *sums])} FROM costs.{span.source.value}"
        f" WHERE tenant_id = $1 AND {' AND '.join(conditions)}"
    )


def _key(group: GroupBy, moment: str, zone: str, tag: str | None, arguments: _Arguments) -> str:
    match group:
        case GroupBy.HOUR:
            return f"""to_char(date_trunc('hour', {moment}, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"')"""
        case GroupBy.DAY:
            return f"to_char({moment} AT TIME ZONE {arguments.add(zone)}::text, 'YYYY-MM-DD')"
        case GroupBy.MONTH:
            return f"to_char({moment} AT TIME ZONE {arguments.add(zone)}::text, 'YYYY-MM')"
        case GroupBy.RUN:
            return _RUN
        case GroupBy.TAG:
            return f"coalesce(tags->>{arguments.add(tag)}::text, '')"
        case _:
            return _COLUMNS[group]


def _narrowed(where: LedgerFilter, arguments: _Arguments) -> Sequence[str]:
    """What the filter asks for beside the time; every table has these columns, but `subjects` of runs."""
    found: list[str] = []
    if where.subject is not None and where.subject.kind is not SubjectKind.TENANT:
        found.append(_counts_for(where.subject, arguments))
    if where.model is not None:
        found.append(f"model = {arguments.add(where.model)}")
    if where.outcome is not None:
        found.append(f"outcome = {arguments.add(where.outcome.value)}")
    return found


def _counts_for(subject: Subject, arguments: _Arguments) -> str:
    if subject.kind is SubjectKind.RUN:
        return f"subjects @> ARRAY[{arguments.add(f'run:{subject.id}')}]"
    name = arguments.add(subject.id)
    if subject.kind is SubjectKind.TEAM:
        return f"(team = {name} OR starts_with(team, {name} || '/'))"
    return f"{_OWN_COLUMNS[subject.kind]} = {name}"
