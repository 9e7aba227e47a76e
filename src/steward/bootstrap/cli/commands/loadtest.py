"""`steward loadtest`: many customers who write to the desk at the same time."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from steward.bootstrap.cli.commands.arguments import Yes
from steward.bootstrap.cli.documents import Unreadable, read_text
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.load.customers import MESSAGES, Crowd, Target
from steward.bootstrap.cli.load.figures import LoadResult, NoStep, Step, StepResult, parse_steps
from steward.bootstrap.cli.output import Output
from steward.kit.ids import Ids

app = typer.Typer()

_STEPS = "10x5,50x10,100x10"
_MOST = 10_000
_MOST_MESSAGES = 10_000
_LONGEST_MESSAGE = 8000
_COLUMNS = (
    *("step", "answered", "errors", "throughput"),
    *("min", "mean", "median", "p95", "p99", "max", "cached"),
)


@app.command("loadtest")
@command
async def loadtest(
    invocation: Invocation,
    steps: Annotated[str, typer.Option(help="Customers at a time x messages of each, one step after the other.")] = (
        _STEPS
    ),
    message: Annotated[
        list[str] | None,
        typer.Option(help="What customers write; repeat for several. Else built in, in three scripts."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Messages from a file, one a line.")] = None,
    patience: Annotated[
        float, typer.Option("--timeout", min=0.1, max=600, help="Seconds that an answer may take.")
    ] = 30.0,
    *,
    yes: Yes = False,
) -> None:
    """Measure the desk under load; exit code 1 when messages failed.

    Each customer has a session of their own, which stays. Other machines than this one are only tested with --yes.
    """
    out = invocation.out
    plan = _plan(out, steps)
    messages = _messages(out, message, file)
    if not yes and not _is_here(invocation.url):
        raise typer.BadParameter(out.texts("loadtest.elsewhere", url=invocation.url))
    await invocation.client.health()
    target = Target(invocation.url, invocation.auth, patience)
    crowd = Crowd(target, messages, invocation.clock, Ids(invocation.clock))
    results: list[StepResult] = []
    for step in plan:
        with out.progress("loadtest.running", step.customers * step.messages, step=step) as advance:
            results.append(await crowd.run(step, advance))
    _show(out, LoadResult(url=invocation.url, steps=results))
    raise typer.Exit(Exit.FAILED if any(one.failed for one in results) else Exit.OK)


def _plan(out: Output, steps: str) -> Sequence[Step]:
    try:
        return parse_steps(steps, _MOST)
    except NoStep as error:
        raise typer.BadParameter(out.texts("loadtest.steps", part=error, most=_MOST)) from error


def _messages(out: Output, given: Sequence[str] | None, file: Path | None) -> Sequence[str]:
    """What to send: of the line, of the file, or what is built in."""
    lines: Sequence[str] = given or ()
    if file is not None:
        try:
            lines = [*lines, *read_text(file).splitlines()]
        except Unreadable as error:
            raise typer.BadParameter(out.texts("import.unreadable", file=file, problem=error)) from error
    found = [line.strip() for line in lines if line.strip()]
    if (given is not None or file is not None) and not found:
        raise typer.BadParameter(out.texts("chat.nothing_said"))
    if len(found) > _MOST_MESSAGES or any(len(one) > _LONGEST_MESSAGE for one in found):
        raise typer.BadParameter(out.texts("loadtest.messages", most=_MOST_MESSAGES, longest=_LONGEST_MESSAGE))
    return found or MESSAGES


def _is_here(url: str) -> bool:
    """Whether a platform is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _show(out: Output, result: LoadResult) -> None:
    out.table(result, _COLUMNS, [_row(one) for one in result.steps])
    errors = [(_name(one), error, times) for one in result.steps for error, times in one.errors.items()]
    if out.json:
        return
    if errors:
        out.table(None, ("step", "error", "count"), errors)
    out.note("loadtest.units")


def _row(one: StepResult) -> Sequence[str | int]:
    times = one.times_ms
    shown = [] if times is None else [times.min, times.mean, times.median, times.p95, times.p99, times.max]
    cached = f"{one.from_cache / one.answered:.0%}" if one.answered else "-"
    return (
        *(_name(one), one.answered, one.failed, f"{one.throughput:.1f}"),
        *([f"{value:.1f}" for value in shown] or ["-"] * 6),
        cached,
    )


def _name(one: StepResult) -> str:
    return str(Step(one.customers, one.messages))
