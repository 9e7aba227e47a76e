"""`steward chat`: talk with the desk as a customer does."""

import readline  # noqa: F401 # pyright: ignore[reportUnusedImport] with it `input` lets one edit the line
import signal
import sys
from typing import Annotated
from uuid import UUID

import typer

from steward.bootstrap.cli.exits import Exit
from steward.bootstrap.cli.invocation import Invocation, command
from steward.bootstrap.cli.output import printable
from steward.services.support.api import ChatAnswer, ChatEvent, ChatEventType

app = typer.Typer()


@app.command("chat")
@command
async def chat(
    invocation: Invocation,
    message: Annotated[str | None, typer.Argument(help="One message; without it what is piped, or a talk.")] = None,
    session: Annotated[UUID | None, typer.Option(help="Session to go on with; else a new one begins.")] = None,
    customer: Annotated[
        str | None, typer.Option("--as", help="Customer to be; needs `support:act-as-customer`. Else anonymous.")
    ] = None,
) -> None:
    """Talk with the desk; Ctrl-D ends. With a message, or one that is piped, one answer."""
    talk = _Talk(invocation, session, customer)
    if message is None and _is_talk():
        await talk.go_on()
        return
    said = sys.stdin.read().strip() if message is None else message
    if not said:
        raise typer.BadParameter(invocation.out.texts("chat.nothing_said"))
    answered = await talk.say(said)
    if talk.session is not None and not invocation.out.json:
        invocation.out.note("chat.go_on", session=talk.session)
    raise typer.Exit(Exit.OK if answered else Exit.FAILED)


class _Talk:
    """A conversation, message by message."""

    def __init__(self, invocation: Invocation, session: UUID | None, customer: str | None) -> None:
        self.session = session
        self._out = invocation.out
        self._desk = invocation.client.desk
        self._customer = customer

    async def go_on(self) -> None:
        """Answer what is typed until there is no more."""
        self._out.note("chat.begin")
        while (said := _typed(self._out.texts("chat.you"), quiet=self._out.json)) is not None:
            if said.strip():
                await self.say(said.strip())

    async def say(self, message: str) -> bool:
        """Send a message and show the answer; whether one came."""
        if not self._out.json:
            return await self._follow(message)
        answer = await self._desk.chat(message, session_id=self.session, user_id=self._customer)
        self.session = answer.session_id
        self._out.line(answer)
        return True

    async def _follow(self, message: str) -> bool:
        answered = False
        async for event in self._desk.chat_stream(message, session_id=self.session, user_id=self._customer):
            self.session = event.session_id
            answered = self._show(event)
        return answered

    def _show(self, event: ChatEvent) -> bool:
        """Show a step; whether it is the answer's end."""
        match event.type:
            case ChatEventType.STATUS:
                self._out.note("chat.tool", tool=event.text)
            case ChatEventType.DELTA:
                _write(event.text)
            case ChatEventType.COMPLETED if event.answer is not None:
                _write("\n")
                self._explain(event.answer)
                return True
            case ChatEventType.FAILED:
                self._out.error("error.api", message=event.text)
            case _:
                pass
        return False

    def _explain(self, answer: ChatAnswer) -> None:
        """Who answered and from what."""
        for number, citation in enumerate(answer.citations, start=1):
            self._out.note("chat.citation", number=number, title=citation.title, id=citation.document_id)
        confidence = f"{answer.intent.confidence:.0%}"
        self._out.note(
            "chat.by",
            agent=answer.agent_type,
            intent=answer.intent.type,
            confidence=confidence,
            ms=answer.response_time_ms,
        )
        if answer.ticket_id is not None:
            self._out.note("chat.ticket", ticket=answer.ticket_id)
        if answer.degraded:
            self._out.note("chat.degraded")


def _is_talk() -> bool:
    """Whether somebody sits at the keyboard."""
    return sys.stdin.isatty()


def _write(text: str) -> None:
    sys.stdout.write("\n".join(printable(line) for line in text.split("\n")))
    sys.stdout.flush()


def _typed(prompt: str, *, quiet: bool) -> str | None:
    """A line from the keyboard, or None at its end; nothing else goes on meanwhile.

    Ctrl-C has to end the waiting for a line, which asyncio's own handler does not.
    """
    if quiet:
        typer.echo(prompt, err=True, nl=False)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input("" if quiet else prompt)
    except EOFError:
        typer.echo(err=True)
        return None
    finally:
        signal.signal(signal.SIGINT, before)
