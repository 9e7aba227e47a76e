"""Sums say what the ledger says, from whatever table they come; the ledger is shown, paged and exported whole."""

import csv
import io
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.kit.authz import Authz, PermissionDenied
from steward.kit.errors import InvalidInput
from steward.kit.ids import TenantId
from steward.kit.testing.clock import FakeClock
from steward.services.costs.api import (
    Actual,
    CacheHit,
    CallId,
    CallInfo,
    CallUsage,
    Correction,
    GroupBy,
    LedgerEntry,
    LedgerFilter,
    Outcome,
    Price,
    ReportQuery,
    ReportRow,
    Subject,
    SubjectKind,
    TokenPrices,
    WorstCase,
)
from steward.services.costs.errors import ReportTooLarge, UnknownTimeZone
from steward.services.costs.http.csv_answers import csv_bytes, usd
from steward.services.costs.reports import Reports, reports
from steward.services.costs.reports.spans import Source, spans_of
from tests.services.costs.house import Known, Process, processes
from tests.support.database import as_owner, database_of, new_tenant
from tests.support.postgres import PostgresForTests

CALLS = 40
STEP = timedelta(minutes=97)
MODELS = ("m", "n")
OUTCOMES = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.TIMED_OUT)
PRICES = {name: Price(provider="p", model=name, prices=TokenPrices(input=10**6, output=3 * 10**6)) for name in MODELS}
SUMMED = [name for name in ReportRow.__struct_fields__ if name != "group"]


class Ledger:
    """A tenant with two and a half days of calls, one of them corrected, and hits of caches."""

    def __init__(self, process: Process, tenant: TenantId, start: datetime, owner: str) -> None:
        self.process = process
        self.tenant = tenant
        self.start = start
        self.owner = owner
        self.reports = Reports(process.db, Authz(process.db))
        self.entries: Sequence[LedgerEntry] = ()

    @property
    def ctx(self) -> Any:
        return self.process.ctx(self.tenant)

    async def report(self, *groups: GroupBy, **more: Any) -> Any:
        query = {"since": self.start, "until": self.start + timedelta(days=4), **more}
        return await self.reports.report(self.ctx, query=ReportQuery(group_by=groups, **query))

    async def write(self, clock: FakeClock) -> None:
        for number in range(CALLS):
            await self._call(number)
            clock.advance(STEP.total_seconds())
        guessed = await self._call(CALLS, exact=False)
        clock.advance(3 * 3600)
        correction = Correction(usage=CallUsage(input_tokens=5, output_tokens=1), reason="the bill")
        await self.process.corrections.correct(self.ctx, call_id=guessed, correction=correction)
        await self.process.calls.record_hit(
            self.ctx,
            hit=CacheHit(
                call_id=CallId(self.process.ids.new()), subjects=(Subject(SubjectKind.USER, "u0"),),
                info=CallInfo(request_id="r", alias="a", connection="c"), provider="p", model="m", cache="exact",
                usage=CallUsage(input_tokens=3), latency_ms=1,
            ),
        )  # fmt: skip
        self.entries = [entry async for entry in self.reports.export_calls(self.ctx)]

    async def _call(self, number: int, *, exact: bool = True) -> CallId:
        call_id = CallId(self.process.ids.new())
        subjects = [Subject(SubjectKind.USER, f"u{number % 3}"), Subject(SubjectKind.AGENT, f"g{number % 2}")]
        subjects += [Subject(SubjectKind.TEAM, ("shop", "shop/search", "ops")[number % 3])]
        subjects += [Subject(SubjectKind.RUN, f"r{number % 5}"), Subject(SubjectKind.RUN, "above")]
        tags = {"job": f"=j{number % 4}"} if number % 4 else {}
        info = CallInfo(request_id=f"q{number}", alias="a", connection="c", tags=tags)
        model = MODELS[number % 2]
        worst = WorstCase(provider="p", model=model, input_tokens=500, output_tokens=500)
        await self.process.calls.reserve(self.ctx, call_id=call_id, subjects=subjects, worst_case=worst, info=info)
        usage = CallUsage(input_tokens=10 * number + 9, cache_read_tokens=number, output_tokens=number + 2)
        actual = Actual(outcome=OUTCOMES[number % 4], usage=usage, exact=exact, latency_ms=number)
        await self.process.calls.settle(self.ctx, call_id=call_id, actual=actual)
        return call_id


@pytest.fixture(scope="module")
async def ledger(dsn: str, postgres: PostgresForTests) -> AsyncGenerator[Ledger]:
    start = datetime.now(UTC).replace(hour=1, minute=7, second=3)
    clock = FakeClock(start)
    async with processes(dsn, clock, 1, prices=Known(PRICES)) as [process]:
        made = Ledger(process, new_tenant(), start, postgres.dsn(database_of(dsn)))
        await made.write(clock)
        yield made


