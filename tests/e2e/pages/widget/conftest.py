"""A shop's page with the chat on it, in a real Chromium."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.pages.conftest import Visitor
from tests.e2e.pages.widget.desk import Desk


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def running_desk() -> AsyncIterator[Desk]:
    async with Desk() as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def desk(running_desk: Desk) -> Desk:
    running_desk.reset()
    return running_desk


@pytest_asyncio.fixture(loop_scope="session")
async def guest(browser: Browser, desk: Desk) -> AsyncIterator[Visitor]:
    """Opens the page; no page may log an error, break its policy or call another host."""
    visitor = Visitor(browser, desk)
    visitor.neighbours.append(desk.desk_url)
    yield visitor
    await visitor.leave()
    assert visitor.complaints == []
    assert visitor.elsewhere == []
