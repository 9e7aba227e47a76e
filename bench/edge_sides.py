"""The two sides of `bench/edge.py`, each a server process on the same PostgreSQL."""

import asyncio
import hashlib
import json
import secrets
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from bench import servers
from bench.processes import Usage, stop
from bench.servers import HOST, PER_MINUTE, PeerProgram, Postgres, free_port, until_ready

PEER_DATABASE = "edge_fastapi"


class Side(servers.Side, Protocol):
    async def counts(self) -> Sequence[int]:
        """Rows in the audit outbox and in the event outbox."""
        ...


class Steward(servers.Steward):
    """`steward up`."""

    async def counts(self) -> Sequence[int]:
        return await _counts(self.postgres, "steward", "tenants")

    async def sealed(self) -> int:
        """Entries of the tenants service that the audit service has chained; it has at most a second to do so."""
        connection = await self.postgres.connect("steward")
        try:
            return await connection.fetchval("SELECT count(*) FROM audit.entry WHERE action = 'tenant.updated'")
        finally:
            await connection.close()


class Peer:
    """The FastAPI application under uvicorn, one worker."""

    name = "fastapi"
    program = PeerProgram("edge_fastapi")

    def __init__(self, directory: Path, postgres: Postgres, tenant: str) -> None:
        self.port = free_port()
        self.tenant = tenant
        self.key = f"{UUID(tenant).hex}_{secrets.token_urlsafe(32)}"
        self._postgres = postgres
        self._log = directory / "peer.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        await self._fill_database()
        await asyncio.to_thread(self.program.install)
        url = f"postgresql+asyncpg://steward_app@/{PEER_DATABASE}?host={self._postgres.socket_directory}"
        self._process = self.program.serve(self.port, {"DATABASE_URL": url}, self._log)
        await until_ready(self._process, self.port, self._log)
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
            await own.execute((self.program.source / "schema.sql").read_text(encoding="utf-8"))
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
