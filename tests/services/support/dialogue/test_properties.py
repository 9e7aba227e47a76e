"""What holds of every conversation, whatever is said and whatever the shop does."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kit.text import is_chinese
from steward.services.support.dialogue import answers
from steward.services.support.dialogue.matching import plain
from steward.services.support.dialogue.turn import MAX_FRAMES
from steward.services.support.ports import Language, ToolOutcome, ToolResult
from steward.services.support.shop.catalog import SPECS
from tests.support.dialogue import Talk, hit

_SAYINGS = [
    ("where is my order ORD-2026-000123", "我的訂單 ORD-2026-000123 在哪", "order"),
    ("cancel ORD-2026-000123", "取消订单 ORD-2026-000123", "order"),
    ("change the address of ORD-2026-000123 to 12 Oak Street", "把 ORD-2026-000123 地址改成信義路100號", "order"),
    ("refund ORD-2026-000123, it is broken", "ORD-2026-000123 坏了要退款", "refund"),
    ("how far is my refund", "退款进度", "refund"),
    ("the app crashes", "App 閃退", "technical"),
    ("something is odd", "怪怪的", "technical"),
    ("how long do you take?", "多久會到？", "faq"),
    ("hello", "你好", "faq"),
    ("yes", "好", "faq?"),
    ("yes please", "是的", "faq?"),
    ("no", "不要", "faq?"),
    ("never mind", "算了", "faq?"),
    ("2", "2", "faq?"),
    ("try again", "再试一次", "faq?"),
    ("12 Oak Street, Springfield", "上海市世纪大道100号", "faq?"),
    ("blah {order.total} {", "咕噜 {order}", "faq?"),
]  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["status", "orders", "order_id"]), inner)
    ),
    max_leaves=4,
)
_RESULTS = st.one_of(
    st.none(),
    st.builds(
        ToolResult,
        outcome=st.sampled_from([each for each in ToolOutcome if each is not ToolOutcome.OK]),
        reason=st.sampled_from(["", "already_shipped", "window_over", "?"]),
    ),
    st.builds(
        lambda data: ToolResult(outcome=ToolOutcome.OK, data=data),
        st.dictionaries(st.sampled_from(["orders", "status", "kind", "total", "eligible", "reason"]), _JSON),
    ),
)
_TURNS = st.fixed_dictionaries(
    {
        "saying": st.sampled_from(_SAYINGS),
        "second": st.none() | st.sampled_from(["order", "refund", "technical", "faq", "human"]),
        "flags": st.sampled_from([{}, {}, {}, {}, {"person": True}, {"complaint": True}, {"angry": True}]),
        "shop": st.fixed_dictionaries(dict.fromkeys(SPECS, _RESULTS)),
        "known": st.booleans(),
    }
)


@given(st.sampled_from(Language), st.booleans(), st.lists(_TURNS, min_size=1, max_size=7))
@settings(max_examples=25, deadline=None)
def test_no_conversation_goes_wrong(language: Language, logged_in: bool, turns: list[dict[str, Any]]) -> None:
    asyncio.run(_holds(language, logged_in, turns))


async def _holds(language: Language, logged_in: bool, turns: list[dict[str, Any]]) -> None:
    talk = Talk(language, customer="c-1" if logged_in else None)
    for turn in turns:
        english, chinese, intent = turn["saying"]
        text = english if language is Language.EN else chinese
        talk.actions.shop = {tool: result for tool, result in turn["shop"].items() if result is not None}
        known = "Two days." if language is Language.EN else "兩天。"
        talk.actions.hits = [hit(known, locale=language.value)] if turn["known"] else []
        intents = [intent, turn["second"]] if turn["second"] and not intent.endswith("?") else [intent]
        offered = talk.state.offered
        before = talk.recent[-1] if talk.recent else ""
        reply = await talk.say(text, *intents, **turn["flags"])
        assert reply.text.strip()
        assert "{" not in reply.text or "{" in text
        assert is_chinese(reply.text) == (language is not Language.EN)
        assert len(talk.state.frames) <= MAX_FRAMES
        assert len({frame.playbook for frame in talk.state.frames}) <= MAX_FRAMES
        changed = [tool for tool, _ in talk.actions.calls if SPECS[tool].changes]
        if changed:
            assert not offered
            assert len(changed) == 1
            message = plain(text)
            assert answers.yes_or_no(message) or answers.again(message), text
            asked = ("Shall I", "cannot reach", "要", "無法連線", "无法连接")
            assert any(mark in before for mark in asked), before
        if not logged_in:
            assert not talk.actions.calls


@given(st.lists(_TURNS, min_size=1, max_size=5))
@settings(max_examples=8, deadline=None)
def test_the_same_state_and_outcomes_make_the_same_calls(turns: list[dict[str, Any]]) -> None:
    async def run() -> list[Any]:
        talk, told = Talk(Language.EN), []
        for turn in turns:
            talk.actions.shop = {tool: result for tool, result in turn["shop"].items() if result is not None}
            reply = await talk.say(turn["saying"][0], turn["saying"][2], **turn["flags"])
            told.append((reply, talk.state, list(talk.actions.log), list(talk.actions.calls)))
        return told

    assert asyncio.run(run()) == asyncio.run(run())
