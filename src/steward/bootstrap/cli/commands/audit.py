"""`steward audit`: read, export and verify the audit trail."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from steward.bootstrap.cli.commands.arguments import CursorOption, Every, Limit, aware
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.output import Shown
from steward.kit.audit import Outcome
from steward.services.audit.api import EntryFilter

app = typer.Typer(no_args_is_help=True)

_COLUMNS = ("seq", "at", "actor", "action", "resource", "outcome", "reason")

ActorOption = Annotated[str | None, typer.Option(help="Only what this actor did: an id.")]
ActionOption = Annotated[str | None, typer.Option(help="Only this action, or all that begin so: `user.`.")]
ResourceOption = Annotated[str | None, typer.Option(help="Only what was done to this, `kind/id`.")]
OutcomeOption = Annotated[Outcome | None, typer.Option(help="Only what ended so.")]
SinceOption = Annotated[datetime | None, typer.Option(help="Only from then on, in local time.")]
UntilOption = Annotated[datetime | None, typer.Option(help="Only before then, in local time.")]


@app.command("list")
@command
async def list_entries(
    invocation: Invocation,
    actor: ActorOption = None,
    action: ActionOption = None,
    resource: ResourceOption = None,
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Limit = 50,
    cursor: CursorOption = None,
    *,
    every: Every = False,
) -> None:
    """List entries, newest first."""
    where = _filter(actor, action, resource, outcome, since, until)
    listing = invocation.client.audit.entries
    page = await invocation.page(listing, where=where, limit=limit, cursor=cursor, every=every)
    word = invocation.out.texts.word
    rows = [
        (one.seq, one.at, f"{one.actor.type}/{one.actor.id}", one.action, one.resource, word(one.outcome), one.reason)
        for one in page.items
    ]
    invocation.out.table(page, _COLUMNS, rows)
    invocation.more(page)


@app.command("show")
@command
async def show_entry(
    invocation: Invocation, seq: Annotated[int, typer.Argument(min=1, help="Position in the chain.")]
) -> None:
    """Show one entry with what was there before and after."""
    entry = await invocation.client.audit.entry(seq)
    fields: Mapping[str, Shown] = {
        "seq": entry.seq,
        "at": entry.at,
        "service": entry.service,
        "actor": f"{entry.actor.type}/{entry.actor.id}",
        "action": entry.action,
        "resource": entry.resource,
        "outcome": invocation.out.texts.word(entry.outcome),
        "reason": entry.reason,
        "request_id": entry.request_id,
        "address": entry.address,
        "before": _plain(entry.before),
        "after": _plain(entry.after),
        "hash": entry.hash,
    }
    invocation.out.record(entry, fields)


@app.command("export")
@command
async def export_entries(
    invocation: Invocation,
    file: Annotated[Path, typer.Argument(help="Where to write, one entry a line; `-` is stdout.", allow_dash=True)],
    actor: ActorOption = None,
    action: ActionOption = None,
    resource: ResourceOption = None,
    outcome: OutcomeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Export entries, oldest first, as JSON lines; the file appears when it is complete."""
    where = _filter(actor, action, resource, outcome, since, until)
    total = await _count(invocation) if where == EntryFilter() else None
    lines = invocation.out.counted("audit.exporting", invocation.client.audit.export(where=where), total)
    if str(file) == "-":
        await _copy(lines, sys.stdout.buffer)
        return
    count = await _write(lines, file)
    invocation.out.done("audit.exported", count=count, file=file)


@app.command("verify")
@command
async def verify_chain(invocation: Invocation) -> None:
    """Have the platform recompute the tenant's whole chain; exit code 1 when it is broken."""
    found = await invocation.client.audit.verify()
    out = invocation.out
    if found.findings or out.json:
        out.table(found, ("seq", "problem"), [(one.seq, one.problem) for one in found.findings])
    if not found.ok:
        out.error("audit.broken", entries=found.entries)
        raise typer.Exit(Exit.FAILED)
    out.done("audit.intact", entries=found.entries, checkpoints=found.checkpoints)


def _filter(
    actor: str | None,
    action: str | None,
    resource: str | None,
    outcome: Outcome | None,
    *span: datetime | None,
) -> EntryFilter:
    since, until = (aware(moment) for moment in span)
    return EntryFilter(actor=actor, action=action, resource=resource, outcome=outcome, since=since, until=until)


async def _count(invocation: Invocation) -> int:
    """How many entries there are: the newest one's position, for positions have no gaps."""
    page = await invocation.client.audit.entries(limit=1)
    return page.items[0].seq if page.items else 0


async def _write(lines: AsyncIterator[bytes], file: Path) -> int:
    """Write beside the file and rename: one that is there is complete, and nobody else may read it."""
    part = file.with_name(f".{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            count = await _copy(lines, out)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return count


async def _copy(lines: AsyncIterator[bytes], out: BinaryIO) -> int:
    count = 0
    async for line in lines:
        out.write(line)
        count += 1
    return count


def _plain(raw: msgspec.Raw | None) -> str | None:
    return None if raw is None else bytes(raw).decode()
