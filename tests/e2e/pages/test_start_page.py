"""The start page as people use it: by sight, by keyboard, in three languages, with things going wrong."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from steward.bootstrap.modules import service_names
from tests.e2e.pages import shell
from tests.e2e.pages.conftest import SignIn, Visitor, enter
from tests.e2e.pages.looks import english_left, faint_texts, flaws, scrolls_sideways, tab_stops
from tests.e2e.running import Steward, until

PHONE = {"width": 360, "height": 740}
PARTS = {"en": "Database", "zh-Hant": "資料庫", "zh-Hans": "数据库"}


async def settled(page: Page) -> None:
    await expect(page.locator("#dependencies li")).to_have_count(len(service_names()) + 2)


async def test_status_of_each_part_is_shown(visit: Visitor, site: Steward) -> None:
    page = await visit()
    await expect(page.get_by_role("status")).to_have_text("All systems work")
    parts = site.get("/health").json["dependencies"]
    await expect(page.get_by_role("region", name="Platform status").get_by_role("listitem")).to_have_count(len(parts))
    await expect(page.get_by_text("Database works")).to_be_visible()
    await expect(page.get_by_text(f"Version {site.get('/health').json['version']}")).to_be_visible()


async def test_part_that_is_down_is_named_with_its_reason(visit: Visitor) -> None:
    page = await visit("/openapi.json")
    down = {
        "status": "down",
        "version": "0.1.0",
        "dependencies": {
            "database": {"status": "down", "detail": "connection refused"},
            "audit": {"status": "ok", "detail": "at 127.0.0.1:7001"},
        },
    }

    async def answer(route: Route) -> None:
        await route.fulfill(status=503, json=down)

    await page.route("**/health", answer)
    await page.goto("/")
    await expect(page.get_by_role("status")).to_have_text("Not everything works")
    await expect(page.get_by_text("Database down connection refused")).to_be_visible()
    await expect(page.get_by_text("Audit works, at 127.0.0.1:7001")).to_be_visible()
    assert await faint_texts(page) == []
    visit.forgive("status of 503")


async def test_platform_that_does_not_answer_is_told(visit: Visitor) -> None:
    page = await visit("/openapi.json")
    await page.route("**/health", lambda route: route.abort())
    await page.goto("/")
    await expect(page.get_by_role("status")).to_have_text("The platform does not answer")
    visit.forgive("ERR_FAILED")


async def test_language_switch_changes_texts_address_and_document(visit: Visitor, site: Steward) -> None:
    page = await visit()
    await settled(page)
    names = (("繁體中文", "zh-Hant", "登入"), ("简体中文", "zh-Hans", "登录"), ("English", "en", "Sign in"))
    for link, language, sign_in in names:
        await page.get_by_role("link", name=link).click()
        await expect(page.get_by_role("heading", name=sign_in, exact=True)).to_be_visible()
        await expect(page).to_have_url(f"{site.url}/?lang={language}")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await expect(page.locator("[data-lang][aria-current]")).to_have_text(link)
        await expect(page.get_by_text(PARTS[language])).to_be_visible()
    await page.get_by_role("link", name="简体中文").click()
    await page.reload()
    await expect(page.get_by_role("button", name="登录")).to_be_visible()
    await page.get_by_role("link", name="API 参考").first.click()
    await expect(page.get_by_role("heading", name="API 参考", level=1)).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "language"), [("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"), ("zh-CN", "zh-Hans"), ("fr-FR", "en")]
)
async def test_language_of_the_browser_is_the_first_choice(visit: Visitor, locale: str, language: str) -> None:
    page = await visit("/", locale=locale)
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await settled(page)


async def test_signed_in_user_sees_self_tenant_quotas_and_trail(visit: Visitor, site: Steward) -> None:
    page = await visit()
    started = "/api/v1/audit/entries?action=session.started&limit=1"
    before = site.api("GET", started).json["items"]
    await page.get_by_label("E-mail address").fill(site.credentials["email"])
    await page.get_by_label("Password").fill(site.credentials["password"])
    await page.get_by_role("button", name="Sign in").click()
    me = page.get_by_role("region", name="Who you are")
    await expect(me).to_contain_text(site.credentials["email"])
    await expect(me).to_contain_text("platform-operator")
    await expect(page.get_by_role("heading", name="Who you are")).to_be_focused()
    await expect(page.get_by_role("region", name="Tenant", exact=True)).to_contain_text("Enterprise")
    quotas = site.api("GET", f"/api/v1/tenants/{site.credentials['tenant']}/usage").json["quotas"]
    await expect(page.get_by_role("region", name="Quotas and use").get_by_role("meter")).to_have_count(len(quotas))
    users = next(entry for entry in quotas if entry["quota"] == "users")
    await expect(page.get_by_label("Users")).to_have_attribute("value", str(users["used"]))
    await expect(page.get_by_text(f"{users['used']} of {users['limit']:,}", exact=True)).to_be_visible()
    trail = page.get_by_role("table")
    await expect(trail.get_by_role("columnheader")).to_have_text(["When", "Who", "What", "On what", "Outcome"])
    await expect(trail.get_by_role("row")).not_to_have_count(1)
    await expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_hidden()
    # The trail shows what is sealed, which takes up to a second.
    until(lambda: site.api("GET", started).json["items"] != before)
    await page.get_by_role("button", name="Refresh").click()
    await expect(trail).to_contain_text("session.started")


async def test_trail_can_be_read_again(visit: Visitor, sign_in: SignIn, site: Steward) -> None:
    page = await visit()
    await sign_in(page)
    key = site.api("POST", "/api/v1/api-keys", {"name": "page", "scopes": ["user:read"]}).json["api_key"]["id"]
    until(lambda: key in site.api("GET", "/api/v1/audit/entries?action=key.created&limit=1").body.decode())
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_title(f"key/{key}")).to_have_count(1)


async def test_wrong_password_is_a_clear_error_in_the_language_of_the_page(visit: Visitor, site: Steward) -> None:
    page = await visit()
    await enter(page, site.credentials["email"], "not the password")
    await expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    await expect(page.get_by_label("Password")).to_be_focused()
    await expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_role("link", name="繁體中文").click()
    await expect(page.get_by_role("alert")).to_have_text("電子郵件或密碼不正確。")
    assert await faint_texts(page) == []
    visit.forgive("status of 401")


async def test_empty_form_says_what_is_missing(visit: Visitor) -> None:
    page = await visit()
    await settled(page)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("Fill in e-mail address and password.")
    await expect(page.get_by_label("E-mail address")).to_be_focused()


async def test_sign_out_ends_the_session_and_forgets(visit: Visitor, sign_in: SignIn, site: Steward) -> None:
    page = await visit()
    async with page.expect_response("**/auth/login") as answered:
        await sign_in(page)
    token = (await (await answered.value).json())["access_token"]
    async with page.expect_response("**/auth/logout") as ended:
        await page.get_by_role("button", name="Sign out").click()
    assert (await ended.value).status == 204
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    await expect(page.get_by_label("Password")).to_have_value("")
    bearer = {"Authorization": f"Bearer {token}"}
    until(lambda: site.call("GET", "/api/v1/auth/me", headers=bearer).status == 401)


async def test_session_ended_elsewhere_leads_back_to_signing_in(visit: Visitor, sign_in: SignIn, site: Steward) -> None:
    page = await visit()
    async with page.expect_response("**/auth/login") as answered:
        await sign_in(page)
    tokens = await (await answered.value).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert site.call("DELETE", f"/api/v1/auth/sessions/{tokens['session_id']}", headers=bearer).status == 204
    until(lambda: site.call("GET", "/api/v1/auth/me", headers=bearer).status == 401)
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_role("alert")).to_have_text("You were signed out: sign in again.")
    visit.forgive("status of 401")


async def test_access_token_that_ran_out_is_renewed_once(visit: Visitor, sign_in: SignIn) -> None:
    page = await visit()
    async with page.expect_response("**/auth/login") as answered:
        await sign_in(page)
    old = (await (await answered.value).json())["access_token"]
    renewals: list[str] = []
    page.on("request", lambda asked: renewals.append(asked.url) if asked.url.endswith("/auth/refresh") else None)

    async def expire(route: Route) -> None:
        if route.request.headers.get("authorization") == f"Bearer {old}" and "/auth/me" not in route.request.url:
            await route.fulfill(status=401, json={"code": "invalid_credential"})
        else:
            await route.continue_()

    await page.route("**/api/v1/**", expire)
    async with page.expect_response(lambda answer: "/audit/entries" in answer.url and answer.ok):
        await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_role("table")).to_contain_text("session.started")
    assert len(renewals) == 1
    visit.forgive("status of 401")


async def test_keyboard_alone_is_enough(visit: Visitor, site: Steward) -> None:
    page = await visit()
    await settled(page)
    await expect(page.get_by_role("link", name="Demo shop")).to_be_visible()
    stops = await tab_stops(page)
    assert all(stop["seen"] for stop in stops), stops
    names = [stop["name"] for stop in stops]
    assert names[:7] == ["Skip to content", "Steward", "Demo shop", "API reference", "en", "zh-Hant", "zh-Hans"]
    assert names[7:10] == ["email", "password", "submit"]
    assert names.count("Copy") == 4
    await page.get_by_label("E-mail address").focus()
    await page.keyboard.type(site.credentials["email"])
    await page.keyboard.press("Tab")
    await page.keyboard.type(site.credentials["password"])
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Who you are")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Sign out")).to_be_focused()
    stops = await tab_stops(page)
    assert all(stop["seen"] for stop in stops), stops
    assert {"sign-out", "refresh", "audit"} <= {stop["name"] for stop in stops}


async def test_skip_link_leads_to_the_content(visit: Visitor) -> None:
    page = await visit()
    await settled(page)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_is_readable_and_named_in(visit: Visitor, sign_in: SignIn, scheme: str) -> None:
    page = await visit("/", color_scheme=scheme)
    await settled(page)
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(json.loads(f"[{ground[4:-1]}]")) < 60) == (scheme == "dark")
    assert await faint_texts(page) == []
    assert await flaws(page) == []
    await sign_in(page)
    await page.locator("#me summary").click()
    assert await faint_texts(page) == []
    assert await flaws(page) == []


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_phone_never_scrolls_sideways(visit: Visitor, sign_in: SignIn, language: str) -> None:
    page = await visit(f"/?lang={language}", viewport=PHONE, has_touch=True)
    await settled(page)
    assert not await scrolls_sideways(page)
    await sign_in(page)
    await page.locator("#me summary").click()
    assert not await scrolls_sideways(page)


@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans"])
async def test_no_english_is_left_in(visit: Visitor, sign_in: SignIn, site: Steward, language: str) -> None:
    page = await visit(f"/?lang={language}")
    await settled(page)
    assert await english_left(page) == set()
    await sign_in(page)
    assert await english_left(page) == set()
    page = await visit(f"/?lang={language}")
    await enter(page, *viewer(site, f"{language}@example.com".lower()))
    await expect(page.get_by_role("region").get_by_text("audit:read")).to_be_visible()
    assert await english_left(page) == set()
    visit.forgive("status of 403")


def viewer(site: Steward, email: str) -> tuple[str, str]:
    """A user who may see little; the address and the password."""
    password = "correct horse battery"
    invited = site.api("POST", "/api/v1/users", {"email": email, "name": "Vi", "roles": ["viewer"]}).json
    body = {"token": invited["token"], "name": "Vi", "password": password}
    assert site.call("POST", "/api/v1/auth/register", body).status == 201
    return email, password


async def test_things_to_try_work_in_a_shell(visit: Visitor, site: Steward, playground: Path) -> None:
    page = await visit()
    commands = await page.locator("#tries pre").all_inner_texts()
    assert len(commands) == 4
    directory = playground / "shell"
    directory.mkdir()
    (directory / ".steward").symlink_to(site.home)
    me, users, trail = shell.run(commands, directory)
    assert me["tenant"] == site.credentials["tenant"]
    assert any(user["email"] == site.credentials["email"] for user in users["items"])
    assert len(trail["items"]) == 5


async def test_copied_command_is_the_one_shown(visit: Visitor) -> None:
    page = await visit("/", permissions=["clipboard-read", "clipboard-write"])
    block = page.locator(".command").nth(1)
    await block.get_by_role("button", name="Copy").press("Enter")
    await expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == await block.locator("code").text_content()
