"""Installations for the tests from outside."""

import asyncio
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.external import SETUP, run_sql
from tests.e2e.running import Steward, until
from tests.support.postgres import PostgresForTests

TWO = (("serve", "identity", "audit", "knowledge", "costs"), ("serve", "gateway", "tenants", "support", "models"))

ATTACKED_AGAIN = "test_hostile-serve"
"""The edge of a divided installation is the same as of one in one process: attacking that too is a long proof."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives real processes; a group keeps what shares an installation on one worker."""
    for item in items:
        if "tests/e2e/" not in item.nodeid:
            continue
        item.add_marker(pytest.mark.e2e)
        if isinstance(item, pytest.Function) and "installation" in item.fixturenames:
            group = f"{item.path.stem}-{item.callspec.params['installation']}"
            item.add_marker(pytest.mark.xdist_group(group))
            if group == ATTACKED_AGAIN:
                item.add_marker(pytest.mark.proof)


@pytest.fixture(scope="session")
def playground() -> Iterator[Path]:
    """A directory for homes. Not pytest's: that one is closed to the user as which PostgreSQL runs under root."""
    directory = Path(tempfile.mkdtemp(prefix="steward-e2e-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def prepared_home(playground: Path) -> Path:
    """A home that was started once and drained: copying it is faster than a first start."""
    steward = Steward(playground / "prepared").start()
    # Trained behind the customers' backs; a home without its model would have it trained at every start.
    until(lambda: any((steward.home / "models").glob("*.model")), 30)
    steward.stop()
    return steward.home


def copy_home(prepared: Path, name: str) -> Path:
    """An installation of its own for a test that kills or fills it, with owners and modes as they were."""
    to = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=prepared.parent))
    to.chmod(0o711)
    subprocess.run(["cp", "-a", str(prepared), str(to / "home")], check=True)
    return to / "home"


@pytest.fixture
def steward(prepared_home: Path) -> Iterator[Steward]:
    """An installation of the test's own, not started yet; drained at the end."""
    running = Steward(copy_home(prepared_home, "own"))
    yield running
    _end(running)


@pytest.fixture(scope="module", params=["up", "serve"])
def installation(request: pytest.FixtureRequest, prepared_home: Path) -> Iterator[Steward]:
    """A running installation: everything in one process, or as two processes over gRPC.

    A module may name settings of its own in `SETTINGS`.
    """
    home = copy_home(prepared_home, request.param)
    running = Steward(home, (("up",),) if request.param == "up" else TWO)
    # The home has its demo tenant; the demo's shop would be a process more.
    running.start(**{"STEWARD_DEMO": "off", **getattr(request.module, "SETTINGS", {})})
    yield running
    _end(running)


@pytest.fixture(scope="module")
def plain() -> Iterator[PostgresForTests]:
    """A cluster in which nobody has heard of Steward, but for the roles and the databases that the manual makes."""
    server = PostgresForTests()
    try:
        server.start()
        asyncio.run(run_sql(server.dsn("postgres"), SETUP))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def addresses(plain: PostgresForTests) -> Mapping[str, str]:
    """The variables for a database there that the tests of a module share."""
    return _addresses(plain, "steward")


@pytest.fixture
def own_addresses(plain: PostgresForTests) -> Mapping[str, str]:
    """The variables for a database there of the test's own."""
    name = f"own_{uuid.uuid4().hex}"
    asyncio.run(run_sql(plain.dsn("postgres"), (f"CREATE DATABASE {name} OWNER steward_owner TEMPLATE template0",)))
    return _addresses(plain, name)


def _addresses(server: PostgresForTests, name: str) -> Mapping[str, str]:
    return {"DATABASE_URL": server.dsn(name, "steward_app"), "DATABASE_ADMIN_URL": server.dsn(name, "steward_owner")}


@pytest.fixture
def fresh(playground: Path) -> Iterator[Steward]:
    """An installation on a home that does not exist yet; its test starts it, and it ends with the test."""
    directory = Path(tempfile.mkdtemp(prefix="fresh-", dir=playground))
    directory.chmod(0o711)
    running = Steward(directory / "home")
    yield running
    _end(running)


def _end(running: Steward) -> None:
    if running.processes:
        running.stop()
