"""The room `understanding` on a real database, its shipped model trained once for all workers' tests of a run."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio

from steward.kit.context import Ctx
from steward.kit.ids import TenantId
from steward.kit.module import Apis, Module
from steward.kit.text import load
from steward.services.support.understanding.build import UnderstandingParts, build
from steward.services.support.understanding.model import Model
from tests.support.platform import Installation

CONFIGURE = "support:configure"
READ = "conversation:read"


class Room:
    """A room as one process has it, and a tenant."""

    def __init__(self, platform: Installation, parts: UnderstandingParts, tenant: TenantId) -> None:
        self.platform = platform
        self.parts = parts
        self.tenant = tenant

    def ctx(self, *scopes: str, tenant: TenantId | None = None, locale: str = "en") -> Ctx:
        return msgspec.structs.replace(self.platform.ctx(tenant or self.tenant, *scopes), locale=locale)

    def another_tenant(self) -> "Room":
        return Room(self.platform, self.parts, TenantId(self.platform.foundation.ids.new()))


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for a run: the first to need the shipped model trains it for the others."""
    return tmp_path_factory.getbasetemp().parent / "understanding-home"


def room_on(platform: Installation, home: Path) -> UnderstandingParts:
    parts = platform.foundation.parts(cast("Module", SimpleNamespace(name="support")), Apis(), ())
    return build(msgspec.structs.replace(parts, home=home))


@pytest_asyncio.fixture(scope="session")
async def process(platform: Installation, models_folder: Path) -> AsyncIterator[UnderstandingParts]:
    """A room of one process."""
    load()
    parts = room_on(platform, models_folder)
    await parts.start()
    yield parts
    await parts.stop()


@pytest_asyncio.fixture(scope="session")
async def shipped(process: UnderstandingParts) -> Model:
    return await process.shipped.model()


@pytest.fixture
def room(platform: Installation, process: UnderstandingParts) -> Room:
    return Room(platform, process, TenantId(platform.foundation.ids.new()))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
