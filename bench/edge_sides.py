"""The two sides of `bench/edge.py`, each a server process on the same PostgreSQL."""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg

from bench.processes import Usage, log_end, stop

ROOT = Path(__file__).parents[1]
PEER_SOURCE = ROOT / "bench" / "peers" / "edge_fastapi"
PEER_VENV = ROOT / "bench" / ".peers" / "edge_fastapi"
PEER_DATABASE = "edge_fastapi"
HOST = "127.0.0.1"
READY_SECONDS = 60.0
PER_MINUTE = 1_000_000
"""The rate limit of both sides' keys: it is checked at each request and never met."""


class Side(Protocol):
    """A server under load."""

    name: str
    port: int
    tenant: str
    key: str
    usage: Usage

    async def counts(self) -> Sequence[int]:
        """Rows in the audit outbox and in the event outbox."""
        ...


class Postgres:
    """The embedded server that Steward runs and both sides use."""

    def __init__(self, home: Path) -> None:
        lines = (home / "postgres" / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        self.pid = int(lines[0])
        self.socket_directory = lines[4]
        self.usage = Usage(self.pid)

    async def connect(self, database: str) -> "asyncpg.Connection[asyncpg.Record]":
        """As the superuser, over the server's socket."""
        return await asyncpg.connect(host=self.socket_directory, user="postgres", database=database)

    async def durability(self) -> str:
        connection = await self.connect("postgres")
        try:
            names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
            return ", ".join([f"{name} {await connection.fetchval(f'SHOW {name}')}" for name in names])
        finally:
            await connection.close()


class Steward:
    """`steward up` on a home of its own, with its access log in a file."""

    name = "steward"

    def __init__(self, directory: Path) -> None:
        self.port = _free_port()
        self._home = directory / "home"
        self._log = directory / "steward.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Postgres:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("STEWARD_", "DATABASE_"))}
        environment = {**known, "STEWARD_HOME": str(self._home), "STEWARD_PORT": str(self.port)}
        command = [str(Path(sys.executable).parent / "steward"), "up"]
        self._process = _spawn(command, environment, self._log)
        await _until_ready(self._process, self.port, self._log)
        credentials = json.loads(await asyncio.to_thread((self._home / "credentials.json").read_text, "utf-8"))
        self.tenant = credentials["tenant"]
        self.key = credentials["api_key"]
        self.postgres = Postgres(self._home)
        self.usage = Usage(self._process.pid, without=self.postgres.pid)
        return self.postgres

    async def counts(self) -> Sequence[int]:
        return await _counts(self.postgres, "steward", "tenants")

    async def sealed(self) -> int:
        """Entries of the tenants service that the audit service has chained; it has at most a second to do so."""
        connection = await self.postgres.connect("steward")
        try:
            return await connection.fetchval("SELECT count(*) FROM audit.entry WHERE action = 'tenant.updated'")
        finally:
            await connection.close()

    def close(self) -> None:
        if self._process is not None:
            stop(self._process)


class Peer:
    """The FastAPI application under uvicorn, one worker."""

    name = "fastapi"

    def __init__(self, directory: Path, postgres: Postgres, tenant: str) -> None:
        self.port = _free_port()
        self.tenant = tenant
        self.key = f"{UUID(tenant).hex}_{secrets.token_urlsafe(32)}"
        self._postgres = postgres
        self._log = directory / "peer.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        await self._fill_database()
        await asyncio.to_thread(install_peer)
        url = f"postgresql+asyncpg://steward_app@/{PEER_DATABASE}?host={self._postgres.socket_directory}"
        environment = {**os.environ, "DATABASE_URL": url}
        command = [
            *(str(PEER_VENV / "bin" / "python"), "-m", "uvicorn", "edge_fastapi.main:create_app", "--factory"),
            *("--app-dir", str(PEER_SOURCE.parent), "--host", HOST, "--port", str(self.port), "--workers", "1"),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        ]
        self._process = _spawn(command, environment, self._log)
        await _until_ready(self._process, self.port, self._log)
        self.usage = Usage(self._process.pid)

    async def counts(self) -> Sequence[int]:
        return await _counts(self._postgres, PEER_DATABASE, "app")

    def close(self) -> None:
        if self._process is not None:
            stop(self._process)

    async def _fill_database(self) -> None:
        """A database of its own on the same server, with the same tenant in it and a key of the same rights."""
        steward = await self._postgres.connect("steward")
        try:
            tenant = await steward.fetchrow("SELECT * FROM tenants.tenant WHERE tenant_id = $1", UUID(self.tenant))
            await steward.execute(f"CREATE DATABASE {PEER_DATABASE}")
        finally:
            await steward.close()
        own = await self._postgres.connect(PEER_DATABASE)
        try:
            await own.execute((PEER_SOURCE / "schema.sql").read_text(encoding="utf-8"))
            places = ", ".join(f"${number + 1}" for number in range(len(tenant)))
            await own.execute(f"INSERT INTO app.tenant ({', '.join(tenant.keys())}) VALUES ({places})", *tenant)
            await own.execute(
                "INSERT INTO app.api_key (tenant_id, id, secret_hash, scopes, requests_per_minute)"
                " VALUES ($1, $2, $3, $4, $5)",
                UUID(self.tenant),
                uuid4(),
                hashlib.sha256(self.key.encode()).digest(),
                ["tenant:read", "tenant:update"],
                PER_MINUTE,
            )
        finally:
            await own.close()


def install_peer() -> None:
    """The peer's own virtual environment, made when its lock file has changed."""
    lock = PEER_SOURCE / "requirements.txt"
    stamp = PEER_VENV / ".installed"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return
    shutil.rmtree(PEER_VENV, ignore_errors=True)
    print(f"installing the peer into {PEER_VENV.relative_to(ROOT)} …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(PEER_VENV)], check=True)
    pip = [str(PEER_VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-qqq", "--require-hashes", "-r", str(lock)], check=True)
    stamp.write_text(digest, encoding="utf-8")


def peer_version(name: str) -> str:
    """The version of a package in the peer's lock file."""
    for line in (PEER_SOURCE / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}=="):
            return line.split()[0].partition("==")[2]
    raise KeyError(name)


def fetch(side: Side, method: str = "GET", body: bytes | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """One request of a side: the body and the header fields of its answer."""
    request = urllib.request.Request(
        f"http://{HOST}:{side.port}/api/v1/tenants/{side.tenant}",
        data=body,
        method=method,
        headers={"X-API-Key": side.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer), {name.lower(): value for name, value in answer.headers.items()}


def read_request(side: Side) -> Callable[[], bytes]:
    """The same GET again and again."""
    wire = _head(side, "GET", "") + b"\r\n"
    return lambda: wire


def write_request(side: Side) -> Callable[[], bytes]:
    """A PATCH that changes the name, another name each time."""
    number = 0

    def make() -> bytes:
        nonlocal number
        number += 1
        body = b'{"name":"Bench %d"}' % number
        return (
            _head(side, "PATCH", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n") + b"\r\n" + body
        )

    return make


def _head(side: Side, method: str, more: str) -> bytes:
    return (
        f"{method} /api/v1/tenants/{side.tenant} HTTP/1.1\r\nHost: {HOST}:{side.port}\r\nX-API-Key: {side.key}\r\n"
        f"Accept: application/json\r\nUser-Agent: bench\r\n{more}"
    ).encode()


async def _counts(postgres: Postgres, database: str, schema: str) -> Sequence[int]:
    connection = await postgres.connect(database)
    try:
        return [await connection.fetchval(f"SELECT count(*) FROM {schema}.{t}") for t in ("audit_outbox", "outbox")]
    finally:
        await connection.close()


def _spawn(command: Sequence[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )


async def _until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait for `/ready`; raises with the end of its log when the server does not get there."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if await asyncio.to_thread(_is_ready, port):
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{' '.join(map(str, process.args))} did not get ready:\n{log_end(log)}")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/ready", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return probe.getsockname()[1]
