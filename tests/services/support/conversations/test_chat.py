"""Chat through the contract: answers, sessions, who sees what."""

import asyncio

import pytest

from steward.kit.errors import NotFound
from steward.services.support.api import AgentType, Sender, SessionState
from steward.services.support.errors import SessionNotFound
from tests.services.support.conversations.desk import READS, WRITES, Desk


async def test_question_is_answered_from_knowledge_with_its_source(desk: Desk) -> None:
    desk.script.faqs["shipping"] = "Within three days."
    answer = await desk.say("search shipping")
    assert answer.message == "Within three days."
    assert answer.agent_type is AgentType.FAQ
    assert [citation.document_id for citation in answer.citations] == ["shipping"]
    assert (answer.intent.type, answer.intent.confidence) == ("faq", 0.95)
    assert not answer.degraded
    assert not answer.from_cache


async def test_history_has_both_sides_oldest_first_and_pages(desk: Desk) -> None:
    first = await desk.say("one")
    await desk.say("two", first.session_id)
    found = await desk.history(first.session_id)
    assert [(message.sender, message.text) for message in found] == [
        (Sender.USER, "one"),
        (Sender.AGENT, "one"),
        (Sender.USER, "two"),
        (Sender.AGENT, "two"),
    ]
    assert found[0].id == first.message_id
    assert found[1].reply_to == first.message_id
    assert found[0].intent is not None
    page = await desk.api.get_history(desk.ctx(), session_id=first.session_id, user_id="ann", limit=3)
    rest = await desk.api.get_history(
        desk.ctx(), session_id=first.session_id, user_id="ann", limit=3, cursor=page.next_cursor
    )
    assert [message.text for message in (*page.items, *rest.items)] == ["one", "one", "two", "two"]
    assert rest.next_cursor is None


async def test_session_remembers_what_the_dialogue_left(desk: Desk) -> None:
    first = await desk.say("remember a")
    await desk.say("remember b", first.session_id)
    assert (await desk.say("recall", first.session_id)).message == "a,b"
    assert desk.script.seen[-1].recent == (
        "user: remember a",
        "agent: remembered",
        "user: remember b",
        "agent: remembered",
    )


async def test_session_of_another_customer_or_tenant_is_not_there(desk: Desk) -> None:
    mine = (await desk.say("hello")).session_id
    other = (await desk.installation.tenant()).id
    stranger = desk.ctx(WRITES, tenant=other)
    for attempt in (
        desk.say("hello", mine, user="bob"),
        desk.say("hello", mine, user=None),
        desk.say("hello", mine, ctx=desk.ctx(WRITES)),
        desk.say("hello", mine, ctx=desk.ctx(tenant=other)),
        desk.api.get_history(desk.ctx(WRITES), session_id=mine),
        desk.api.get_history(desk.ctx(READS, "support:act-as-customer"), session_id=mine, user_id="bob"),
        desk.api.get_history(desk.ctx(READS, tenant=other), session_id=mine),
        desk.api.clear_session(stranger, session_id=mine),
        desk.api.clear_session(desk.ctx(), session_id=mine, user_id="bob"),
    ):
        with pytest.raises(SessionNotFound):
            await attempt
    assert len(await desk.history(mine)) == 2


async def test_visitor_without_a_name_goes_on_by_the_session(desk: Desk) -> None:
    nobody = desk.ctx(WRITES)
    answer = await desk.say("call shop.list_orders", None, None, ctx=nobody)
    assert "for None" in answer.message
    assert (await desk.say("again", answer.session_id, None, ctx=nobody)).session_id == answer.session_id
    named = await desk.say("call shop.list_orders", None, "ann", ctx=nobody)
    assert "for None" in named.message


async def test_cleared_session_is_empty_and_goes_on_fresh(desk: Desk) -> None:
    session = (await desk.say("remember a")).session_id
    await desk.api.clear_session(desk.ctx(), session_id=session, user_id="ann")
    assert await desk.history(session) == []
    assert (await desk.say("recall", session)).message == ""
    assert len(await desk.history(session)) == 2


async def test_sessions_are_listed_newest_first(desk: Desk) -> None:
    made = [(await desk.say("hello")).session_id for _ in range(3)]
    page = await desk.api.list_chat_sessions(desk.ctx(READS), limit=2)
    assert [session.id for session in page.items] == [made[2], made[1]]
    rest = await desk.api.list_chat_sessions(desk.ctx(READS), limit=2, cursor=page.next_cursor)
    assert [session.id for session in rest.items] == [made[0]]
    assert {(one.customer_id, one.state, one.messages) for one in (*page.items, *rest.items)} == {
        ("ann", SessionState.ACTIVE, 2)
    }


async def test_messages_of_one_session_at_once_are_answered_one_after_the_other(desk: Desk) -> None:
    session = (await desk.say("hello")).session_id
    answers = await asyncio.gather(*(desk.say(f"remember {number}", session) for number in range(12)))
    assert len({answer.message_id for answer in answers}) == 12
    recalled = (await desk.say("recall", session)).message.split(",")
    assert sorted(recalled, key=int) == [str(number) for number in range(12)]
    assert len(await desk.history(session)) == 28


async def test_unknown_session_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.say("hello", desk.installation.foundation.ids.new())
