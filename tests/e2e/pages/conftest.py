"""A running installation and a real Chromium that looks at its pages."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.e2e.conftest import copy_home
from tests.e2e.running import Steward
from tests.support.browser import find_browser

WAIT_MS = 15_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`));
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All on one worker, which shares one installation and one browser."""
    for item in items:
        if "tests/e2e/pages/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("pages"))


@pytest.fixture(scope="package")
def site(prepared_home: Path) -> Iterator[Steward]:
    """The installation whose pages are looked at."""
    running = Steward(copy_home(prepared_home, "pages")).start()
    yield running
    running.stop()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium with an empty profile; without one the tests are skipped, but in CI they fail."""
    path = find_browser()
    if path is None:
        said = "NO CHROMIUM HERE: the pages are not tested. Install Debian's package `chromium`."
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        await chromium.close()


class Site(Protocol):
    """What has pages."""

    @property
    def url(self) -> str: ...


class Visitor:
    """Opens pages and remembers what they complained of and whom they talked to."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.neighbours: list[str] = []
        """Other origins that a page may call."""

    async def __call__(self, path: str = "/", **options: Any) -> Page:
        options.setdefault("locale", "en-US")
        options.setdefault("reduced_motion", "reduce")
        context = await self._browser.new_context(base_url=self._site.url, **options)
        context.set_default_timeout(WAIT_MS)
        await context.add_init_script(TELL_VIOLATIONS)
        page = await context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        await page.goto(path)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, url: str) -> None:
        if not any(url.startswith(origin + "/") for origin in (self._site.url, *self.neighbours)):
            self.elsewhere.append(url)

    def forgive(self, piece: str) -> None:
        """Take complaints that a test provoked off the list; there must be some."""
        kept = [line for line in self.complaints if piece not in line]
        assert kept != self.complaints, f"nothing complained of {piece!r}"
        self.complaints = kept

    async def leave(self) -> None:
        for context in self._browser.contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, site: Steward) -> AsyncIterator[Visitor]:
    """Opens a page in a fresh context. No page may log an error, break its policy or call another host."""
    visitor = Visitor(browser, site)
    yield visitor
    await visitor.leave()
    assert visitor.complaints == []
    assert visitor.elsewhere == []


SignIn = Callable[[Page], Awaitable[None]]


@pytest.fixture
def sign_in(site: Steward) -> SignIn:
    """Signs in as the owner of the demo tenant, in the language that the page is in."""

    async def act(page: Page) -> None:
        await enter(page, site.credentials["email"], site.credentials["password"])
        await expect(page.locator("#signed-in")).to_be_visible()

    return act


async def enter(page: Page, email: str, password: str) -> None:
    """Fill in the log-in and send it off by the keyboard."""
    await page.locator("#email").fill(email)
    await page.locator("#password").fill(password)
    await page.locator("#password").press("Enter")
