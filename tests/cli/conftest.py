"""A platform in miniature for the command line: a real HTTP server with the answers that a test gives it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner, Result

from steward.bootstrap.cli.app import build_app
from steward.bootstrap.cli.options import global_first


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any] | Callable[[Request], tuple[int, Any]]


class FakePlatform:
    """Answers by method and path; everything that it was asked is in `requests`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests: list[Request] = []

    def on(self, method: str, path: str, answer: Answer) -> None:
        self.answers[(method, path)] = answer

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append(request)
        found = self.answers.get((request.method, request.path), (404, problem(404, "not_found", "no such thing")))
        return found(request) if callable(found) else found


def problem(status: int, code: str, detail: str, **members: object) -> dict[str, object]:
    return {
        "type": f"urn:steward:problem:{code}",
        "title": "t",
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "req-1",
        **members,
    }


@pytest.fixture
def remote() -> Iterator[FakePlatform]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            self.parse_request()
            size = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(size)
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(content) if content else None
            request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            status, answer = remote.answer(request)
            out = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)
            self.wfile.flush()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    remote = FakePlatform(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield remote
    server.shutdown()
    thread.join()
    server.server_close()


class Cli:
    """Runs the command line in an environment of its own."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.config = directory / "config"
        self.env: dict[str, str | None] = {
            "STEWARD_HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.config),
            "LANG": "C.UTF-8",
            **dict.fromkeys(("LC_ALL", "LC_MESSAGES", "STEWARD_URL", "STEWARD_API_KEY", "STEWARD_LANG")),
        }

    def __call__(self, *arguments: str, typed: str | None = None) -> Result:
        line = global_first(arguments)
        return CliRunner().invoke(build_app(line), line, input=typed, env=self.env)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def authorized(cli: Cli, remote: FakePlatform) -> Cli:
    cli.env |= {"STEWARD_URL": remote.url, "STEWARD_API_KEY": "stw_sk_test"}
    return cli


@pytest.fixture
def problem_of() -> Callable[..., dict[str, object]]:
    return problem
