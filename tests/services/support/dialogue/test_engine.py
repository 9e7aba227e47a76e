"""Rules of the dialogue that no script shows."""

import pytest

from steward.services.knowledge.api import SourceKind
from steward.services.support.api import AgentType, HandOffReason
from steward.services.support.dialogue.checks import check
from steward.services.support.dialogue.decoding import decode
from steward.services.support.dialogue.format import Playbook
from steward.services.support.dialogue.libraries import library_of
from steward.services.support.dialogue.library import Library
from steward.services.support.dialogue.shipped import sources
from steward.services.support.ports import Language, ToolOutcome, ToolResult
from tests.support.dialogue import WORLD, Talk, hit, order


def _with(name: str, old: str, new: str) -> Library:
    """The shipped playbooks with a change in one of them."""
    changed = {**sources(), name: sources()[name].replace(old, new)}
    assert changed != sources()
    found = [(check(source, WORLD, name=key).file, source) for key, source in changed.items()]
    return library_of([(file, source) for file, source in found if file is not None])


async def test_frame_of_another_version_begins_anew_with_what_was_said() -> None:
    talk = Talk(Language.EN)
    await talk.say("change the address of ORD-2026-000123 to 12 Oak Street, Springfield", "order")
    talk.library = _with("change_address", "Shall I have order", "May I have order")
    reply = await talk.say("yes", "faq?")
    assert reply.text.startswith("May I have order ORD-2026-000123 sent to this address: 12 Oak Street")
    assert [tool for tool, _ in talk.actions.calls] == ["shop.get_order"]


async def test_frame_of_a_playbook_that_is_no_more_is_dropped() -> None:
    talk = Talk(Language.EN)
    await talk.say("my app crashes", "technical")
    left = {name: source for name, source in sources().items() if name != "tech_app"}
    talk.library = library_of([(check(each, WORLD).file, each) for each in left.values()])
    reply = await talk.say("where is ORD-2026-000123", "order")
    assert reply.agent_type is AgentType.ORDER
    assert not talk.state.frames


async def test_exact_faq_is_verbatim_with_citation_and_not_worded_by_a_model() -> None:
    talk = Talk(Language.EN)
    talk.actions.model = "Something else"
    talk.actions.hits = [hit("Near.", confidence=0.9), hit("Just so.", exact=True, document_id="f2", confidence=0.8)]
    reply = await talk.say("how?", "faq")
    assert (reply.text, reply.answered_by, reply.cacheable) == ("Just so.", "f2", True)
    assert [citation.document_id for citation in reply.citations] == ["f2"]
    assert reply.intent.confidence == 0.9


async def test_question_that_is_a_faq_is_answered_with_it_whatever_it_was_taken_for() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [hit("Thirty days.", exact=True, document_id="f1")]
    reply = await talk.say("how long may I return things?", "refund")
    assert (reply.text, reply.agent_type, reply.answered_by) == ("Thirty days.", AgentType.FAQ, "f1")
    assert not talk.actions.calls


async def test_wish_that_knowledge_merely_speaks_of_is_begun() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [hit("Thirty days.", confidence=0.9)]
    reply = await talk.say("can I return this?", "refund")
    assert reply.agent_type is AgentType.REFUND


async def test_faq_in_the_other_script_is_converted_and_ones_own_preferred() -> None:
    talk = Talk(Language.HANT)
    talk.actions.hits = [hit("退货运费由我们承担。", title="退货", locale="zh-Hans")]
    assert (await talk.say("退貨運費", "faq")).text == "退貨運費由我們承擔。"
    talk.actions.hits = [*talk.actions.hits, hit("退貨運費我們出。", title="退貨", locale="zh-Hant", confidence=0.79)]
    assert (await talk.say("退貨運費", "faq")).text == "退貨運費我們出。"


async def test_model_words_a_partial_answer_and_its_failure_is_told() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [hit("Thirty days.")]
    talk.actions.model = "You have thirty days."
    assert (await talk.say("how long?", "faq")).text == "You have thirty days."
    talk.actions.model_fails = True
    reply = await talk.say("how long?", "faq")
    assert (reply.text, reply.degraded, reply.cacheable) == ("Thirty days.", True, False)


async def test_documents_are_answered_by_their_own_sentences() -> None:
    text = "The lamp is made of steel. The warranty of the lamp is two years. It ships in a box. Bulbs are not covered."
    talk = Talk(Language.EN)
    talk.actions.hits = [hit(text, kind=SourceKind.DOCUMENT, document_id="d1")]
    reply = await talk.say("how long is the warranty of the lamp", "faq")
    assert "The warranty of the lamp is two years." in reply.text
    assert all(f"{sentence.rstrip('.')}." in text for sentence in reply.text.split(". "))
    assert reply.answered_by is None


async def test_hit_that_hardly_fits_is_no_answer() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [hit("Thirty days.", confidence=0.2)]
    assert "could not find anything" in (await talk.say("what?", "faq")).text


async def test_answer_beside_an_open_playbook_is_not_cacheable() -> None:
    talk = Talk(Language.EN)
    await talk.say("my app crashes", "technical")
    talk.actions.hits = [hit("Just so.", exact=True)]
    assert not (await talk.say("how?", "faq")).cacheable


async def test_value_that_is_missing_is_not_made_up() -> None:
    talk = Talk(Language.EN)
    talk.actions.shop = {"shop.get_order": ToolResult(outcome=ToolOutcome.OK, data={**order(), "items": None})}
    reply = await talk.say("where is ORD-2026-000123", "order")
    assert reply.text == "I cannot get any further with this on my own. Shall I pass it on to a colleague?"
    assert talk.state.offered == f"hand_off:{HandOffReason.PLAYBOOK}"
    await talk.say("yes", "faq?")
    assert "status: paid" in talk.actions.handed_off[0].summary


