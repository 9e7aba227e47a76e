"""`steward login`, `logout`, `whoami`, `register` and `password`: the caller's own account."""

import sys
from contextlib import suppress
from typing import Annotated

import typer

from steward.bootstrap.cli.commands.arguments import PasswordStdin
from steward.bootstrap.cli.credential import kept_login
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.output import Output
from steward.bootstrap.cli.store import Login
from steward.client import NoAuth, NotLoggedIn, SavedTokens, StewardClient

app = typer.Typer()


@app.command("login")
@command
async def login(
    invocation: Invocation,
    email: Annotated[str, typer.Option(help="Your e-mail address; asked for when absent.")] = "",
    tenant: Annotated[str | None, typer.Option(help="Tenant, where your address is in several.")] = None,
    *,
    password_stdin: PasswordStdin = False,
) -> None:
    """Log in and stay logged in: the tokens are kept in ~/.config/steward, readable by you only."""
    out = invocation.out
    address = email or typer.prompt(out.texts("prompt.email"), err=True)
    password = read_password(out, "prompt.password", from_stdin=password_stdin)
    async with _open_client(invocation) as client:
        tokens = await client.auth.login(email=address, password=password, tenant=tenant)
    saved = SavedTokens.of(tokens, invocation.clock.now())
    async with invocation.logins.locked():
        invocation.logins.put(invocation.url, Login(email=address, tokens=saved))
    out.done("login.done", email=address, url=invocation.url)


@app.command("logout")
@command
async def logout(invocation: Invocation) -> None:
    """End the log-in, here and on the platform."""
    if invocation.logins.get(invocation.url) is None:
        invocation.out.note("logout.none", url=invocation.url)
        return
    # By the log-in and nothing else: an API key that is given or lies here has no session that could be ended.
    login = kept_login(invocation.logins, invocation.url, invocation.clock, invocation.out.texts.lang)
    try:
        # One that turns out to have ended by itself is what was wanted.
        with suppress(NotLoggedIn):
            async with StewardClient(invocation.url, login, locale=invocation.out.texts.lang) as client:
                await client.auth.logout()
    finally:
        async with invocation.logins.locked():
            invocation.logins.remove(invocation.url)
    invocation.out.done("logout.done", url=invocation.url)


@app.command("whoami")
@command
async def whoami(invocation: Invocation) -> None:
    """Show who you are and what you may do."""
    principal = await invocation.client.auth.me()
    fields = {
        "platform": invocation.url,
        "tenant": str(principal.tenant),
        "actor": f"{principal.actor.type}/{principal.actor.id}",
        "roles": principal.roles,
        "permissions": principal.scopes,
    }
    invocation.out.record(principal, fields)


@app.command("register")
@command
async def register(
    invocation: Invocation,
    token: Annotated[str, typer.Option(help="The invitation's token; asked for when absent.")] = "",
    name: Annotated[str, typer.Option(help="Your name; asked for when absent.")] = "",
    *,
    password_stdin: PasswordStdin = False,
) -> None:
    """Accept an invitation: set your name and password. Log in afterwards."""
    out = invocation.out
    invitation = token or typer.prompt(out.texts("prompt.token"), hide_input=True, err=True)
    shown = name or typer.prompt(out.texts("prompt.name"), err=True)
    password = read_password(out, "prompt.new_password", from_stdin=password_stdin, new=True)
    async with _open_client(invocation) as client:
        user = await client.auth.register(token=invitation, name=shown, password=password)
    if out.json:
        out.record(user, {})
    else:
        out.done("register.done", email=user.email)


@app.command("password")
@command
async def password(invocation: Invocation) -> None:
    """Change your password; every other session of yours ends."""
    out = invocation.out
    current = read_password(out, "prompt.password", from_stdin=False)
    new = read_password(out, "prompt.new_password", from_stdin=False, new=True)
    await invocation.client.auth.change_password(current=current, new=new)
    out.done("password.done")


def read_password(out: Output, prompt: str, *, from_stdin: bool, new: bool = False) -> str:
    """A password from stdin or typed unseen, a new one twice; never from the command line, which others can see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    confirmation = out.texts("prompt.again") if new else False
    return typer.prompt(out.texts(prompt), hide_input=True, confirmation_prompt=confirmation, err=True)


def _open_client(invocation: Invocation) -> StewardClient:
    """A client without credentials: what is open to all must work whatever log-in is kept here."""
    return StewardClient(invocation.url, NoAuth(), locale=invocation.out.texts.lang)
