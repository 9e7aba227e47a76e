"""Whole conversations, each in three languages; the scripts are data in `conversations/`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from steward.kit.text import to_script
from steward.services.support.api import AgentType
from steward.services.support.dialogue.yaml_source import read
from steward.services.support.ports import Language, Reply, ToolOutcome, ToolResult
from tests.support.dialogue import Talk, eligibility, hit, order, refund

_SCRIPTS = [
    pytest.param(script, language, id=f"{path.stem}: {script['name']} [{language.value}]")
    for path in sorted((Path(__file__).parent / "conversations").glob("*.yaml"))
    for script in read(path.read_text(encoding="utf-8")).value
    for language in Language
]
_BASE = {
    "shop.get_order": order,
    "shop.refund_eligibility": eligibility,
    "shop.get_refund": refund,
    "shop.list_orders": dict,
}


@pytest.mark.parametrize(("script", "language"), _SCRIPTS)
async def test_conversation(script: Mapping[str, Any], language: Language) -> None:
    talk = Talk(language, customer=None if script.get("anonymous") else "c-1")
    for number, turn in enumerate(script["turns"], 1):
        talk.actions.shop = {tool: _result(tool, said) for tool, said in turn.get("shop", {}).items()}
        known = turn.get("knowledge")
        talk.actions.hits = [hit(known[language.value], locale=language.value)] if known else []
        tickets = len(talk.actions.handed_off)
        text = turn["user"][language.value]
        flags = {key: turn.get(key, False) for key in ("person", "complaint", "angry")}
        reply = await talk.say(text, *turn.get("intents", ()), **flags)
        where = f"turn {number}, {text!r}: {reply.text!r}"
        _check_reply(turn, reply, language, where)
        _check_state(turn, talk, where)
        _check_calls(turn, talk, where)
        if "ticket" in turn:
            assert (len(talk.actions.handed_off) > tickets) == turn["ticket"], where
        if "summary" in turn:
            wanted = turn["summary"]
            wanted = wanted if isinstance(wanted, str) else wanted[language.value]
            assert re.search(wanted, talk.actions.handed_off[-1].summary, re.DOTALL), talk.actions.handed_off


def _check_reply(turn: Mapping[str, Any], reply: Reply, language: Language, where: str) -> None:
    if "reply" in turn:
        assert re.search(turn["reply"][language.value], reply.text, re.DOTALL), where
    assert reply.agent_type == AgentType(turn.get("agent", reply.agent_type)), where
    assert reply.degraded == turn.get("degraded", reply.degraded), where
    assert reply.cacheable == turn.get("cacheable", reply.cacheable), where
    if language is not Language.EN:
        assert to_script(reply.text, language.value) == reply.text, where


def _check_state(turn: Mapping[str, Any], talk: Talk, where: str) -> None:
    frames = [frame.playbook for frame in talk.state.frames]
    assert frames == turn.get("frames", frames), where
    assert "top" not in turn or frames[-1] == turn["top"], where
    assert talk.state.offered == turn.get("offered", talk.state.offered), where


def _check_calls(turn: Mapping[str, Any], talk: Talk, where: str) -> None:
    called = [tool for tool, _ in talk.actions.calls]
    assert called == turn.get("calls", called), where
    if "arguments" in turn:
        assert talk.actions.calls[0][1].items() >= turn["arguments"].items(), where


def _result(tool: str, said: Any) -> ToolResult:
    """`unavailable`, `refused <reason>`, or fields that differ from what the fake shop answers."""
    if isinstance(said, str):
        outcome, _, reason = said.partition(" ")
        return ToolResult(outcome=ToolOutcome(outcome), reason=reason)
    return ToolResult(outcome=ToolOutcome.OK, data={**_BASE[tool](), **said})
