"""One call of a command: finds the platform and the credential, runs the work, turns failures into exit codes."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import typer

from steward.bootstrap.cli.credential import LoginOrLocalKey, kept_login
from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.messages import Texts
from steward.bootstrap.cli.options import Options, language
from steward.bootstrap.cli.output import Output
from steward.bootstrap.cli.store import Logins
from steward.bootstrap.home import Home, HomeError
from steward.bootstrap.platform_settings import ClientSettings, PlatformSettings
from steward.client import (
    ApiError,
    ApiKeyAuth,
    Auth,
    ClientError,
    NotLoggedIn,
    StewardClient,
    Unreachable,
    walk,
)
from steward.kit.clock import Clock, SystemClock
from steward.kit.paging import Page
from steward.kit.settings import SettingsError, load

P = ParamSpec("P")
T = TypeVar("T")

_MOST_AT_ONCE = 200
_HINTS: Mapping[int, str] = {401: "error.unauthenticated", 403: "error.whoami"}
_SAY_IT_ALL = frozenset({"wrong_credentials", "tenant_needed", "account_locked", "user_login_needed"})
"""Codes of failures of log-in whose messages say themselves what to do."""


class Target(NamedTuple):
    """The platform to talk to, and how to authenticate there."""

    url: str
    auth: Auth


class Invocation(NamedTuple):
    """What a command works with."""

    out: Output
    client: StewardClient
    url: str
    auth: Auth
    logins: Logins
    clock: Clock

    async def page(
        self,
        listing: Callable[..., Awaitable[Page[T]]],
        *,
        limit: int,
        cursor: str | None,
        every: bool,
        **where: object,
    ) -> Page[T]:
        """One page of a list, or with `every` all of them as one, with progress."""
        if not every:
            return await listing(**where, limit=limit, cursor=cursor)
        items = [item async for item in self.out.counted("list.reading", walk(listing, **where, limit=_MOST_AT_ONCE))]
        return Page(items)

    def more(self, page: Page[T]) -> None:
        """Say how to get the rest of a list, if there is one."""
        if page.next_cursor and not self.out.json:
            self.out.note("list.more", cursor=page.next_cursor)


def command(
    work: Callable[Concatenate[Invocation, P], Awaitable[None]],
) -> Callable[Concatenate[typer.Context, P], None]:
    """Make a command of an async function: its first parameter is the invocation, the others are the command's."""

    @wraps(work)
    def run(ctx: typer.Context, *args: P.args, **kwargs: P.kwargs) -> None:
        options: Options = ctx.obj
        raise typer.Exit(perform(options, os.environ, lambda invocation: work(invocation, *args, **kwargs)))

    first, *others = inspect.signature(work).parameters.values()
    context = first.replace(name="ctx", annotation=typer.Context)
    vars(run)["__signature__"] = inspect.Signature([context, *others])
    run.__annotations__ = {"ctx": typer.Context, **{other.name: other.annotation for other in others}}
    return run


def perform(options: Options, env: Mapping[str, str], work: Callable[[Invocation], Awaitable[None]]) -> int:
    """Do the work and return the exit code; whatever goes wrong is said in one line or two."""
    texts = Texts(language(options.lang, env))
    out = Output(texts, json=options.json)
    try:
        asyncio.run(_connected(options, env, out, work))
    except (ClientError, SettingsError, HomeError) as error:
        return say(out, error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK


def say(out: Output, error: Exception) -> Exit:
    """Say what went wrong and what to do, and choose the exit code."""
    match error:
        case NotLoggedIn():
            out.error("error.not_logged_in")
            return Exit.NOT_ALLOWED
        case Unreachable():
            out.error("error.unreachable", url=error.url, reason=error.reason)
            return Exit.UNREACHABLE
        case ApiError():
            out.error("error.api", message=error.message)
            if "retry_after" in error.data:
                out.note("error.retry_after", seconds=error.data["retry_after"])
            elif hint := _HINTS.get(error.status, "") if error.code not in _SAY_IT_ALL else "":
                out.note(hint)
            if error.request_id:
                out.note("error.request_id", request_id=error.request_id)
            return Exit.NOT_ALLOWED if error.status in _HINTS else Exit.FAILED
        case SettingsError():
            for problem in error.problems:
                out.error("error.api", message=problem.message)
            return Exit.USAGE
        case _:
            out.error("error.api", message=str(error))
            return Exit.FAILED


async def _connected(
    options: Options, env: Mapping[str, str], out: Output, work: Callable[[Invocation], Awaitable[None]]
) -> None:
    clock = SystemClock()
    logins = Logins(env)
    url, auth = _find_target(options, env, out, logins, clock)
    async with StewardClient(url, auth, locale=out.texts.lang) as client:
        await work(Invocation(out, client, url, auth, logins, clock))


def _find_target(options: Options, env: Mapping[str, str], out: Output, logins: Logins, clock: Clock) -> Target:
    settings = load(ClientSettings, env, "STEWARD_")
    platform = load(PlatformSettings, env, "STEWARD_")
    local = Home(platform.home).read_credentials()
    default = local.url if local else f"http://127.0.0.1:{platform.port}"
    url = (options.url or settings.url or logins.current or default).rstrip("/")
    if key := options.api_key or settings.api_key:
        return Target(url, ApiKeyAuth(key))
    login = kept_login(logins, url, clock, out.texts.lang)
    if local is None or local.url.rstrip("/") != url:
        return Target(url, login)

    def say_so() -> None:
        out.note("auth.local", home=platform.home, email=local.email)

    return Target(url, LoginOrLocalKey(login, ApiKeyAuth(local.api_key), say_so))
