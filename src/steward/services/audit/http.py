"""The HTTP routes of the audit service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter, SkipValidation

from steward.kit.audit import Outcome
from steward.kit.paging import Page
from steward.kit.web import JSON_LINES, Caller, JsonLines, PageCursor, PageLimit, aware, json_lines
from steward.services.audit.api import AuditApi, Checkpoint, Entry, EntryFilter, Verification

AuditPort = NamedDependency[SkipValidation[AuditApi]]

TAGS: Final = ("Audit",)

By = Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="The id of who acted.")]
On = Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="On what, `kind/id`.")]
Did = Annotated[
    str | None,
    QueryParameter(
        min_length=1, max_length=200, description="An action, or the beginning of one that ends with a dot."
    ),
]
Since = Annotated[datetime | None, QueryParameter(description="At this instant or later, RFC 3339 with an offset.")]
Until = Annotated[datetime | None, QueryParameter(description="Before this instant, RFC 3339 with an offset.")]
Seq = Annotated[int, PathParameter(ge=1, le=2**63 - 1, description="Position in the tenant's chain, from 1.")]


async def entry_filter(
    actor: By = None,
    action: Did = None,
    resource: On = None,
    outcome: FromQuery[Outcome | None] = None,
    since: Since = None,
    until: Until = None,
) -> EntryFilter:
    """The filter that the query of a request asks for."""
    return EntryFilter(
        actor=actor,
        action=action,
        resource=resource,
        outcome=outcome,
        since=aware(since, "since"),
        until=aware(until, "until"),
    )


Where = NamedDependency[SkipValidation[EntryFilter]]


@get("/api/v1/audit/entries", tags=TAGS, dependencies={"where": Provide(entry_filter)})
async def list_entries(
    ctx: Caller, audit: AuditPort, where: Where, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[Entry]:
    """List audit entries, newest first

    Needs `audit:read`.
    """
    return await audit.list_entries(ctx, where=where, limit=limit, cursor=cursor)


@get("/api/v1/audit/entries/{seq:str}", tags=TAGS)
async def get_entry(ctx: Caller, audit: AuditPort, seq: Seq) -> Entry:
    """Get an audit entry

    Needs `audit:read`.
    """
    return await audit.get_entry(ctx, seq=seq)


@get(
    "/api/v1/audit/export",
    tags=TAGS,
    dependencies={"where": Provide(entry_filter)},
    media_type=JSON_LINES,
)
async def export_entries(ctx: Caller, audit: AuditPort, where: Where) -> JsonLines:
    """Export audit entries, oldest first, one JSON object a line

    Each line is an entry as `get_entry` returns it. Needs `audit:export`.
    """
    return await json_lines(audit.export_entries(ctx, where=where))


@get("/api/v1/audit/checkpoints", tags=TAGS)
async def list_checkpoints(
    ctx: Caller, audit: AuditPort, limit: PageLimit = 50, cursor: PageCursor = None
) -> Page[Checkpoint]:
    """List signed checkpoints, newest first

    Needs `audit:read`.
    """
    return await audit.list_checkpoints(ctx, limit=limit, cursor=cursor)


@post("/api/v1/audit/verify", tags=TAGS, status_code=200)
async def verify_chain(ctx: Caller, audit: AuditPort) -> Verification:
    """Recompute the whole chain and compare it with every checkpoint

    Needs `audit:verify`.
    """
    return await audit.verify_chain(ctx)


ROUTES: Final[Sequence[HTTPRouteHandler]] = (
    list_entries,
    get_entry,
    export_entries,
    list_checkpoints,
    verify_chain,
)
