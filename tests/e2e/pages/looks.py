"""What a reader needs of any page, measured in the page itself."""

import re
from typing import Any

from playwright.async_api import Page

READABLE = 4.5
"""Least contrast of text (WCAG 2.2, 1.4.3)."""
TOUCHABLE = 24
"""Least height of what is pressed, in CSS pixels (WCAG 2.2, 2.5.8)."""

# The colour below a text: backgrounds from the element outwards, until one is opaque.
_FAINT = """(least) => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const below = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255, 1]);
  };
  const ratio = (ink, ground) => {
    const [high, low] = [light(over(ink, ground)), light(ground)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const weigh = (element, color, text) => {
    const got = ratio(parse(color), below(element));
    if (got < least) found.push(`${got.toFixed(2)} ${text.trim()}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("noscript, :disabled")) continue;
    weigh(element, getComputedStyle(element).color, node.data);
  }
  for (const input of document.querySelectorAll("input[placeholder]"))
    weigh(input, getComputedStyle(input, "::placeholder").color, input.placeholder);
  return found;
}"""

_FLAWS = """(least) => {
  const flaws = [];
  const seen = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility());
  const name = (one) => one.getAttribute("aria-label") || one.textContent.trim() ||
    one.querySelector("img[alt]")?.alt || "";
  for (const one of seen.filter((one) => one.matches("input, meter")))
    if (![...one.labels].some((label) => label.textContent.trim())) flaws.push(`no label: ${one.outerHTML}`);
  for (const one of seen.filter((one) => one.matches("a, button, summary, nav, [role=region], [role=group]")))
    if (!name(one) && !one.getAttribute("aria-labelledby")) flaws.push(`no name: ${one.outerHTML}`);
  for (const one of seen.filter((one) => one.matches("button, summary, input, [data-lang], nav a")))
    if (one.getBoundingClientRect().height < least) flaws.push(`too small: ${one.outerHTML}`);
  for (const one of document.images) if (one.alt === null || !one.naturalWidth) flaws.push(`image: ${one.src}`);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids.filter((id, index) => ids.indexOf(id) !== index)) flaws.push(`twice: ${id}`);
  for (const attribute of ["aria-labelledby", "aria-describedby", "for"])
    for (const one of document.querySelectorAll(`[${attribute}]`))
      if (!document.getElementById(one.getAttribute(attribute))) flaws.push(`points nowhere: ${one.outerHTML}`);
  if (document.querySelectorAll("main").length !== 1) flaws.push("not one main");
  if (seen.filter((one) => one.matches("h1")).length !== 1) flaws.push("not one h1");
  if (!document.querySelector("body > header nav[aria-label]")) flaws.push("no navigation");
  for (const one of document.querySelectorAll("section[aria-labelledby] > :first-child"))
    if (!one.querySelector("h2")) flaws.push(`no heading: ${one.outerHTML}`);
  return flaws;
}"""

# What is said in the page's language: not code, not names that people chose, not what is marked as English.
_SAID = """() => {
  const apart = "code, pre, noscript, [translate=no], [lang=en], [data-lang]";
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); )
    if (node.data.trim() && !node.parentElement.closest(apart)) said.push(node.data);
  for (const attribute of ["aria-label", "placeholder", "aria-valuetext", "alt"])
    for (const one of document.querySelectorAll(`[${attribute}]`)) said.push(one.getAttribute(attribute));
  return said;
}"""
_INTERNATIONAL = {"API", "AI", "Steward", "Enter", "GiB", "token"}

_FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const name = at.id || at.dataset.lang || at.textContent.trim();
  return { name, seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
}"""


async def faint_texts(page: Page) -> list[str]:
    """Texts that stand out too little from what is behind them, with their contrast."""
    return await page.evaluate(_FAINT, READABLE)


async def flaws(page: Page) -> list[str]:
    """What somebody who hears the page, or presses with a thumb, would stumble over."""
    return await page.evaluate(_FLAWS, TOUCHABLE)


async def english_left(page: Page) -> set[str]:
    """English words where the page should speak another language."""
    said: list[str] = await page.evaluate(_SAID)
    return {word for line in said for word in re.findall(r"[A-Za-z]{2,}", line)} - _INTERNATIONAL


async def tab_stops(page: Page, most: int = 40) -> list[dict[str, Any]]:
    """Where the focus goes by Tab from the top, until it leaves the page."""
    # Blurring alone would go on from where the focus was.
    await page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
    stops: list[dict[str, Any]] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(_FOCUS)
        if stop is None:
            break
        stops.append(stop)
    return stops


async def scrolls_sideways(page: Page) -> bool:
    return await page.evaluate("document.documentElement.scrollWidth > innerWidth")
