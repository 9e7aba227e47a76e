"""The two sides of `bench/chat.py`, each a server process on the same PostgreSQL, and their customers."""

import asyncio
import hashlib
import json
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

import psutil

from bench import servers
from bench.chat_questions import FAQS
from bench.processes import Usage, stop
from bench.servers import HOST, PEERS, PER_MINUTE, ROOT, PeerProgram, Postgres, free_port, until_ready

PEER_DATABASE = "chat_fastapi"
EXAMPLES = ROOT / "src" / "steward" / "services" / "support" / "understanding" / "data"

SESSION_MESSAGES = 8
"""After so many another customer begins another session."""

_SESSION = b'"session_id":"'
_MESSAGE = b'"message_id":"'
_CITATIONS = b'"citations":[{'
_ID = 36


class Kept(NamedTuple):
    """What the database holds of a run."""

    messages: int
    acknowledged: int
    """Of the acknowledged messages, those that are there."""
    answers: int
    """Answers to the acknowledged messages."""
    audit: int
    """Audit entries of answers."""
    queries: int
    """Recorded questions to the knowledge."""


class Side(servers.Side, Protocol):
    async def kept(self, acknowledged: Sequence[str]) -> Kept: ...


class NotAsExpected(RuntimeError):
    """An answer of the other kind: from the cache, or not."""


class Heard:
    """What a side has answered."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        """The ids of the messages."""
        self.citing = 0
        """Answers that cite a FAQ."""


class Customer:
    """One customer after the other over one connection, each with a session of some messages."""

    def __init__(self, side: Side, texts: Iterator[str], heard: Heard, *, cached: bool) -> None:
        self._side = side
        self._texts = texts
        self._heard = heard
        self._flag = b'"from_cache":true' if cached else b'"from_cache":false'
        self._name = self._session = ""
        self._asked = 0

    def ask(self) -> bytes:
        if self._asked % SESSION_MESSAGES == 0:
            self._name, self._session = f"bench-{uuid4().hex}", ""
        self._asked += 1
        return chat_request(self._side, next(self._texts), self._name, self._session)

    def heard(self, answer: bytes) -> None:
        if self._flag not in answer:
            raise NotAsExpected(f"{self._flag.decode()} was expected of {answer.decode('utf-8', 'replace')}")
        if not self._session:
            self._session = _id(answer, _SESSION)
        self._heard.acknowledged.append(_id(answer, _MESSAGE))
        self._heard.citing += _CITATIONS in answer


class Steward(servers.Steward):
    """`steward up`; the limit of a customer's messages is lifted."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, {"STEWARD_SUPPORT_CUSTOMER_PER_MINUTE": str(PER_MINUTE)})

    async def start(self) -> Postgres:
        found = await super().start()
        self.platform = Usage(self.usage.pid, without=[self.postgres.pid, *self._shop()])
        return found

    async def kept(self, acknowledged: Sequence[str]) -> Kept:
        return await _kept(
            self.postgres, "steward", acknowledged, "support.message", "message_id", "support", "knowledge.query"
        )

    def shop_mib(self) -> float:
        """Resident memory of the demo shop."""
        return sum(Usage(pid).rss_mib() for pid in self._shop())

    def _shop(self) -> list[int]:
        children = psutil.Process(self.usage.pid).children(recursive=True)
        return [child.pid for child in children if "examples.shop" in child.cmdline()]