async def test_reason_that_the_shop_gives_and_nobody_named_goes_to_the_general_branch() -> None:
    talk = Talk(Language.EN)
    await talk.say("cancel ORD-2026-000123", "order")
    talk.actions.shop = {"shop.cancel_order": ToolResult(outcome=ToolOutcome.REFUSED, reason="full_moon")}
    assert "can no longer be cancelled" in (await talk.say("yes", "faq?")).text


async def test_stack_is_bounded_and_a_playbook_is_open_once() -> None:
    talk = Talk(Language.EN)
    wishes = ["the app crashes", "it does not turn on", "the battery drains", "no sound", "wifi is gone", "app crashes"]
    for wish in wishes:
        await talk.say(wish, "technical")
    names = [frame.playbook for frame in talk.state.frames]
    assert names == ["tech_battery", "tech_sound", "tech_wifi", "tech_app"]


async def test_second_hit_that_adds_nothing_is_left_out() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [
        hit("Thirty days.", title="How long can I return things?"),
        hit("We ship to Norway and Sweden.", title="Do you ship to Norway?", document_id="f2", confidence=0.78),
    ]
    alone = await talk.say("how long can I return things?", "faq")
    assert alone.text == "Thirty days."
    both = await talk.say("how long can I return things, and do you ship to norway?", "faq")
    assert both.text == "Thirty days.\n\nWe ship to Norway and Sweden."
    assert [citation.document_id for citation in both.citations] == ["faq-1", "f2"]


async def test_tenants_own_intent_without_a_playbook_is_looked_up() -> None:
    talk = Talk(Language.EN)
    talk.actions.hits = [hit("We are open till six.")]
    assert (await talk.say("are you open", "opening_hours")).text == "We are open till six."


@pytest.mark.parametrize("name", sorted(sources()))
def test_shipped_file_has_no_problem(name: str) -> None:
    checked = check(sources()[name], WORLD, name=name)
    assert not checked.problems
    assert not isinstance(checked.file, Playbook) or checked.file.name == name


async def test_engine_itself_changes_nothing_without_a_yes() -> None:
    source = sources()["cancel_order"]
    start, end = source.index("  - do: confirm"), source.index("  - do: call\n    tool: shop.cancel_order")
    unchecked = decode(source[:start] + source[end:]).file
    assert unchecked is not None
    talk = Talk(Language.EN)
    talk.library = library_of([(check(sources()["desk"], WORLD).file or unchecked, ""), (unchecked, "")])
    await talk.say("cancel ORD-2026-000123", "order")
    assert [tool for tool, _ in talk.actions.calls] == ["shop.get_order"]
    assert talk.state.offered == "hand_off:playbook"


async def test_no_to_a_person_with_another_wish_is_about_the_wish() -> None:
    talk = Talk(Language.EN)
    await talk.say("blorp", "faq?")
    reply = await talk.say("no, where is ORD-2026-000123", "order")
    assert reply.agent_type is AgentType.ORDER


async def test_exact_faq_in_the_other_script_is_converted() -> None:
    talk = Talk(Language.HANS)
    talk.actions.hits = [hit("退貨運費由我們承擔。", locale="zh-Hant", exact=True)]
    assert (await talk.say("退货运费", "faq")).text == "退货运费由我们承担。"


async def test_angry_customer_with_a_ticket_is_still_answered() -> None:
    talk = Talk(Language.EN)
    await talk.say("a disgrace", "faq?", complaint=True)
    reply = await talk.say("where the hell is ORD-2026-000123", "order", angry=True)
    assert reply.agent_type is AgentType.ORDER
    assert len(talk.actions.handed_off) == 1


@pytest.mark.parametrize("wish", ["where is my order", "cancel my order", "change my address", "I want a refund"])
async def test_customer_whom_the_shop_does_not_know_has_no_orders(wish: str) -> None:
    talk = Talk(Language.EN)
    talk.actions.shop = {"shop.list_orders": ToolResult(outcome=ToolOutcome.NOT_FOUND)}
    reply = await talk.say(wish, "refund" if "refund" in wish else "order")
    assert "no order" in reply.text.lower() or "any order" in reply.text.lower(), reply.text


@pytest.mark.parametrize("intent", ["faq", "faq?", "refund?"])
async def test_knowledge_is_asked_for_the_core_of_a_message(intent: str) -> None:
    talk = Talk(Language.EN)
    await talk.say("Hi, I am Ann. Who pays for a return? Thanks!", intent, core="Who pays for a return?")
    assert set(talk.actions.searched) == {"Who pays for a return?"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("还要多久到账", Language.HANS),
        ("钱怎么还没到账", Language.HANS),
        ("錢什麼時候退到", Language.HANT),
        ("款項什麼時候入帳", Language.HANT),
        ("how long until the money is on my account", Language.EN),
    ],
)
async def test_asking_when_the_own_money_comes_is_about_its_status(text: str, language: Language) -> None:
    talk = Talk(language)
    await talk.say(text, "refund")
    assert talk.state.frames[-1].playbook == "refund_status"


async def test_asking_how_long_refunds_take_is_answered_from_knowledge() -> None:
    talk = Talk(Language.HANS)
    talk.actions.hits = [hit("三天。", locale="zh-Hans")]
    assert (await talk.say("退款一般多久到账", "refund")).text == "三天。"
