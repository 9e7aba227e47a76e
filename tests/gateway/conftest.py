"""One running server for the tests that leave nothing behind."""

from collections.abc import AsyncIterator

import pytest

from tests.gateway.rig import Rig, running


@pytest.fixture(scope="session")
async def shared() -> AsyncIterator[Rig]:
    """A server with generous rate limits; its fakes are not to be changed."""
    async with running() as rig:
        yield rig