class Peer:
    """The FastAPI application under uvicorn, one worker."""

    name = "fastapi"
    program = PeerProgram("chat_fastapi")

    def __init__(self, directory: Path, postgres: Postgres, tenant: str) -> None:
        self.port = free_port()
        self.tenant = tenant
        self.key = f"{UUID(tenant).hex}_{secrets.token_urlsafe(32)}"
        self._postgres = postgres
        self._log = directory / "peer.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def prepare(self) -> None:
        """The environment and a database of its own on the same server, with the same tenant and FAQs."""
        await asyncio.to_thread(self.program.install)
        steward = await self._postgres.connect("steward")
        try:
            tenant = await steward.fetchrow("SELECT * FROM tenants.tenant WHERE tenant_id = $1", UUID(self.tenant))
            await steward.execute(f"CREATE DATABASE {PEER_DATABASE}")
        finally:
            await steward.close()
        own = await self._postgres.connect(PEER_DATABASE)
        try:
            for source in (PEERS / "edge_fastapi", self.program.source):
                await own.execute((source / "schema.sql").read_text(encoding="utf-8"))
            places = ", ".join(f"${number + 1}" for number in range(len(tenant)))
            await own.execute(f"INSERT INTO app.tenant ({', '.join(tenant.keys())}) VALUES ({places})", *tenant)
            await own.execute(
                "INSERT INTO app.api_key (tenant_id, id, secret_hash, scopes, requests_per_minute)"
                " VALUES ($1, $2, $3, $4, $5)",
                UUID(self.tenant),
                uuid4(),
                hashlib.sha256(self.key.encode()).digest(),
                ["conversation:write", "support:act-as-customer"],
                PER_MINUTE,
            )
        finally:
            await own.close()
        arguments = [self._postgres.socket_directory, PEER_DATABASE, self.tenant, str(FAQS)]
        command = [str(self.program.python), "-W", "ignore", "-m", "chat_fastapi.filling", *arguments]
        await asyncio.to_thread(subprocess.run, command, cwd=PEERS, check=True)

    async def start(self) -> None:
        url = f"postgresql+asyncpg://steward_app@/{PEER_DATABASE}?host={self._postgres.socket_directory}"
        settings = {"DATABASE_URL": url, "EXAMPLES": str(EXAMPLES), "CUSTOMER_PER_MINUTE": str(PER_MINUTE)}
        self._process = self.program.serve(self.port, settings, self._log)
        await until_ready(self._process, self.port, self._log)
        self.usage = Usage(self._process.pid)

    async def kept(self, acknowledged: Sequence[str]) -> Kept:
        return await _kept(self._postgres, PEER_DATABASE, acknowledged, "app.message", "id", "app", "app.query")

    def close(self) -> None:
        if self._process is not None:
            stop(self._process)


def chat(side: Side, message: str, customer: str) -> dict[str, Any]:
    """One message of a side in a session of its own."""
    request = urllib.request.Request(
        f"http://{HOST}:{side.port}/api/v1/chat",
        data=json.dumps({"message": message, "user_id": customer}).encode(),
        headers={"X-API-Key": side.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def chat_request(side: Side, message: str, customer: str, session: str) -> bytes:
    """A message as it goes over the wire."""
    fields = {"message": message, "user_id": customer} | ({"session_id": session} if session else {})
    body = json.dumps(fields, ensure_ascii=False).encode()
    head = (
        f"POST /api/v1/chat HTTP/1.1\r\nHost: {HOST}:{side.port}\r\nX-API-Key: {side.key}\r\n"
        f"Accept: application/json\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _id(answer: bytes, field: bytes) -> str:
    start = answer.index(field) + len(field)
    return answer[start : start + _ID].decode()


async def _kept(
    postgres: Postgres, database: str, acknowledged: Sequence[str], table: str, key: str, schema: str, queries: str
) -> Kept:
    ids = [UUID(one) for one in acknowledged]
    connection = await postgres.connect(database)
    try:
        return Kept(
            messages=await connection.fetchval(f"SELECT count(*) FROM {table} WHERE sender = 'user'"),
            acknowledged=await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE sender = 'user' AND {key} = ANY($1::uuid[])", ids
            ),
            answers=await connection.fetchval(f"SELECT count(*) FROM {table} WHERE reply_to = ANY($1::uuid[])", ids),
            audit=await connection.fetchval(
                f"SELECT count(*) FROM {schema}.audit_outbox WHERE body::jsonb ->> 'action' = 'message.answered'"
            ),
            queries=await connection.fetchval(f"SELECT count(*) FROM {queries}"),
        )
    finally:
        await connection.close()
