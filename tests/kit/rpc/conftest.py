"""A served world for each test."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.rpc import World, running


@pytest.fixture
async def world() -> AsyncGenerator[World, None]:
    async with running() as started:
        yield started
