import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from steward.bootstrap.demo.desk import DemoDesk
from steward.bootstrap.demo.shop import DemoShop, find_shop, free_port, is_free
from steward.bootstrap.home import Credentials, Home
from steward.kit.clock import SystemClock
from steward.kit.ids import Ids, TenantId
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from tests.support.shop import REPOSITORY

CLOCK = SystemClock()
IDS = Ids(CLOCK)
TENANT = TenantId(IDS.new())
PARENT = """
import asyncio, sys
from pathlib import Path
from steward.bootstrap.demo.shop import DemoShop, find_shop
from steward.kit.clock import SystemClock
from steward.kit.ids import TenantId
from steward.kit.telemetry import Telemetry
from uuid import UUID

async def main():
    clock = SystemClock()
    shop = DemoShop(find_shop(), Path(sys.argv[1]), int(sys.argv[2]), "secret", clock, Telemetry.for_tests(clock).log)
    shop.start(TenantId(UUID(int=1)))
    assert await shop.customer_key(20)
    print(shop.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def telemetry() -> CapturingTelemetry:
    return Telemetry.for_tests()


@pytest.fixture
async def shop(tmp_path: Path, telemetry: CapturingTelemetry) -> AsyncIterator[DemoShop]:
    root = find_shop()
    assert root == REPOSITORY
    made = DemoShop(root, tmp_path, free_port(), "secret", CLOCK, telemetry.log)
    yield made
    await made.stop()


async def until_gone(pid: int) -> None:
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not come true within 10 s")


def spawn_platform(data: Path) -> "subprocess.Popen[str]":
    """A process that does with the shop what a platform does."""
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data), str(free_port())], stdout=subprocess.PIPE, text=True
    )


async def test_shop_starts_answers_and_ends(
    shop: DemoShop, telemetry: CapturingTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_NOTHING", "for the shop")
    shop.start(TENANT)
    key = await shop.customer_key(20)
    assert key is not None
    assert b'"kid"' in key
    assert b'"d"' not in key
    pid = shop.pid
    assert pid is not None
    environment = psutil.Process(pid).environ()
    assert not [name for name in environment if name.startswith(("STEWARD_", "DATABASE_"))]
    assert "secret" not in " ".join(psutil.Process(pid).cmdline())
    await shop.stop()
    await until_gone(pid)
    assert [line["event_type"] for line in telemetry.logs] == []


async def test_shop_that_dies_is_started_again(shop: DemoShop, telemetry: CapturingTelemetry) -> None:
    shop.start(TENANT)
    key = await shop.customer_key(20)
    first = shop.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: shop.pid != first)
    assert await shop.customer_key(20) == key
    assert [line["event_type"] for line in telemetry.logs] == ["demo.shop_ended"]


async def test_shop_ends_with_a_platform_that_is_killed(tmp_path: Path) -> None:
    parent = spawn_platform(tmp_path)
    assert parent.stdout is not None
    with parent.stdout as out:
        pid = int(await asyncio.to_thread(out.readline))
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    await until_gone(pid)


async def test_silent_shop_is_not_waited_for_without_end(shop: DemoShop) -> None:
    assert await shop.customer_key(0.1) is None


async def test_port_is_remembered_and_another_taken_where_it_is_in_use(
    tmp_path: Path, telemetry: CapturingTelemetry
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    first = (await DemoDesk.open(home, 0, CLOCK, IDS, telemetry.log)).environment({})
    assert (await DemoDesk.open(home, 0, CLOCK, IDS, telemetry.log)).environment({}) == first
    port = int(first["STEWARD_SHOP_ALLOWED_HOSTS"].rpartition(":")[2])
    assert is_free(port)
    listener = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port)
    async with listener:
        moved = (await DemoDesk.open(home, 0, CLOCK, IDS, telemetry.log)).environment({})
    assert moved != first
    named = await DemoDesk.open(home, 18099, CLOCK, IDS, telemetry.log)
    assert named.environment({"STEWARD_SHOP_ALLOWED_HOSTS": "intranet:1"}) == {
        "STEWARD_SHOP_ALLOWED_HOSTS": "intranet:1,127.0.0.1:18099"
    }


def test_credentials_of_older_homes_are_read(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.credentials_file.write_text('{"url": "u", "tenant": "t", "email": "e", "password": "p", "api_key": "k"}')
    assert home.read_credentials() == Credentials(url="u", tenant="t", email="e", password="p", api_key="k")
