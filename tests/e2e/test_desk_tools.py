"""The command line and the Python client at a real desk: an import, a talk, a load test, a stream that goes on."""

import asyncio
import json
from pathlib import Path

from steward.client import ApiKeyAuth, StewardClient
from steward.services.support.api import ChatEvent, ChatEventType, Sender
from tests.cli.conftest import Cli
from tests.e2e.running import Steward

QUESTION = "Do you sell square umbrellas?"
FAQS = f"question,answer\n{QUESTION},Only round ones.\nno answer,\n"


def test_desk_is_fed_asked_and_put_under_load(steward: Steward, tmp_path: Path) -> None:
    """One test for all of it, for each start of a platform costs seconds."""
    steward.start()
    cli = Cli(tmp_path)
    cli.env |= {"STEWARD_URL": steward.url, "STEWARD_API_KEY": steward.credentials["api_key"]}
    _import(cli, tmp_path)
    _chat(cli)
    _load(cli)
    asyncio.run(_stream(steward))


def _import(cli: Cli, directory: Path) -> None:
    file = directory / "faqs.csv"
    file.write_text(FAQS, encoding="utf-8")
    first = cli("import", "faqs", str(file))
    assert (first.exit_code, "1 created" in first.stdout, "3 " in first.stdout) == (1, True, True), first.output
    again = json.loads(cli("import", "faqs", str(file), "--json").stdout)
    assert (again["unchanged"], [one["line"] for one in again["problems"]]) == (1, [3])
    (directory / "guides").mkdir()
    (directory / "guides" / "umbrellas.md").write_text("# Umbrellas\n\nShake them before you fold them.")
    assert "1 created" in cli("import", "documents", str(directory / "guides")).stdout


def _chat(cli: Cli) -> None:
    told = cli("chat", QUESTION, "--as", "ann")
    assert told.stdout == "Only round ones.\n"
    assert QUESTION in told.stderr
    answer = json.loads(cli("chat", QUESTION, "--as", "ann", "--json").stdout)
    assert (answer["agent_type"], answer["from_cache"]) == ("faq", True)
    other = cli("chat", QUESTION, "--as", "bob", "--session", answer["session_id"])
    assert (other.exit_code, "there is no session" in other.stderr) == (1, True)


def _load(cli: Cli) -> None:
    result = cli("loadtest", "--steps", "2x2,5x3", "--json")
    assert result.exit_code == 0, result.output
    steps = json.loads(result.stdout)["steps"]
    assert [(one["answered"], one["failed"]) for one in steps] == [(4, 0), (15, 0)]
    assert all(one["times_ms"]["min"] <= one["times_ms"]["p99"] <= one["times_ms"]["max"] for one in steps)


async def _stream(steward: Steward) -> None:
    async with StewardClient(steward.url, ApiKeyAuth(steward.credentials["api_key"])) as client:
        first = [event async for event in client.desk.chat_stream(QUESTION, user_id="cleo")]
        rest = [event async for event in client.desk.chat_stream(QUESTION, user_id="cleo", after=first[1].id)]
        assert [event.id for event in rest] == [event.id for event in first[2:]]
        assert _said(first) == "Only round ones."
        page = await client.desk.history(first[0].session_id, user_id="cleo")
        assert [(one.sender, one.text) for one in page.items] == [
            (Sender.USER, QUESTION),
            (Sender.AGENT, "Only round ones."),
        ]
        found = await client.knowledge.search("folding umbrellas")
        assert found.hits[0].document_id == "umbrellas.md"


def _said(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if event.type is ChatEventType.DELTA)
