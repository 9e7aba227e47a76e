"""Answers from the cache: the same for all, still part of the session, gone with what they came from."""

import msgspec
import pytest

from steward.kit.outbox import StoredEvent
from steward.services.support.api import CustomerKey
from tests.services.support.conversations.conftest import NewDesk
from tests.services.support.conversations.desk import Desk


@pytest.fixture
async def shop(new_desk: NewDesk) -> Desk:
    desk = await new_desk()
    desk.script.faqs = {"shipping": "Within three days."}
    return desk


def happened(desk: Desk, kind: str, **payload: object) -> None:
    """An event of another service, as this process commits it."""
    foundation = desk.installation.foundation
    ctx = desk.ctx()
    foundation.database.committed(
        "knowledge",
        [
            StoredEvent(
                id=foundation.ids.new(),
                tenant=desk.tenant,
                type=kind,
                at=foundation.clock.now(),
                request_id="r",
                actor=ctx.actor,
                payload=msgspec.Raw(msgspec.json.encode(payload)),
            )
        ],
    )


async def test_question_asked_again_is_answered_from_the_cache_and_kept_in_its_session(shop: Desk) -> None:
    first = await shop.say("search shipping")
    again = await shop.say("  SEARCH  Shipping ", user="bob")
    assert (first.from_cache, again.from_cache) == (False, True)
    assert again.message == first.message
    assert again.citations == first.citations
    assert shop.script.searches == 1
    history = await shop.history(again.session_id)
    assert [(message.text, message.from_cache) for message in history] == [
        ("  SEARCH  Shipping ", False),
        ("Within three days.", True),
    ]
    assert shop.script.noted == [("  SEARCH  Shipping ", "shipping")]


async def test_cache_of_one_tenant_is_not_anothers(shop: Desk) -> None:
    await shop.say("search shipping")
    other = (await shop.installation.tenant()).id
    assert not (await shop.say("search shipping", ctx=shop.ctx(tenant=other))).from_cache


async def test_dialogue_under_way_is_not_answered_from_the_cache(shop: Desk) -> None:
    await shop.say("search shipping")
    session = (await shop.say("remember a")).session_id
    assert not (await shop.say("search shipping", session)).from_cache
    await shop.api.clear_session(shop.ctx(), session_id=session, user_id="ann")
    assert (await shop.say("search shipping", session)).from_cache


async def test_answer_that_is_not_for_all_is_not_kept(shop: Desk) -> None:
    await shop.say("hello")
    assert not (await shop.say("hello")).from_cache
    await shop.say("call shop.list_orders")
    assert not (await shop.say("call shop.list_orders")).from_cache


@pytest.mark.parametrize("kind", ["knowledge.KnowledgeUpdated", "support.PlaybookChanged", "support.IntentsTrained"])
async def test_change_ends_what_was_kept(shop: Desk, kind: str) -> None:
    await shop.say("search shipping")
    shop.script.faqs["shipping"] = "Within two days."
    happened(shop, kind)
    answer = await shop.say("search shipping")
    assert (answer.from_cache, answer.message) == (False, "Within two days.")


async def test_answer_begun_before_a_change_is_not_kept(shop: Desk) -> None:
    shop.script.on_search = lambda: happened(shop, "knowledge.KnowledgeUpdated")
    await shop.say("search shipping")
    shop.script.on_search = None
    assert not (await shop.say("search shipping")).from_cache


async def test_popular_questions_are_ready_before_they_are_asked(shop: Desk) -> None:
    subscription = next(
        one for one in shop.installation.serving.local["support"].subscriptions if one.name == "support-memory"
    )
    foundation = shop.installation.foundation
    payload = {"questions": ["search shipping", "call shop.get_order"]}
    await subscription.handler(
        StoredEvent(
            id=foundation.ids.new(),
            tenant=shop.tenant,
            type="knowledge.PopularQuestionsCounted",
            at=foundation.clock.now(),
            request_id="",
            actor=shop.ctx().actor,
            payload=msgspec.Raw(msgspec.json.encode(payload)),
        )
    )
    assert shop.script.searches > shop.script.recorded == 0, "nobody has asked yet"
    assert (await shop.say("search shipping")).from_cache
    assert shop.script.calls == []
    assert len((await shop.api.list_chat_sessions(shop.ctx("conversation:read"))).items) == 1


async def test_model_makes_an_answer_its_own_and_routes_what_is_unsure(shop: Desk) -> None:
    shop.script.model = True
    answer = await shop.say("search shipping")
    assert answer.message == "in a model's words"
    assert not (await shop.say("search shipping")).from_cache
    routed = await shop.say("hm what")
    assert (routed.degraded, shop.script.seen[-1].understanding.reason) == (False, "model")
    assert shop.script.seen[-1].understanding.intents[0].type == "technical"
    shop.script.model_fails = True
    assert (await shop.say("hm what")).degraded


async def test_keys_are_forgotten_with_their_change(shop: Desk) -> None:
    keys: list[CustomerKey] = []
    assert await shop.api.put_customer_keys(shop.ctx("support:configure"), keys=keys) == []
