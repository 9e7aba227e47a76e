"""The chat on a shop's page as customers use it: by keyboard, in three languages, with things going wrong."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.conftest import Visitor
from tests.e2e.pages.widget.desk import CITATION, KEY, Desk

WAITING = "Object.keys(sessionStorage).some((key) => key.includes(':waiting:'))"
PHONE = {"width": 375, "height": 720}
LIMIT_BYTES = 30_000
LAUNCH = {"en": "Chat with us", "zh-Hant": "與我們對話", "zh-Hans": "与我们对话"}
BOX = {"en": "Your message", "zh-Hant": "您的訊息", "zh-Hans": "您的消息"}
QUESTIONS = {"en": "How do I return this?", "zh-Hant": "請問怎麼退貨？", "zh-Hans": "请问怎么退货？"}
ANSWERS = {"en": "Within 30 days.", "zh-Hant": "三十天內可以退貨。", "zh-Hans": "三十天内可以退货。"}


def box(page: Page, language: str = "en") -> Locator:
    return page.get_by_role("textbox", name=BOX[language])


def said(page: Page, text: str) -> Locator:
    return page.get_by_role("log").get_by_text(text, exact=True)


async def ask(page: Page, text: str) -> None:
    await box(page).fill(text)
    await box(page).press("Enter")


async def opened(guest: Visitor, query: str = "", **options: object) -> Page:
    page = await guest(f"/{query}", **options)
    await page.get_by_role("button", name=LAUNCH["en"]).click()
    return page


def test_served_file_is_small_and_made_of_the_sources() -> None:
    assert len((files("steward.gateway") / "pages" / "widget.js").read_bytes()) < LIMIT_BYTES
    build = Path(__file__).parents[4] / "widget" / "build.py"
    assert subprocess.run([sys.executable, str(build), "--check"], check=False).returncode == 0


async def test_keyboard_alone_opens_asks_and_closes(guest: Visitor, desk: Desk) -> None:
    page = await guest()
    launch = page.get_by_role("button", name=LAUNCH["en"])
    await expect(launch).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(launch).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Customer service")).to_be_visible()
    await expect(box(page)).to_be_focused()
    await page.keyboard.type("First line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(said(page, "You said: First line second line")).to_be_visible()
    assert desk.asked[0]["message"] == "First line\nsecond line"
    await expect(page.get_by_role("status").first).to_have_text("You said: First line second line")
    await expect(box(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(launch).to_be_focused()


async def test_focus_goes_round_in_the_dialog_and_is_seen(guest: Visitor) -> None:
    page = await opened(guest)
    focused = """() => {
      const at = document.querySelector("steward-chat").shadowRoot.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const label = at.getAttribute("aria-label") ?? at.textContent ?? at.id;
      return [label.trim() || at.id, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
    }"""
    names = []
    for _ in range(9):
        name, seen = await page.evaluate(focused)
        assert seen, name
        names.append(name)
        await page.keyboard.press("Tab")
    round_trip = ["box", "Send", "New conversation", "Close chat", "Conversation"]
    assert names[:5] == round_trip
    assert names[8] == "box"
    for _ in range(2):
        await page.keyboard.press("Shift+Tab")
    assert (await page.evaluate(focused))[0] == "I would like to talk to a person"


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_streamed_answer_in(guest: Visitor, desk: Desk, language: str) -> None:
    desk.answers[QUESTIONS[language]] = {
        "message": ANSWERS[language],
        "citations": [CITATION],
        "tools": ["shop.get_order"],
    }
    locale = {"en": "en-GB", "zh-Hant": "zh-TW", "zh-Hans": "zh-CN"}[language]
    page = await guest("/", locale=locale)
    await page.get_by_role("button", name=LAUNCH[language]).click()
    desk.going.clear()
    await box(page, language).fill(QUESTIONS[language])
    await box(page, language).press("Enter")
    await expect(said(page, QUESTIONS[language])).to_be_visible()
    busy = {"en": "Writing an answer…", "zh-Hant": "正在撰寫回覆…", "zh-Hans": "正在输入回复…"}[language]
    await expect(page.get_by_text(busy)).to_be_visible()
    desk.going.set()
    await expect(said(page, ANSWERS[language])).to_be_visible()
    await expect(page.get_by_text(busy)).to_be_hidden()
    text = page.get_by_role("log").get_by_text("30 days.", exact=True)
    await expect(text).to_be_hidden()
    await page.get_by_role("log").locator("summary", has_text="Returns").click()
    await expect(text).to_be_visible()
    asked = desk.asked[0]
    assert (asked["key"], asked["locale"], asked["token"]) == (KEY, language, None)
    assert asked["user_id"].startswith("visitor-")
    assert not {
        word for word in (await page.get_by_role("dialog").inner_text()).split() if word in {"Sources", "Send"}
    } - ({"Sources"} if language == "en" else set())


async def test_data_locale_goes_before_the_browser_and_can_be_changed(guest: Visitor) -> None:
    page = await guest("/?locale=zh-Hans", locale="zh-TW")
    await page.get_by_role("button", name=LAUNCH["zh-Hans"]).click()
    await expect(page.get_by_role("dialog", name="客户服务")).to_be_visible()
    await page.evaluate("StewardChat.setLocale('zh-Hant')")
    await expect(page.get_by_role("dialog", name="客戶服務")).to_be_visible()
    await expect(page.locator("steward-chat .root")).to_have_attribute("lang", "zh-Hant")


async def test_cut_stream_goes_on_where_it_was_cut(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    desk.going.clear()
    desk.cuts += [1, 0]
    await ask(page, "hello")
    await page.wait_for_function(WAITING)
    desk.going.set()
    await expect(said(page, "You said: hello")).to_be_visible()
    await expect(said(page, "hello")).to_have_count(1)
    first, *again = [one["last_event_id"][36:] for one in desk.asked]
    assert first == ""
    assert set(again) == {":0"}
    assert len(again) >= 2
    assert desk.begun == 1
    assert len({(one["message"], one["user_id"]) for one in desk.asked}) == 1
    guest.forgive("net::ERR_")


async def test_message_whose_stream_was_cut_before_it_began_is_not_taken_twice(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    desk.cuts.append(0)
    await ask(page, "hello")
    await expect(said(page, "You said: hello")).to_be_visible()
    assert len(desk.asked) >= 2
    assert desk.begun == 1
    guest.forgive("net::ERR_")


async def test_reload_restores_history_and_the_session_goes_on(guest: Visitor, desk: Desk) -> None:
    desk.answers["Returns?"] = {"message": "30 days, see https://shop.example/returns.", "citations": [CITATION]}
    page = await opened(guest)
    await ask(page, "Returns?")
    await expect(page.get_by_role("link", name="https://shop.example/returns")).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )
    await page.reload()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(said(page, "Returns?")).to_be_visible()
    await expect(page.get_by_role("log").locator("summary")).to_have_text("Returns")
    await ask(page, "Thanks")
    await expect(said(page, "You said: Thanks")).to_be_visible()
    first, second = desk.asked
    assert "session_id" not in first
    assert second["session_id"]
    assert first["user_id"] == second["user_id"]
    await page.get_by_role("button", name="New conversation").click()
    await expect(said(page, "Thanks")).to_be_hidden()
    await ask(page, "Again")
    await expect(said(page, "You said: Again")).to_be_visible()
    assert "session_id" not in desk.asked[2]


async def test_answer_that_a_reload_cut_off_is_taken_up(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    desk.going.clear()
    await ask(page, "hello")
    await page.wait_for_function(WAITING)
    desk.unanswered()
    await page.reload()
    desk.going.set()
    await expect(said(page, "You said: hello")).to_be_visible()
    assert desk.asked[-1]["last_event_id"].endswith(":0")
    await expect(said(page, "hello")).to_have_count(1)


REFUSALS = (
    (500, {"code": "internal"}, "Something went wrong on our side. Your message is kept."),
    (429, {"code": "customer_limited", "retry_after": 40}, "That was a lot at once. Wait 40 seconds and try again."),
    (401, {"code": "customer_token_invalid"}, "Your sign-in has run out. Reload the page and try again."),
    (403, {"code": "origin_not_allowed"}, "The chat is not set up for this page."),
)


async def test_refusal_is_said_in_words_and_can_be_tried_again(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    for status, problem, words in REFUSALS:
        desk.refusals.append((status, dict(problem)))
        await ask(page, f"hello {status}")
        await expect(page.get_by_role("alert")).to_contain_text(words)
        await page.get_by_role("button", name="Try again").press("Enter")
        await expect(said(page, f"You said: hello {status}")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)
        await expect(said(page, f"hello {status}")).to_have_count(1)
        guest.forgive(f"status of {status}")


async def test_desk_that_is_away_for_a_moment_is_asked_again(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    desk.refusals += [(503, {"code": "draining"}), (502, {})]
    await ask(page, "hello")
    await expect(said(page, "You said: hello")).to_be_visible()
    assert len(desk.asked) == 3
    guest.forgive("status of 50")


async def test_session_that_is_gone_begins_anew(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    await ask(page, "one")
    await expect(said(page, "You said: one")).to_be_visible()
    desk.forget()
    await ask(page, "two")
    await expect(said(page, "You said: two")).to_be_visible()
    assert "session_id" not in desk.asked[-1]
    guest.forgive("status of 404")


async def test_hand_off_is_told(guest: Visitor, desk: Desk) -> None:
    ticket = {"message": "A colleague will write to you.", "agent_type": "human", "ticket_id": "x", "ticket_number": 42}
    desk.answers["A person please"] = ticket
    page = await opened(guest)
    await ask(page, "A person please")
    await expect(page.get_by_text("Our team takes over from here. Your ticket: #42")).to_be_visible()


async def test_customer_token_is_sent_and_each_customer_has_a_history(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    await ask(page, "anonymous")
    await expect(said(page, "You said: anonymous")).to_be_visible()
    await page.evaluate("StewardChat.setCustomerToken('e30.eyJzdWIiOiJDLTEifQ.x')")
    await expect(said(page, "anonymous")).to_be_hidden()
    await ask(page, "known")
    await expect(said(page, "You said: known")).to_be_visible()
    assert desk.asked[1]["token"] == "e30.eyJzdWIiOiJDLTEifQ.x"
    assert "session_id" not in desk.asked[1]
    await page.evaluate("StewardChat.setCustomerToken(null)")
    await expect(said(page, "You said: anonymous")).to_be_visible()
    await expect(said(page, "known")).to_be_hidden()


async def test_text_is_never_markup(guest: Visitor, desk: Desk) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3) https://ok.example/<b>"
    title = {**CITATION, "title": "<u>T</u>", "text": "<i>x</i>"}
    desk.answers["hello"] = {"message": evil, "citations": [title]}
    page = await opened(guest)
    await ask(page, "hello")
    await expect(said(page, evil)).to_be_visible()
    await expect(page.get_by_role("log").locator("img, script, u, i:not([aria-hidden]), b")).to_have_count(0)
    hrefs = await page.get_by_role("log").locator("a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert hrefs == ["https://ok.example/"]


async def test_texts_are_whole_and_each_in_its_own_script(guest: Visitor) -> None:
    page = await guest()
    source = (Path(__file__).parents[4] / "widget" / "src" / "texts.js").read_text(encoding="utf-8")
    texts = await page.evaluate(f"() => {{ {source.replace('export ', '')}; return TEXTS; }}")
    for language, character_set in (("en", "ascii"), ("zh-Hant", "big5"), ("zh-Hans", "gb2312")):
        assert texts[language].keys() == texts["en"].keys()
        lines = [line for text in texts[language].values() for line in ([text] if isinstance(text, str) else text)]
        "".join(lines).replace("…", "").encode(character_set)
        assert all(lines)


async def test_enter_that_chooses_a_character_sends_nothing(guest: Visitor, desk: Desk) -> None:
    page = await opened(guest)
    await box(page).fill("ni hao")
    composing = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, composed: true})"
    await box(page).evaluate(f"(box) => box.dispatchEvent({composing})")
    await expect(box(page)).to_have_value("ni hao")
    assert desk.asked == []


async def test_api_opens_and_closes_and_an_answer_to_a_closed_chat_is_marked(guest: Visitor, desk: Desk) -> None:
    page = await guest()
    await page.evaluate("StewardChat.open()")
    desk.going.clear()
    await ask(page, "hello")
    await page.evaluate("StewardChat.close()")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    desk.going.set()
    unread = page.get_by_role("button", name="Chat with us (New message)")
    await expect(unread).to_be_visible()
    await unread.click()
    await expect(said(page, "You said: hello")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Chat with us", exact=True)).to_be_visible()


async def test_script_without_a_key_does_nothing_but_say_so(guest: Visitor) -> None:
    page = await guest("/?key=")
    await expect(page.locator("steward-chat")).to_have_count(0)
    guest.forgive("no data-key")
