"""The API reference: complete, found by keyboard, its examples true."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.pages import shell
from tests.e2e.pages.conftest import Visitor
from tests.e2e.pages.looks import english_left, faint_texts, flaws, scrolls_sideways, tab_stops
from tests.e2e.running import Steward

MISUNDERSTOOD = {400, 405, 415, 422, 500}


def operations(site: Steward) -> dict[str, tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = site.get("/openapi.json").json["paths"]
    return {
        drawn["operationId"]: (method.upper(), path) for path, item in paths.items() for method, drawn in item.items()
    }


async def drawn(page: Page) -> None:
    await expect(page.locator("#health, #get_health")).to_be_attached()


async def example(page: Page, operation: str) -> str:
    return await page.locator(f"#{operation} .command code").text_content() or ""


async def test_every_operation_and_schema_is_listed(visit: Visitor, site: Steward) -> None:
    page = await visit("/docs")
    await drawn(page)
    expected = operations(site)
    shown: list[list[str]] = await page.evaluate(
        """[...document.querySelectorAll(".operation:has(.method)")].map((card) =>
             [card.id, card.querySelector(".method").textContent, card.querySelector(".path").textContent])"""
    )
    assert {name: (method, path) for name, method, path in shown} == expected
    linked = await page.locator("#toc a").evaluate_all("links => links.map((link) => link.hash.slice(1))")
    assert set(linked) == set(expected)
    schemas = site.get("/openapi.json").json["components"]["schemas"]
    cards = await page.locator("[id^=schema-]").evaluate_all("cards => cards.map((card) => card.id.slice(7))")
    assert set(cards) == set(schemas)
    nowhere = await page.locator("main a[href^='#']").evaluate_all(
        "links => links.filter((link) => !document.getElementById(link.hash.slice(1))).map((link) => link.hash)"
    )
    assert nowhere == []


async def test_operation_is_found_and_opened_by_keyboard(visit: Visitor) -> None:
    page = await visit("/docs")
    await drawn(page)
    await page.keyboard.press("/")
    await expect(page.get_by_label("Find an operation")).to_be_focused()
    await page.keyboard.type("post invite user")
    await expect(page.get_by_role("status").filter(has_text="found")).to_contain_text("Enter opens the first")
    await expect(page.locator("#invite_user")).to_be_visible()
    await expect(page.locator("#list_tenants")).to_be_hidden()
    await expect(page.locator("#toc li:visible")).to_have_count(await page.locator(".operation:visible").count())
    await page.keyboard.press("Enter")
    await expect(page.locator("#invite_user")).to_have_attribute("open", "")
    await expect(page.locator("#invite_user > summary")).to_be_focused()
    await page.keyboard.press("/")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("no such thing")
    await expect(page.get_by_text("Nothing matches. Try fewer words.")).to_be_visible()
    await expect(page.locator(".operation:visible, .group:visible")).to_have_count(0)
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.press("Delete")
    await expect(page.locator("#list_tenants")).to_be_visible()


async def test_link_to_an_operation_opens_it(visit: Visitor) -> None:
    page = await visit("/docs#create_api_key")
    card = page.locator("#create_api_key")
    await expect(card).to_have_attribute("open", "")
    await expect(card.locator("summary").first).to_be_focused()
    await expect(card.locator("summary").first).to_be_in_viewport()
    await card.get_by_role("link", name="ApiKeyCreated").click()
    await expect(page.locator("#schema-ApiKeyCreated")).to_have_attribute("open", "")


async def test_curl_examples_work_in_a_shell(visit: Visitor, site: Steward, tmp_path: Path) -> None:
    page = await visit("/docs")
    await drawn(page)
    commands = [await example(page, name) for name in ("list_users", "create_api_key", "get_health")]
    users, key, health = shell.run(commands, tmp_path, STEWARD_API_KEY=site.credentials["api_key"])
    assert users["items"]
    assert key["secret"].startswith("stw_sk_")
    assert health["status"] == "ok"


REFUSED_FOR_THEIR_CONTENT = frozenset(
    {"import_unreadable", "playbook_invalid", "address_refused", "customer_key_invalid", "too_few_intents"}
)
"""Requests that were understood; what their texts hold is no file, playbook or key."""


def _code(told: dict[str, Any]) -> str:
    """Why it was refused; below `/v1/` in the form of the dialect, Anthropic's without a code of ours."""
    said = told.get("error", told)
    return said.get("code") or said.get("type", "")


async def test_every_example_is_a_request_that_the_platform_understands(visit: Visitor, site: Steward) -> None:
    page = await visit("/docs")
    await drawn(page)
    refused: dict[str, str] = {}
    for operation, (method, _) in operations(site).items():
        words = shlex.split((await example(page, operation)).replace("$STEWARD_API_KEY", site.credentials["api_key"]))
        url = next(word for word in words if word.startswith("http"))
        headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
        if "-F" in words:
            # A form names a file of the reader's own.
            assert words.count("-F") == 2, operation
            continue
        body = words[words.index("-d") + 1].encode() if "-d" in words else None
        answer = site.call(method, url.removeprefix(site.url), body, headers=headers)
        understood = _code(answer.json) in REFUSED_FOR_THEIR_CONTENT if answer.status in MISUNDERSTOOD else True
        if not understood or answer.status == 0:
            refused[operation] = f"{answer.status} {answer.body.decode()}"
    assert refused == {}


@pytest.mark.parametrize(("language", "title"), [("zh-Hant", "API 參考"), ("zh-Hans", "API 参考")])
async def test_chrome_of_the_page_speaks(visit: Visitor, language: str, title: str) -> None:
    page = await visit("/docs#list_users")
    await expect(page.locator("#list_users")).to_have_attribute("open", "")
    await page.locator(f"[data-lang={language}]").click()
    await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    await expect(page).to_have_title(f"Steward · {title}")
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await expect(page).to_have_url(f"{page.url.split('/docs')[0]}/docs?lang={language}#list_users")
    await expect(page.locator("#list_users")).to_have_attribute("open", "")
    assert await english_left(page) == set()
    await page.locator("#filter").fill("users")
    assert await english_left(page) == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_reference_is_readable_and_named_in(visit: Visitor, scheme: str) -> None:
    page = await visit("/docs#update_quota", color_scheme=scheme)
    await drawn(page)
    await page.locator("#update_quota .failures > summary").click()
    assert await faint_texts(page) == []
    assert await flaws(page) == []
    stops = await tab_stops(page, 12)
    assert all(stop["seen"] for stop in stops), stops


async def test_reference_fits_a_phone_with_everything_open(visit: Visitor) -> None:
    page = await visit("/docs", viewport={"width": 360, "height": 740})
    await drawn(page)
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert not await scrolls_sideways(page)


async def test_description_that_cannot_be_read_is_told(visit: Visitor) -> None:
    page = await visit("/health")
    await page.route("**/openapi.json", lambda route: route.fulfill(status=503, body=""))
    await page.goto("/docs?lang=zh-Hans")
    await expect(page.get_by_text("无法读取 API 的描述").filter(has_text="HTTP 503")).to_be_visible()
    visit.forgive("status of 503")
