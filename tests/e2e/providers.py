"""Providers of models for installations under test: one that runs as a process, and one that says what a test wants."""

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from typing import Any, Self

from steward.kit.testing.provider import Asked, FakeProvider, Reply
from tests.e2e.running import Answer, Steward

KEY = "sk-of-the-provider"
MODEL = "gpt-4.1-mini"
READ, WRITTEN = 20, 20
"""Tokens of each call that the process bills."""
READ_NANOS, WRITTEN_NANOS = 400, 1600
"""What a token of that model costs."""


class ProviderProcess:
    """The lean provider, which can be killed and comes back on its port."""

    def __init__(self) -> None:
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        words = ["--port", str(self._port), "--input-tokens", str(READ), "--output-tokens", str(WRITTEN)]
        command = [sys.executable, "-m", "steward.kit.testing.provider", *words]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._port = int(self.url.rpartition(":")[2])
        return self

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def billed(self) -> list[dict[str, Any]]:
        """What it would bill, a bill a call."""
        with urllib.request.urlopen(f"{self.url}/billed", timeout=10) as answer:
            return json.load(answer)["billed"]


class TalkingProvider:
    """The scripted provider in a thread: it says what it was asked, piece by piece, or what `reply` says."""

    def __init__(self) -> None:
        self.fake = FakeProvider()
        self.reply = Reply()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def start(self) -> Self:
        self.fake.answer = self._said
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.fake.__aenter__(), self._loop).result(10)
        return self

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.fake.__aexit__(None, None, None), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def host(self) -> str:
        return self.fake.url.removeprefix("http://")

    def _said(self, asked: Asked) -> Reply:
        reply = self.reply
        if reply.text:
            return reply
        said = asked.body["messages"][-1]["content"]
        text = said if isinstance(said, str) else "".join(part["text"] for part in said)
        return Reply(text=text, piece=reply.piece, chunk=reply.chunk, between=reply.between, heeds_max=False)


def connect(steward: Steward, name: str, speaks: str, url: str) -> Answer:
    """Make a connection of the demo tenant's own, at prices that are known."""
    body = {"speaks": speaks, "base_url": url, "key": KEY, "prices": "openai"}
    return steward.api("PUT", f"/api/v1/models/connections/{name}", body)


def entries(steward: Steward, **tags: str) -> list[dict[str, Any]]:
    """The ledger's entries with these tags, newest first."""
    answer = steward.api("GET", "/api/v1/costs/calls?limit=200")
    assert answer.status == 200, answer
    return [entry for entry in answer.json["items"] if tags.items() <= entry["tags"].items()]
