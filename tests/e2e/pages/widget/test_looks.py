"""The chat as it is seen and heard: names, contrast, sizes, on a phone and in the dark."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.pages.conftest import Visitor
from tests.e2e.pages.looks import READABLE, scrolls_sideways
from tests.e2e.pages.widget.desk import CITATION, Desk
from tests.e2e.pages.widget.test_widget import LAUNCH, PHONE, ask, opened, said

LEAST_PRESSED = 24
# Contrast of each text and placeholder with what is behind it, size and name of all that is pressed.
_LOOKS = """([least, pressed]) => {
  const root = document.querySelector("steward-chat").shadowRoot;
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const below = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255, 1]);
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const flaws = [];
  const weigh = (element, color, what, least) => {
    const ground = below(element);
    const got = ratio(over(parse(color), ground), ground);
    if (got < least) flaws.push(`${got.toFixed(2)} ${what.trim()}`);
  };
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); )
    if (node.data.trim() && node.parentElement.checkVisibility() && !node.parentElement.closest(".heard"))
      weigh(node.parentElement, getComputedStyle(node.parentElement).color, node.data, least);
  for (const one of root.querySelectorAll("textarea")) {
    weigh(one, getComputedStyle(one, "::placeholder").color, one.placeholder, least);
    weigh(one.parentElement, getComputedStyle(one).borderTopColor, "border of the box", 3);
    if (!one.labels.length || !one.labels[0].textContent) flaws.push("box without a label");
  }
  for (const one of root.querySelectorAll("button, summary, a, [role=dialog], [role=log]")) {
    if (!one.checkVisibility()) continue;
    const naming = one.matches("[aria-labelledby]") && root.getElementById(one.getAttribute("aria-labelledby"));
    const name = one.getAttribute("aria-label") || naming?.textContent || one.textContent.trim();
    if (!name || naming === null) flaws.push(`no name: ${one.outerHTML.slice(0, 80)}`);
    if (one.matches("button, summary") && one.getBoundingClientRect().height < pressed) flaws.push(`small: ${name}`);
    if (one.querySelector("svg:not([aria-hidden])")) flaws.push(`picture that is heard: ${name}`);
  }
  for (const one of root.querySelectorAll("[aria-controls]"))
    if (!root.getElementById(one.getAttribute("aria-controls"))) flaws.push("controls nothing");
  return flaws;
}"""


async def flaws(page: Page) -> list[str]:
    return await page.evaluate(_LOOKS, [READABLE, LEAST_PRESSED])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_is_readable_named_and_large_enough(guest: Visitor, desk: Desk, scheme: Any) -> None:
    desk.answers["Returns?"] = {
        "message": "See https://shop.example/returns",
        "citations": [CITATION],
        "ticket_id": "x",
    }
    page = await opened(guest, color_scheme=scheme)
    assert await flaws(page) == []
    await ask(page, "Returns?")
    await page.get_by_role("log").locator("summary").click()
    desk.refusals.append((500, {"code": "internal"}))
    await ask(page, "hello")
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert await flaws(page) == []
    ground = await page.get_by_role("dialog").evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    guest.forgive("status of 500")


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_phone_gets_the_whole_screen(guest: Visitor, desk: Desk, language: str) -> None:
    desk.answers["?"] = {"message": "很" * 300 + "A" * 300, "citations": [{**CITATION, "title": "B" * 200}]}
    page = await guest(f"/?locale={language}", viewport=PHONE, has_touch=True)
    await page.get_by_role("button", name=LAUNCH[language]).tap()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_have_attribute("aria-modal", "true")
    assert await dialog.bounding_box() == {"x": 0, "y": 0, **PHONE}
    await page.get_by_role("textbox").fill("?")
    await page.get_by_role("textbox").press("Enter")
    await expect(page.get_by_role("log").locator("summary")).to_be_visible()
    assert not await scrolls_sideways(page)
    log = page.get_by_role("log")
    assert await log.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert await log.evaluate("(one) => one.scrollHeight - one.scrollTop - one.clientHeight < 80")
    assert await flaws(page) == []


async def test_nothing_moves_for_those_who_want_it_so(guest: Visitor, desk: Desk) -> None:
    moving = "document.querySelector('steward-chat').shadowRoot.getAnimations().length"
    page = await opened(guest, reduced_motion="no-preference")
    desk.going.clear()
    await ask(page, "hello")
    await expect(page.get_by_text("Writing an answer…")).to_be_visible()
    assert await page.evaluate(moving) > 0
    await page.emulate_media(reduced_motion="reduce")
    assert await page.evaluate(moving) == 0
    desk.going.set()
    await expect(said(page, "You said: hello")).to_be_visible()


async def test_styles_of_the_page_do_not_reach_in(guest: Visitor) -> None:
    page = await opened(guest)
    size = "getComputedStyle(document.querySelector('steward-chat').shadowRoot.querySelector('.text')).fontSize"
    before = await page.evaluate(size)
    await page.evaluate(
        "const sheet = new CSSStyleSheet(); sheet.replaceSync('* { font-size: 40px !important; display: block }');"
        "document.adoptedStyleSheets = [sheet]"
    )
    assert await page.evaluate(size) == before == "15px"
