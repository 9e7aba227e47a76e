"""The embedded PostgreSQL, for real: started, killed, taken over, and closed to everybody else."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import structlog

from steward.bootstrap.embedded import DATABASE, EmbeddedError, EmbeddedPostgres
from steward.bootstrap.embedded.account import find_account
from steward.bootstrap.embedded.cluster import Cluster, find_binaries
from steward.bootstrap.embedded.processes import end_orphans, is_postmaster, read_postmaster_file
from steward.bootstrap.home import Home
from steward.kit.clock import SystemClock

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def new_home() -> Home:
    """Not below pytest's own directory: each run of pytest closes that one, and the server may be another user."""
    home = Home(Path(tempfile.mkdtemp(prefix="steward-test-")) / "home")
    home.path.parent.chmod(0o711)
    home.create()
    return home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    home = new_home()
    yield home
    shutil.rmtree(home.path.parent)


def embedded(home: Home) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, SystemClock(), structlog.get_logger())


@pytest.fixture(scope="module")
async def server(home: Home) -> AsyncIterator[EmbeddedPostgres]:
    server = embedded(home)
    await server.start()
    yield server
    await server.stop()


async def connected(url: str) -> asyncpg.Connection:
    """Connect, again and again while the server recovers; the test's time limit bounds it."""
    while True:
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.02)


async def shown(url: str, setting: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(f"SHOW {setting}")
    finally:
        await connection.close()


async def test_the_login_role_connects_and_can_bypass_nothing(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.app_url)
    role = await connection.fetchrow(
        "SELECT rolname, rolsuper, rolbypassrls, rolinherit, rolcreatedb, rolcreaterole FROM pg_roles "
        "WHERE rolname = current_user"
    )
    await connection.close()
    assert tuple(role) == ("steward_app", False, False, False, False, False)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("wal_level", "replica"),
        ("jit", "off"),
        ("max_connections", "100"),
        ("shared_buffers", "128MB"),
        ("log_min_duration_statement", "1s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
    ],
)
async def test_the_configuration_is_ours(server: EmbeddedPostgres, setting: str, value: str) -> None:
    assert await shown(server.app_url, setting) == value


async def test_the_order_of_text_does_not_depend_on_the_machine(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.admin_url)
    row = await connection.fetchrow(
        "SELECT datlocprovider::text, datlocale, upper('é') FROM pg_database WHERE datname = $1", DATABASE
    )
    await connection.close()
    assert tuple(row) == ("b", "C.UTF-8", "É")


async def test_the_server_listens_on_no_network(server: EmbeddedPostgres) -> None:
    assert psutil.Process(server.pid).net_connections(kind="inet") == []


async def test_another_role_is_refused(server: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(server.admin_url)
    await admin.execute("CREATE ROLE intruder LOGIN SUPERUSER")
    await admin.close()
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"pg_hba\.conf rejects"):
        await asyncpg.connect(server.admin_url.replace("postgres@", "intruder@"))


@ROOT_ONLY
def test_another_user_of_the_machine_cannot_reach_the_socket(server: EmbeddedPostgres, home: Home) -> None:
    assert "Permission denied" in _psql_as_nobody(home.postgres)


@ROOT_ONLY
def test_another_user_of_the_machine_is_refused_even_at_the_socket(server: EmbeddedPostgres, home: Home) -> None:
    socket = home.postgres / ".s.PGSQL.5432"
    home.postgres.chmod(0o711)
    socket.chmod(0o777)
    try:
        assert 'Peer authentication failed for user "postgres"' in _psql_as_nobody(home.postgres)
    finally:
        socket.chmod(0o700)
        home.postgres.chmod(0o700)


def _psql_as_nobody(socket: Path) -> str:
    psql = find_binaries() / "bin" / "psql"
    command = (str(psql), "-h", str(socket), "-U", "postgres", "-c", "SELECT 1", DATABASE)
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, user=65534, group=65534, extra_groups=(), cwd="/", env={}
    )
    assert done.returncode != 0
    return done.stderr


