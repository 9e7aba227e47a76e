"""The demo shop as a process of its own, with what tests look for in its data."""

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.e2e.running import free_port, until

REPOSITORY = Path(__file__).parents[2]
SECRET = "a-secret-of-the-shop"
START_SECONDS = 20.0


class SomeOrder(NamedTuple):
    """An order with its owner."""

    customer_id: str
    order_id: str


class ShopProcess:
    """`python -m examples.shop` on a directory and port of its own."""

    def __init__(self, data: Path, *, tenant: str = "demo", port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._tenant = tenant
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def start(self) -> "ShopProcess":
        """Start it and wait until it answers."""
        command = (
            *(sys.executable, "-m", "examples.shop", "--data", str(self.data), "--port", str(self.port)),
            *("--tenant", self._tenant, "--credential-sha256", hashlib.sha256(SECRET.encode()).hexdigest()),
            "--until-stdin-ends",
        )
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, env=environment)
        until(self.answers, START_SECONDS)
        return self

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Let go of its standard input, which ends it."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.send_signal(signal.SIGCONT)
        assert self._process.wait(10) is not None
        self._process = None

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the shop's database holds."""
        connection = sqlite3.connect(self.data / "shop.db")
        try:
            return list(connection.execute(query, values))
        finally:
            connection.close()

    def order(
        self, status: str, *, skip: int = 0, younger_than_days: int = 10_000, older_than_days: int = 0
    ) -> SomeOrder:
        """The newest order of a state without a refund, placed so long ago."""
        found = self.rows(
            "SELECT customer_id, o.id FROM customer_order o LEFT JOIN refund r ON r.order_id = o.id"
            " WHERE o.status = ? AND r.id IS NULL AND julianday('now') - julianday(placed_at) BETWEEN ? AND ?"
            " ORDER BY placed_at DESC LIMIT 1 OFFSET ?",
            status,
            older_than_days,
            younger_than_days,
            skip,
        )
        return SomeOrder(*map(str, found[0]))

    def refunded(self, status: str) -> SomeOrder:
        """An order with a refund in this state."""
        found = self.rows(
            "SELECT o.customer_id, o.id FROM customer_order o JOIN refund r ON r.order_id = o.id WHERE r.status = ?",
            status,
        )
        return SomeOrder(*map(str, found[0]))


def copied(prepared: Path, to: Path) -> Path:
    """The data of a shop that has ended, for a test's own shop."""
    shutil.copytree(prepared, to)
    return to


def headers(**more: str) -> Mapping[str, str]:
    """What opens the shop."""
    return {"Authorization": f"Bearer {SECRET}", **{name.replace("_", "-"): value for name, value in more.items()}}
