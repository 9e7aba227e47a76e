"""The demo shop's page on a running installation: who visits, what the chat then knows, in three languages."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.pages.conftest import Visitor
from tests.e2e.pages.looks import english_left, faint_texts, flaws, scrolls_sideways
from tests.e2e.pages.widget.test_widget import BOX, LAUNCH
from tests.e2e.running import Steward

PHONE = {"width": 360, "height": 740}
PERSON = {"en": "I want to talk to a person", "zh-Hant": "我要找真人客服", "zh-Hans": "我要找人工客服"}
HANDED = {"en": "Our team takes over", "zh-Hant": "接下來由我們的同仁", "zh-Hans": "接下来由我们的同事"}
OWN_WORDS = {"Northlight", "Aria", "Pulse", "Orbit", "Page", "Brew", "Steam", "Beam", "Volt", "Mini", "ORD"}


async def settled(page: Page) -> None:
    await expect(page.locator("#shelf li")).to_have_count(8)
    await expect(page.locator("#who option")).not_to_have_count(1)


@pytest.fixture
def shop(visit: Visitor, site: Steward) -> str:
    """The shop's own address, which the page may call besides the platform."""
    url = site.credentials["shop_url"]
    visit.neighbours.append(url)
    return url


async def test_start_page_leads_to_the_demo(visit: Visitor, shop: str) -> None:
    page = await visit("/?lang=zh-Hans")
    await page.get_by_role("link", name="演示商店").click()
    await settled(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("好物，陪您度过安静的夜晚。")
    await expect(page.get_by_role("button", name=LAUNCH["zh-Hans"])).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_page_and_chat_speak(visit: Visitor, shop: str, language: str) -> None:
    page = await visit(f"/demo?lang={language}", viewport=PHONE, has_touch=True)
    await settled(page)
    assert not await scrolls_sideways(page)
    assert await faint_texts(page) == []
    assert await flaws(page) == []
    if language != "en":
        names = set(" ".join(await page.locator("#who option").all_inner_texts()).split())
        assert await english_left(page) - OWN_WORDS - names == set()
    await page.get_by_role("button", name=LAUNCH[language]).tap()
    await page.get_by_role("textbox", name=BOX[language]).fill(PERSON[language])
    await page.get_by_role("textbox", name=BOX[language]).press("Enter")
    await expect(page.get_by_text(HANDED[language])).to_be_visible()


async def test_known_customer_is_shown_their_order_and_nobody_else_is(visit: Visitor, shop: str) -> None:
    page = await visit("/demo?lang=en")
    await settled(page)
    await page.get_by_label("Customer", exact=True).select_option(index=1)
    order = (await page.locator("#order code").inner_text()).strip()
    await page.get_by_role("button", name=LAUNCH["en"]).click()
    await ask(page, f"Where is my order {order}?")
    answer = page.get_by_role("log").locator(".agent").last
    await expect(answer).to_contain_text(order)
    known = await answer.inner_text()
    await page.reload()
    await settled(page)
    # Who visits is chosen anew with each page, and the chat of a customer is not shown to somebody else.
    await expect(page.get_by_role("log").locator(".user")).to_have_count(0)
    await ask(page, f"Where is my order {order}?")
    await expect(page.get_by_role("log").locator(".agent")).to_have_count(1)
    await expect(page.locator("steward-chat .busy")).to_have_count(0)
    assert await page.get_by_role("log").locator(".agent").last.inner_text() != known


async def test_language_switch_takes_the_chat_along(visit: Visitor, shop: str) -> None:
    page = await visit("/demo?lang=en")
    await settled(page)
    await page.get_by_role("link", name="繁體中文").click()
    await expect(page.get_by_role("button", name=LAUNCH["zh-Hant"])).to_be_visible()
    await expect(page.get_by_role("heading", name="造訪身分")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_is_readable_in(visit: Visitor, shop: str, scheme: str) -> None:
    page = await visit("/demo", color_scheme=scheme)
    await settled(page)
    assert await faint_texts(page) == []
    assert await flaws(page) == []


async def ask(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name=BOX["en"])
    await box.fill(text)
    await box.press("Enter")