def test_the_files_are_closed_to_others(server: EmbeddedPostgres, home: Home) -> None:
    open_ones = [
        path for path in home.postgres.rglob("*") if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert [path for path in open_ones if not stat.S_ISSOCK(path.stat().st_mode)] == []
    assert stat.S_IMODE(home.postgres.stat().st_mode) == 0o700
    assert home.postgres.stat().st_uid == find_account().uid


async def test_after_a_kill_the_server_is_back_with_all_that_was_committed(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.admin_url)
    await connection.execute("CREATE TABLE kept (i int)")
    await connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    killed = server.pid
    os.kill(killed, signal.SIGKILL)
    again = await connected(server.admin_url)
    assert await again.fetchval("SELECT count(*) FROM kept") == 1000
    await again.close()
    assert server.pid != killed
    connection.terminate()


async def test_a_backend_that_outlives_the_postmaster_does_not_keep_the_server_down(server: EmbeddedPostgres) -> None:
    busy = await asyncpg.connect(server.admin_url)
    backend = await busy.fetchval("SELECT pg_backend_pid()")
    work = asyncio.create_task(busy.execute("SELECT count(*) FROM generate_series(1, 10000000000)"))
    await until_active(server, backend)
    os.kill(server.pid, signal.SIGKILL)
    again = await connected(server.admin_url)
    await again.close()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await work
    assert not psutil.pid_exists(backend) or psutil.Process(backend).status() == psutil.STATUS_ZOMBIE


async def until_active(server: EmbeddedPostgres, backend: int) -> None:
    connection = await asyncpg.connect(server.admin_url)
    while await connection.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", backend) != "active":
        pass
    await connection.close()


async def test_a_killed_platform_leaves_a_server_that_the_next_start_adopts() -> None:
    home = new_home()
    code = (
        "import asyncio, os, sys, structlog\n"
        "from pathlib import Path\n"
        "from steward.bootstrap.embedded import EmbeddedPostgres\n"
        "from steward.bootstrap.home import Home\n"
        "from steward.kit.clock import SystemClock\n"
        "async def main():\n"
        "    server = EmbeddedPostgres(Home(Path(sys.argv[1])), SystemClock(), structlog.get_logger())\n"
        "    await server.start()\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = await asyncio.to_thread(
        subprocess.run, (sys.executable, "-c", code, str(home.path)), check=False, env=environment
    )
    assert done.returncode == -signal.SIGKILL
    left = read_postmaster_file(home.postgres / "data")
    assert left is not None
    server = embedded(home)
    await server.start()
    assert server.pid == left.pid
    os.kill(left.pid, signal.SIGKILL)  # An adopted server is watched like one's own.
    await (await connected(server.app_url)).close()
    await server.stop()
    assert not server.is_running()
    shutil.rmtree(home.path.parent)


def process_of_the_server_user() -> subprocess.Popen[bytes]:
    """PostgreSQL takes only processes of its own user for the owner of a lock."""
    return subprocess.Popen(("sleep", "100"), **find_account().run_as)


async def test_locks_of_a_dead_server_are_removed_even_when_their_number_was_given_again() -> None:
    home = new_home()
    server = embedded(home)
    await server.start()
    await server.stop()
    stranger = process_of_the_server_user()
    lines = f"{stranger.pid}\n{home.postgres / 'data'}\n1\n5432\n{home.postgres}\n\n1 1\nready\n"
    (home.postgres / "data" / "postmaster.pid").write_text(lines)
    (home.postgres / ".s.PGSQL.5432.lock").write_text(lines)
    await server.start()
    assert server.is_running()
    assert server.pid != stranger.pid
    await server.stop()
    stranger.kill()
    stranger.wait()
    shutil.rmtree(home.path.parent)


async def test_a_first_start_that_was_killed_half_way_is_begun_anew() -> None:
    home = new_home()
    half = home.postgres / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = embedded(home)
    await server.start()
    assert await shown(server.app_url, "server_version_num") >= "180000"
    await server.stop()
    shutil.rmtree(home.path.parent)


async def test_data_of_another_version_is_refused_with_a_remedy() -> None:
    home = new_home()
    data = home.postgres / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 16 and this is 18: bring it over"):
        await embedded(home).start()
    shutil.rmtree(home.path.parent)


async def test_a_server_that_cannot_start_says_why() -> None:
    home = new_home()
    server = embedded(home)
    await server.start()
    await server.stop()
    (home.postgres / "data" / "conf.d" / "wrong.conf").write_text("max_connections = many\n")
    (home.postgres / "data" / "conf.d" / "wrong.conf").chmod(0o644)
    with pytest.raises(EmbeddedError, match='invalid value for parameter "max_connections"'):
        await server.start()
    shutil.rmtree(home.path.parent)


def test_a_home_too_deep_for_a_socket_gets_one_elsewhere() -> None:
    account = find_account()
    deep = Path(tempfile.gettempdir()) / ("d" * 120)
    cluster = Cluster(deep, account, find_binaries())
    assert cluster.socket_directory == Path(tempfile.gettempdir()) / cluster.name
    assert Cluster(Path("/srv/a,b"), account, find_binaries()).socket_directory != Path("/srv/a,b")
    assert Cluster(Path("/srv/steward"), account, find_binaries()).socket_directory == Path("/srv/steward")


@ROOT_ONLY
def test_a_socket_directory_of_somebody_else_is_refused() -> None:
    deep = Path(tempfile.mkdtemp(prefix="steward-test-")) / ("d" * 120)
    cluster = Cluster(deep, find_account(), find_binaries())
    cluster.socket_directory.mkdir()
    os.chown(cluster.socket_directory, 65534, 65534)
    deep.mkdir()
    with pytest.raises(EmbeddedError, match="belongs to somebody else"):
        cluster.prepare()
    cluster.socket_directory.rmdir()
    shutil.rmtree(deep.parent)


async def test_a_process_that_is_no_postgres_is_not_taken_for_one(home: Home) -> None:
    account = find_account()
    assert not is_postmaster(os.getpid(), home.postgres / "data", account)
    assert await end_orphans("steward-nobody", account, SystemClock()) == 0
