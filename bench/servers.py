"""What benchmarks of servers share: Steward with its PostgreSQL, peers in environments of their own, starting both."""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import asyncpg

from bench.processes import Usage, log_end, stop

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "bench" / "peers"
ENVIRONMENTS = ROOT / "bench" / ".peers"
HOST = "127.0.0.1"
READY_SECONDS = 90.0
PER_MINUTE = 1_000_000
"""The rate limit of all sides' keys: it is checked at each request and never met."""
_POLL_SECONDS = 0.02


class Side(Protocol):
    """A server under load."""

    name: str
    port: int
    tenant: str
    key: str
    usage: Usage


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

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.home = directory / "home"
        self._settings = settings or {}
        self._log = directory / "steward.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> Postgres:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("STEWARD_", "DATABASE_"))}
        place = {"STEWARD_HOME": str(self.home), "STEWARD_PORT": str(self.port)}
        command = [str(Path(sys.executable).parent / "steward"), "up"]
        self._process = spawn(command, {**known, **place, **self._settings}, self._log)
        await until_ready(self._process, self.port, self._log)
        credentials = json.loads(await asyncio.to_thread((self.home / "credentials.json").read_text, "utf-8"))
        self.tenant = credentials["tenant"]
        self.key = credentials["api_key"]
        self.postgres = Postgres(self.home)
        self.usage = Usage(self._process.pid, without=[self.postgres.pid])
        return self.postgres

    def close(self) -> None:
        if self._process is not None:
            stop(self._process)


class PeerProgram(NamedTuple):
    """A peer's source and the virtual environment that it has to itself."""

    name: str

    @property
    def source(self) -> Path:
        return PEERS / self.name

    @property
    def python(self) -> Path:
        return ENVIRONMENTS / self.name / "bin" / "python"

    @property
    def _lock(self) -> Path:
        return self.source / "requirements.txt"

    def install(self) -> None:
        """Make it where its lock file has changed."""
        place = self.python.parents[1]
        stamp = place / ".installed"
        digest = hashlib.sha256(self._lock.read_bytes()).hexdigest()
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
            return
        shutil.rmtree(place, ignore_errors=True)
        print(f"installing the peer into {place.relative_to(ROOT)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-qqq", "--require-hashes", "-r", str(self._lock)], check=True)
        stamp.write_text(digest, encoding="utf-8")

    def version(self, name: str) -> str:
        """The version of a package in the lock file."""
        for line in self._lock.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}=="):
                return line.split()[0].partition("==")[2]
        raise KeyError(name)

    def serve(self, port: int, settings: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
        """The application under uvicorn, one worker."""
        command = [
            *(str(self.python), "-m", "uvicorn", f"{self.name}.main:create_app", "--factory"),
            *("--app-dir", str(PEERS), "--host", HOST, "--port", str(port), "--workers", "1"),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        ]
        return spawn(command, {**os.environ, **settings}, log)


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )


async def until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path, path: str = "/ready") -> None:
    """Wait until `path` is answered by 200; raises with the end of its log when the server does not get there."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if await asyncio.to_thread(_is_ready, port, path):
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise RuntimeError(f"{' '.join(map(str, process.args))} did not get ready:\n{log_end(log)}")


def _is_ready(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return probe.getsockname()[1]
