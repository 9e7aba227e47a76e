"""The HTTP routes of the ledger and its sums; each as JSON, and as CSV under the same path with `.csv`."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from typing import Annotated, Final, cast

import msgspec
from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter, SkipValidation

from steward.kit.errors import InvalidInput
from steward.kit.paging import Page
from steward.kit.web import Caller, PageCursor, PageLimit, aware
from steward.services.costs.api import (
    CostsApi,
    GroupBy,
    LedgerEntry,
    LedgerFilter,
    Outcome,
    Report,
    ReportQuery,
    ReportRow,
    Subject,
    SubjectKind,
)
from steward.services.costs.http.csv_answers import CSV, Cell, Csv, csv_answer, usd

CostsPort = NamedDependency[SkipValidation[CostsApi]]

TAGS: Final = ("Costs",)

Since = Annotated[datetime | None, QueryParameter(description="At this instant or later, RFC 3339 with an offset.")]
Until = Annotated[datetime | None, QueryParameter(description="Before this instant, RFC 3339 with an offset.")]
From = Annotated[datetime, QueryParameter(description="From this instant on, RFC 3339 with an offset.")]
To = Annotated[datetime, QueryParameter(description="Before this instant, RFC 3339 with an offset.")]
Kind = Annotated[SubjectKind | None, QueryParameter(description="Calls that count for such a subject.")]
Who = Annotated[
    str | None,
    QueryParameter(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Which one; its id."),
]
OfModel = Annotated[
    str | None, QueryParameter(min_length=1, max_length=200, pattern=r"^[!-~]+$", description="Of this model.")
]
_GROUP: Final = "|".join(GroupBy)
Groups = Annotated[
    str | None,
    QueryParameter(
        pattern=f"^(?:{_GROUP})(?:,(?:{_GROUP})){{0,3}}$",
        description=f"What to add up by: up to four of {', '.join(GroupBy)}, with commas between them.",
    ),
]
OfTag = Annotated[
    str | None,
    QueryParameter(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$", description="Which tag, with `group_by=tag`."),
]
Zone = Annotated[
    str, QueryParameter(min_length=1, max_length=64, pattern=r"^[!-~]+$", description="IANA name; of days and months.")
]


async def narrowing(
    subject_kind: Kind = None,
    subject: Who = None,
    model: OfModel = None,
    outcome: FromQuery[Outcome | None] = None,
) -> LedgerFilter:
    """Which calls the query of a request asks for, beside their time."""
    if (subject_kind in {None, SubjectKind.TENANT}) != (subject is None):
        raise InvalidInput("subject and subject_kind go together: give both or neither", field="subject")
    whose = None if subject_kind is None else Subject(subject_kind, subject or "")
    return LedgerFilter(subject=whose, model=model, outcome=outcome)


Narrowing = NamedDependency[SkipValidation[LedgerFilter]]


async def ledger_filter(where: Narrowing, since: Since = None, until: Until = None) -> LedgerFilter:
    """Which entries the query of a request asks for."""
    return msgspec.structs.replace(where, since=aware(since, "since"), until=aware(until, "until"))


async def report_query(
    where: Narrowing, since: From, until: To, group_by: Groups = None, tag: OfTag = None, time_zone: Zone = "UTC"
) -> ReportQuery:
    """Which sums the query of a request asks for."""
    return ReportQuery(
        since=aware(since, "since") or since,
        until=aware(until, "until") or until,
        group_by=[GroupBy(name) for name in group_by.split(",")] if group_by else (),
        tag=tag,
        time_zone=time_zone,
        where=where,
    )


Entries = NamedDependency[SkipValidation[LedgerFilter]]
Asked = NamedDependency[SkipValidation[ReportQuery]]

_ENTRIES: Final[Mapping[str, Provide]] = {"where": Provide(narrowing), "entries": Provide(ledger_filter)}
_ASKED: Final[Mapping[str, Provide]] = {"where": Provide(narrowing), "asked": Provide(report_query)}


@get("/api/v1/costs/calls", tags=TAGS, dependencies=_ENTRIES)
async def list_calls(
    ctx: Caller, costs: CostsPort, entries: Entries, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[LedgerEntry]:
    """List the ledger's entries, of the newest calls first

    A correction is an entry of its own, with differences. Needs `cost:read`.
    """
    return await costs.list_calls(ctx, where=entries, limit=limit, cursor=cursor)


@get("/api/v1/costs/calls.csv", tags=TAGS, dependencies=_ENTRIES, media_type=CSV)
async def export_calls(ctx: Caller, costs: CostsPort, entries: Entries) -> Csv:
    """Export the ledger's entries as CSV, of the oldest calls first

    Money is in nanos, and beside them in USD. Needs `cost:read`.
    """
    return await csv_answer("calls", _ENTRY_HEADER, _entry_lines(costs.export_calls(ctx, where=entries)))


@get("/api/v1/costs/report", tags=TAGS, dependencies=_ASKED)
async def report(ctx: Caller, costs: CostsPort, asked: Asked) -> Report:
    """Add the ledger up, at most 10,000 rows

    Corrections are in the sums. Needs `cost:read`.
    """
    return await costs.report(ctx, query=asked)


@get("/api/v1/costs/report.csv", tags=TAGS, dependencies=_ASKED, media_type=CSV)
async def report_csv(ctx: Caller, costs: CostsPort, asked: Asked) -> Csv:
    """Add the ledger up, as CSV without the row of totals

    Money is in nanos, and beside them in USD. Needs `cost:read`.
    """
    made = await costs.report(ctx, query=asked)
    names = [group.value for group in asked.group_by]
    return await csv_answer("report", [*names, *_SUMS_HEADER], _report_lines(names, made.rows))


ROUTES: Final[Sequence[HTTPRouteHandler]] = (list_calls, export_calls, report, report_csv)

_COST: Final = "cost"
_SUMS: Final[Sequence[str]] = [name for name in ReportRow.__struct_fields__ if name not in {"group", _COST}]
_SUMS_HEADER: Final[Sequence[str]] = [*_SUMS, "cost_nanos", "cost_usd"]
_KEPT: Final[Sequence[str]] = [
    name for name in LedgerEntry.__struct_fields__ if name not in {"subjects", "tags", _COST}
]
_ENTRY_HEADER: Final[Sequence[str]] = [*_KEPT, "subjects", "tags", "cost_nanos", "cost_usd"]


async def _report_lines(names: Sequence[str], rows: Sequence[ReportRow]) -> AsyncIterator[Sequence[Cell]]:
    for row in rows:
        groups = [row.group[name] for name in names]
        yield [*groups, *(getattr(row, name) for name in _SUMS), row.cost, usd(row.cost)]


async def _entry_lines(entries: AsyncIterator[LedgerEntry]) -> AsyncIterator[Sequence[Cell]]:
    async with AsyncExitStack() as stack:
        if isinstance(entries, AsyncGenerator):
            await stack.enter_async_context(aclosing(cast("AsyncGenerator[LedgerEntry]", entries)))
        async for entry in entries:
            subjects = " ".join(f"{subject.kind}:{subject.id}" for subject in entry.subjects)
            tags = msgspec.json.encode(entry.tags).decode()
            yield [*(_plain(getattr(entry, name)) for name in _KEPT), subjects, tags, entry.cost, usd(entry.cost)]


def _plain(value: object) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | None) else str(value)
