"""The two sides of `bench/gateway.py`, each a gateway process in front of the same fake provider, and that provider."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from bench import servers
from bench.processes import Usage, stop
from bench.servers import HOST, PEERS, PeerProgram, Postgres, free_port, spawn, until_ready

MODEL = "gpt-4.1-mini"
ALIAS = "bench"
STREAMS = "streams"
PEER_DATABASE = "gateway_litellm"
DOLLARS = 1_000_000
"""The budget of both sides: checked at each call and never met."""
NANOS = 10**9
MAX_TOKENS = 64
_SYSTEM = "You answer briefly and cite the rules of the shop. " * 16
_CONTEXT = "The customer has written before about a parcel that came late. " * 6


class Billed(NamedTuple):
    """What the provider counted."""

    calls: int
    input_tokens: int
    output_tokens: int


class Provider:
    """The fake provider as a process of its own."""

    def __init__(self, directory: Path, name: str, *, deltas: int = 20, between_ms: float = 0.0) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}/v1"
        command = [sys.executable, "-m", "steward.kit.testing.provider", "--host", HOST, "--port", str(self.port)]
        plan = ["--deltas", str(deltas), "--output-tokens", str(MAX_TOKENS), "--between-ms", str(between_ms)]
        self._process = spawn([*command, *plan], {**os.environ}, directory / f"{name}.log")
        self.usage = Usage(self._process.pid)
        self.key = "sk-bench"

    def billed(self) -> Billed:
        """Since its start, or since it was reset."""
        told = _json("GET", f"http://{HOST}:{self.port}/billed?counts", {}, None)
        return Billed(told["answers"], told["input_tokens"], told["output_tokens"])

    def close(self) -> None:
        stop(self._process)


class Steward(servers.Steward):
    """`steward up`, with the providers as the installation's connections and a budget on the tenant."""

    def __init__(self, directory: Path, provider: Provider, streams: Provider) -> None:
        super().__init__(
            directory,
            {
                "OPENAI_API_KEY": provider.key,
                "OPENAI_BASE_URL": provider.url,
                "STEWARD_MODELS_ALLOWED_HOSTS": f"{HOST}:{streams.port}",
            },
        )
        self._streams = streams
        self.start_s = 0.0

    async def start(self) -> Postgres:
        began = time.monotonic()
        postgres = await super().start()
        self.start_s = time.monotonic() - began
        # The demo's shop is no part of a gateway.
        self.usage = Usage(self.usage.pid, without=[postgres.pid, *self._shop()])
        await asyncio.to_thread(self._furnish)
        return postgres

    def budget(self, name: str) -> Mapping[str, Any]:
        """A budget as the platform tells it."""
        return next(each for each in self._call("GET", "/costs/budgets?limit=100")["items"] if each["name"] == name)

    def make_budget(self, name: str, nanos: int, subject: Mapping[str, str]) -> None:
        self._call("POST", "/costs/budgets", {"name": name, "subject": subject, "limit": nanos, "period": "total"})

    def ledger_calls(self) -> int:
        """Calls in the report of today."""
        today = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
        then = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 2 * 86400))
        return self._call("GET", f"/costs/report?since={today}&until={then}")["total"]["calls"]

    def _furnish(self) -> None:
        fixed = {"key": self._streams.key, "base_url": self._streams.url, "speaks": "openai", "prices": "openai"}
        self._call("PUT", f"/models/connections/{STREAMS}", fixed)
        for alias, connection in ((ALIAS, "openai"), (STREAMS, STREAMS)):
            candidate = {"connection": connection, "model": MODEL, "max_output_tokens": MAX_TOKENS}
            self._call("PUT", f"/models/aliases/{alias}", {"candidates": [candidate]})
        self.make_budget("all", DOLLARS * NANOS, {"kind": "tenant"})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        return _json(method, f"http://{HOST}:{self.port}/api/v1{path}", headers, body)

    def _shop(self) -> list[int]:
        children = psutil.Process(self.usage.pid).children(recursive=True)
        return [child.pid for child in children if "examples.shop" in child.cmdline()]


class Peer:
    """LiteLLM's proxy under uvicorn, one worker, with a provider budget and a spend log."""

    name = "litellm"
    program = PeerProgram("gateway_litellm")

    def __init__(self, directory: Path, postgres: Postgres, provider: Provider, streams: Provider) -> None:
        self.port = free_port()
        self.tenant = ""
        self.key = "sk-master"
        self.start_s = 0.0
        self._config = directory / "litellm.yaml"
        self._log = directory / "litellm.log"
        self._postgres = postgres
        self._providers = {ALIAS: provider, STREAMS: streams}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        await self._make_database()
        await asyncio.to_thread(self.program.install)
        self._config.write_text(json.dumps(self._settings()), encoding="utf-8")
        url = f"postgresql://steward_app@/{PEER_DATABASE}?host={self._postgres.socket_directory}"
        more = {
            "CONFIG_FILE_PATH": str(self._config),
            "SPEND_DATABASE_URL": url,
            # Its start would look for a newer price list on the network.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "PYTHONPATH": str(PEERS),
        }
        began = time.monotonic()
        self._process = self.program.serve(self.port, more, self._log)
        await until_ready(self._process, self.port, self._log, "/health/liveliness")
        self.start_s = time.monotonic() - began
        self.usage = Usage(self._process.pid)

    async def spends(self) -> int:
        """Rows of the spend log."""
        connection = await self._postgres.connect(PEER_DATABASE)
        try:
            return await connection.fetchval("SELECT count(*) FROM app.spend")
        finally:
            await connection.close()

    def close(self) -> None:
        if self._process is not None:
            stop(self._process)

    async def _make_database(self) -> None:
        steward = await self._postgres.connect("steward")
        try:
            await steward.execute(f"CREATE DATABASE {PEER_DATABASE}")
        finally:
            await steward.close()
        own = await self._postgres.connect(PEER_DATABASE)
        try:
            await own.execute((self.program.source / "schema.sql").read_text(encoding="utf-8"))
        finally:
            await own.close()

    def _settings(self) -> Mapping[str, Any]:
        models = [
            {
                "model_name": alias,
                "litellm_params": {
                    "model": f"openai/{MODEL}",
                    "api_base": provider.url,
                    "api_key": provider.key,
                    "max_tokens": MAX_TOKENS,
                },
            }
            for alias, provider in self._providers.items()
        ]
        return {
            "model_list": models,
            "litellm_settings": {"callbacks": "gateway_litellm.spend.log", "telemetry": False},
            "router_settings": {
                "provider_budget_config": {"openai": {"budget_limit": float(DOLLARS), "time_period": "30d"}}
            },
            "general_settings": {"master_key": self.key},
        }


class Direct:
    """The provider itself, for what a gateway adds."""

    name = "direct"

    def __init__(self, provider: Provider) -> None:
        self.port = provider.port
        self.key = provider.key
        self.usage = provider.usage


def chat_request(port: int, key: str, model: str, *, stream: bool = False) -> Callable[[], bytes]:
    """Chat requests of about 2 KB, each with words of its own, so that no cache and no sharing can help."""
    number = 0
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench\r\n"
    ).encode()
    rest: dict[str, object] = {"stream": True} if stream else {}

    def make() -> bytes:
        nonlocal number
        number += 1
        asked = f"{_CONTEXT}Where is order {number}-{id(make)}?"
        messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": asked}]
        body = {"model": model, "messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0.2, **rest}
        wire = json.dumps(body).encode()
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(wire), wire)

    return make


def _json(method: str, url: str, headers: Mapping[str, str], body: object) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.code} {error.read().decode()}") from error