def by_hand(
    entries: Sequence[LedgerEntry], groups: Sequence[GroupBy], zone: str, tag: str | None
) -> Mapping[tuple[str, ...], Mapping[str, int]]:
    """The sums of entries by the values of the groups."""
    sums: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMMED, 0))
    for entry in entries:
        line = sums[tuple(value_of(entry, group, zone, tag) for group in groups)]
        first = entry.revision == 0
        line["calls"] += first
        line["cached_calls"] += first and entry.cache != ""
        line["failed_calls"] += first and entry.outcome not in {Outcome.SUCCEEDED, Outcome.CANCELLED}
        line["cache_write_tokens"] += entry.cache_write_tokens + entry.cache_write_1h_tokens
        for name in ("input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens", "cost", "latency_ms"):
            line[name] += getattr(entry, name)
    return sums


def value_of(entry: LedgerEntry, group: GroupBy, zone: str, tag: str | None) -> str:
    named = {subject.kind.value: subject.id for subject in reversed(entry.subjects)}
    local = entry.at.astimezone(ZoneInfo(zone))
    values = {
        GroupBy.HOUR: f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:00:00Z}",
        GroupBy.DAY: f"{local:%Y-%m-%d}",
        GroupBy.MONTH: f"{local:%Y-%m}",
        # Teams above a team are among the subjects, and before it.
        GroupBy.TEAM: next((one.id for one in reversed(entry.subjects) if one.kind is SubjectKind.TEAM), ""),
        GroupBy.TAG: entry.tags.get(tag or "", ""),
    }
    return values[group] if group in values else str(named.get(group.value, getattr(entry, group.value, "")))


def shown(rows: Sequence[ReportRow], groups: Sequence[GroupBy]) -> Mapping[tuple[str, ...], Mapping[str, int]]:
    return {tuple(row.group[group] for group in groups): {name: getattr(row, name) for name in SUMMED} for row in rows}


minutes = st.integers(-200, CALLS * 97 + 400)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(list(GroupBy)), max_size=4, unique=True),
    minutes,
    minutes,
    st.sampled_from(["UTC", "Asia/Taipei", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]),
    st.booleans(),
)
async def test_any_report_is_the_sum_of_the_entries_of_its_time(
    ledger: Ledger, groups: list[GroupBy], first: int, second: int, zone: str, rounded: bool
) -> None:
    since, until = sorted(ledger.start + timedelta(minutes=one) for one in (first, second))
    if rounded:
        since, until = (one.replace(hour=0, minute=0, second=0, microsecond=0) for one in (since, until))
    until = max(until, since + timedelta(minutes=1))
    tag = "job" if GroupBy.TAG in groups else None
    made = await ledger.report(*groups, since=since, until=until, time_zone=zone, tag=tag)
    within = [entry for entry in ledger.entries if since <= entry.at < until]
    assert shown(made.rows, groups) == by_hand(within, groups, zone, tag)
    assert {name: getattr(made.total, name) for name in SUMMED} == by_hand(within, (), zone, None).get(
        (), dict.fromkeys(SUMMED, 0)
    )


@pytest.mark.parametrize(
    "where",
    [
        LedgerFilter(subject=Subject(SubjectKind.USER, "u1")),
        LedgerFilter(subject=Subject(SubjectKind.AGENT, "g1"), model="n"),
        LedgerFilter(subject=Subject(SubjectKind.TEAM, "shop")),
        LedgerFilter(subject=Subject(SubjectKind.RUN, "above")),
        LedgerFilter(subject=Subject(SubjectKind.TENANT), outcome=Outcome.FAILED),
        LedgerFilter(model="nonesuch"),
    ],
)
async def test_filters_narrow_reports_lists_and_exports_alike(ledger: Ledger, where: LedgerFilter) -> None:
    whose, wanted = (
        where.subject,
        [
            entry
            for entry in ledger.entries
            if (where.subject is None or where.subject.kind is SubjectKind.TENANT or where.subject in entry.subjects)
            and where.model in {None, entry.model}
            and where.outcome in {None, entry.outcome}
        ],
    )
    made = await ledger.report(GroupBy.MODEL, where=where)
    assert shown(made.rows, [GroupBy.MODEL]) == by_hand(wanted, [GroupBy.MODEL], "UTC", None), whose
    assert [one async for one in ledger.reports.export_calls(ledger.ctx, where=where)] == wanted
    page = await ledger.reports.list_calls(ledger.ctx, where=where, limit=200)
    assert list(page.items) == list(reversed(wanted))


