"""Which table answers for which part of a time: days and hours where they are whole, the ledger for what is left."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Source(StrEnum):
    """A table of sums, or the ledger itself; the finer one first."""

    LEDGER = "ledger"
    HOURS = "rollup_hour"
    DAYS = "rollup_day"


class Span(NamedTuple):
    """From `since` on and before `until`."""

    source: Source
    since: datetime
    until: datetime


def spans_of(since: datetime, until: datetime, coarsest: Source) -> Sequence[Span]:
    """The whole time, cut into spans without gap or overlap; at most five."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    return list(_cut(since, until, [Source.DAYS, Source.HOURS] if coarsest is Source.DAYS else [coarsest]))


def _cut(since: datetime, until: datetime, sources: Sequence[Source]) -> Iterator[Span]:
    if since >= until:
        return
    if not sources or sources[0] is Source.LEDGER:
        yield Span(Source.LEDGER, since, until)
        return
    step = _DAY if sources[0] is Source.DAYS else _HOUR
    first, last = -(-(since - _EPOCH) // step) * step + _EPOCH, (until - _EPOCH) // step * step + _EPOCH
    if first >= last:
        yield from _cut(since, until, sources[1:])
        return
    yield from _cut(since, first, sources[1:])
    yield Span(sources[0], first, last)
    yield from _cut(last, until, sources[1:])


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
