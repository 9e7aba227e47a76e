"""Runs the real thing from outside: the `steward` program in processes of its own, reached over HTTP."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STEWARD = Path(sys.executable).parent / "steward"
START_SECONDS = 60.0
QUICK = {
    "STEWARD_PASSWORD_MEMORY_KIB": "7168",
    "STEWARD_PASSWORD_PASSES": "1",
    "STEWARD_PASSWORD_LANES": "1",
    "STEWARD_GATEWAY_USER_PER_MINUTE": "100000",
    "STEWARD_GATEWAY_ADDRESS_PER_MINUTE": "100000",
}

FOREIGN = ("STEWARD_", "DATABASE_", "OPENAI_", "ANTHROPIC_")
"""Variables of the caller's shell that no installation under test gets."""

DEFAULT_LIMITS = {name: "" for name in QUICK if name.endswith("_PER_MINUTE")}
"""To start with, for the limits that users get: an empty variable counts as none."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `status` 0 stands for none at all."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Steward:
    """An installation on a home: `up`, or `serve` in several processes."""

    def __init__(self, home: Path, commands: Sequence[Sequence[str]] = (("up",),), port: int | None = None) -> None:
        self.home = home
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.commands = commands
        self.processes: list[subprocess.Popen[bytes]] = []
        self._logs = 0

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**kept, **QUICK, "STEWARD_HOME": str(self.home), "STEWARD_PORT": str(self.port), **more}

    def spawn(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """Start one process; its output goes to a file beside the home."""
        self._logs += 1
        log = self.home.parent / f"{self.home.name}-{self._logs}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(STEWARD), *command],
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def start(self, **more: str) -> "Steward":
        """Start all commands and wait until `/ready` answers 200."""
        for command in self.commands:
            self.spawn(*command, **more)
        self.wait_ready()
        return self

    def wait_ready(self, seconds: float = START_SECONDS) -> float:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            dead = [process for process in self.processes if process.poll() is not None]
            assert not dead, f"ended with {dead[0].returncode} before it was ready:\n{self.logs()}"
            if self.get("/ready").status == 200 and (self.home / "credentials.json").exists() | (
                len(self.commands) > 1
            ):
                return time.monotonic() - began
            time.sleep(0.02)
        raise AssertionError(f"not ready within {seconds} s:\n{self.logs()}")

    def wait_down(self, seconds: float = 30) -> None:
        """Wait for all processes to end by themselves."""
        for process in self.processes:
            process.wait(seconds)
        self.processes.clear()

    def signal(self, number: signal.Signals) -> None:
        for process in self.processes:
            process.send_signal(number)

    def kill(self) -> None:
        """kill -9, all processes."""
        self.signal(signal.SIGKILL)
        self.wait_down()

    def stop(self) -> None:
        """Ask all processes to drain and wait for it."""
        self.signal(signal.SIGTERM)
        self.wait_down()

    def logs(self) -> str:
        files = sorted(self.home.parent.glob(f"{self.home.name}-*.log"))
        return "\n".join(file.read_text(errors="replace")[-4000:] for file in files[-4:])

    def log_text(self) -> str:
        """Everything that this installation has written, of all its processes."""
        files = sorted(self.home.parent.glob(f"{self.home.name}-*.log"))
        return "".join(file.read_text(encoding="utf-8") for file in files)

    @property
    def credentials(self) -> dict[str, str]:
        file = self.home / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        return json.loads(file.read_text())

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=headers)

    def api(self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Answer:
        """Call as the demo key, or with another credential."""
        sent = {"X-API-Key": key if key is not None else self.credentials["api_key"]}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.call(method, path, body, headers=sent)

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, seconds: float = 35
    ) -> Answer:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers.items()), error.read())
        except (OSError, TimeoutError):
            return Answer(0)

    def cli(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this installation."""
        if "STEWARD_API_KEY" not in more:
            more["STEWARD_API_KEY"] = self.credentials["api_key"]
        environment = {**self.environment(**more), "HOME": str(self.home.parent), "COLUMNS": "200"}
        return subprocess.run(
            [str(STEWARD), *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def postmaster(self) -> int:
        """The process id of the embedded PostgreSQL."""
        return int(self._postmaster_file()[0])

    def postmaster_socket(self) -> Path:
        """The directory of the embedded PostgreSQL's socket."""
        return Path(self._postmaster_file()[4])

    def _postmaster_file(self) -> Sequence[str]:
        return (self.home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()


def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something to come true."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"did not come true within {seconds} s"
        time.sleep(0.02)