async def test_the_ledger_is_paged_without_gap_or_repetition_newest_first(ledger: Ledger) -> None:
    found: list[LedgerEntry] = []
    cursor: str | None = None
    while True:
        page = await ledger.reports.list_calls(ledger.ctx, limit=7, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == list(reversed(ledger.entries))
    assert len(found) == CALLS + 3
    assert [entry.revision for entry in found].count(1) == 1
    with pytest.raises(InvalidInput, match="cursor"):
        await ledger.reports.list_calls(ledger.ctx, cursor="nonsense")


async def test_a_correction_leaves_the_net_cost_and_counts_no_call(ledger: Ledger) -> None:
    corrected = [entry for entry in ledger.entries if entry.request_id == f"q{CALLS}"]
    assert sum(entry.cost for entry in corrected) == 5 + 3
    made = await ledger.report()
    assert made.total.cost == sum(entry.cost for entry in ledger.entries)
    assert made.total.calls == CALLS + 2
    assert made.total.cached_calls == 1


async def test_the_time_of_entries_narrows_the_list(ledger: Ledger) -> None:
    since, until = ledger.start + 3 * STEP, ledger.start + 6 * STEP
    page = await ledger.reports.list_calls(ledger.ctx, where=LedgerFilter(since=since, until=until))
    assert [entry.request_id for entry in page.items] == ["q5", "q4", "q3"]


async def test_reports_that_cannot_be_are_refused(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownTimeZone):
        await ledger.report(GroupBy.DAY, time_zone="Mars/Olympus")
    with pytest.raises(InvalidInput, match="is not after"):
        await ledger.report(until=ledger.start)
    with pytest.raises(InvalidInput, match="go together"):
        await ledger.report(GroupBy.TAG)
    with pytest.raises(InvalidInput, match="each once"):
        await ledger.report(GroupBy.DAY, GroupBy.DAY)
    monkeypatch.setattr(reports, "MOST_ROWS", 2)
    with pytest.raises(ReportTooLarge):
        await ledger.report(GroupBy.USER)
    assert len((await ledger.report(GroupBy.MODEL)).rows) == 2


async def test_times_at_the_ends_of_the_calendar_are_no_failure(ledger: Ledger) -> None:
    ends = {"since": datetime.min.replace(tzinfo=UTC), "until": datetime.max.replace(tzinfo=UTC)}
    made = await ledger.report(GroupBy.DAY, time_zone="Asia/Kolkata", **ends)
    assert made.total.calls == CALLS + 2
    page = await ledger.reports.list_calls(ledger.ctx, where=LedgerFilter(**ends))
    assert len(page.items) == CALLS + 3
    assert (await ledger.report(since=ends["until"] - timedelta(days=1), until=ends["until"])).rows == []


async def test_another_tenant_sees_nothing_and_who_may_not_read_is_refused(ledger: Ledger) -> None:
    stranger = ledger.process.ctx(new_tenant())
    assert [one async for one in ledger.reports.export_calls(stranger)] == []
    query = ReportQuery(since=ledger.start, until=ledger.start + timedelta(days=4))
    assert (await ledger.reports.report(stranger, query=query)).rows == []
    poor = msgspec.structs.replace(stranger, scopes=frozenset({"cost:configure"}))
    with pytest.raises(PermissionDenied):
        await ledger.reports.report(poor, query=query)
    with pytest.raises(PermissionDenied):
        await ledger.reports.list_calls(poor, where=LedgerFilter(model="m"))
    with pytest.raises(PermissionDenied):
        await anext(ledger.reports.export_calls(poor))


async def test_an_export_is_in_the_trail(ledger: Ledger) -> None:
    found = await as_owner(
        ledger.owner,
        "SELECT count(*) FROM costs.audit_outbox WHERE tenant_id = $1 AND body::jsonb->>'action' = 'ledger.exported'",
        ledger.tenant,
    )
    assert found[0][0] > 0


moments = st.integers(0, 400_000).map(lambda count: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=17 * count))


@given(moments, moments, st.sampled_from(list(Source)))
def test_spans_cover_the_time_once_and_only_whole_hours_and_days_of_sums(
    first: datetime, second: datetime, coarsest: Source
) -> None:
    since, until = sorted((first, second))
    spans = spans_of(since, until, coarsest)
    assert len(spans) <= 5
    edges = [since, *(span.until for span in spans)]
    assert [span.since for span in spans] == edges[:-1]
    assert edges[-1] == until
    for span in spans:
        assert span.since < span.until
        if span.source is not Source.LEDGER:
            assert all((edge.minute, edge.second) == (0, 0) for edge in (span.since, span.until))
        if span.source is Source.DAYS:
            assert span.since.hour == span.until.hour == 0


@given(st.lists(st.lists(st.text() | st.integers(), min_size=1), min_size=1))
def test_csv_is_read_back_as_it_was_but_for_the_guard_of_formulas(lines: list[list[str | int]]) -> None:
    written = csv_bytes(lines)
    assert written.endswith(b"\r\n")
    for line, read in zip(lines, csv.reader(io.StringIO(written.decode(), newline="")), strict=True):
        for cell, text in zip(line, read, strict=True):
            if isinstance(cell, int):
                assert int(text) == cell
            else:
                assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert text.removeprefix("'") == cell.removeprefix("'")


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0.000000000"), (1, "0.000000001"), (-37_500_000_001, "-37.500000001"), (10**18, "1000000000.000000000")],
)
def test_money_is_written_in_usd_with_nine_decimals(nanos: int, text: str) -> None:
    assert usd(nanos) == text
