"""What an attacker sends to an installation, and what every answer to it must be like."""

import base64
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.e2e.running import Answer, Steward
from tests.e2e.wire import exchange

JSON = b"Content-Type: application/json\r\n"
KEYS = b"/api/v1/api-keys"
MEBIBYTE = 1 << 20
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
LEAKS = (b"Traceback", b'File "', b".py", b"site-packages", b"/tmp/", b"root:x:", b"SELECT ", b"asyncpg", b"litestar")
CHANGING = {"last_used_at", "last_login_at"}

SAMPLES: Mapping[str, Any] = {
    "text": "A text.",
    "message": "How long does delivery take?",
    "question": "How long?",
    "answer": "Three days.",
    "query": "delivery",
    "query_id": "018f0000-0000-7000-8000-000000000000",
    "helpful": True,
    "documents": [{"id": "a", "text": "A text."}],
    "format": "csv",
    "content": "question,answer\nHow long?,Three days.",
    "intents": [{"name": "a", "examples": ["one"]}, {"name": "b", "examples": ["two"]}],
    "texts": ["a text"],
    "source": "name: a",
    "base_url": "https://shop.example.com",
    "credential": "secret",
    "keys": [],
    "email": "a@example.com",
    "password": "a long enough password",
    "token": "stw_in_x",
    "refresh_token": "stw_rt_x",
    "name": "Ada",
    "current": "what it was before",
    "new": "what it shall be now",
    "roles": ["viewer"],
    "slug": "an-attacker",
    "owner_email": "a@example.com",
    "reason": "because",
    "limit": 5,
    "subject": {"kind": "tenant"},
    "member": {"kind": "agent", "id": "desk"},
    "team": "shop",
    "usage": {"input_tokens": 1},
    "prices": {"input": 1, "output": 1},
    "speaks": "openai",
    "candidates": [{"connection": "openai", "model": "m"}],
    "models": ["default"],
    "model": "default",
    "messages": [{"role": "user", "content": "When are you open?"}],
    "input": "When are you open?",
    "max_tokens": 16,
    "input_file_id": "file-0",
    "endpoint": "/v1/chat/completions",
}
"""A value that is all right for each required field of a body."""

ODD_NAMES = (
    "'; DROP TABLE identity.users; --",
    '" OR ""="',
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> %s %(x)s {0.__class__}",
    "${jndi:ldap://127.0.0.1/a}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "../../../../etc/passwd\\..\\..",
    "=cmd|' /C calc'!A0",
    "$(id) `id` | id && id; id",
    "\u202egnp.exe\u202c \u200f\u2066a\u2069",
    "[bold red]no markup[/bold red] [/]",
    "e\u0301 \u00e9 \u1100\u1161\u11a8 \ufb01",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U00020000 \ufeff\uffff\u2028\u2029",
    "\x80\x9b31m\x9d",
    "null",
    "林小姐「管理員」",
    "\U00020000" * 200,
)
"""Names that are allowed, and come back as they were given."""

NO_IDS = (
    "0",
    "-1",
    "null",
    "undefined",
    "1%20OR%201=1",
    "%27%3B%20DROP%20TABLE%20users%3B--",
    "%7B%7B7*7%7D%7D",
    "00000000-0000-0000-0000-00000000000g",
    "01a1fbbf-c49f-7000-a8a6-d2945af25f9a%0a",
    "x" * 4000,
    "%F0%9F%92%A9",
    "9" * 400,
    "1e9",
)


class Attack:
    """Sends requests as the demo key."""

    def __init__(self, steward: Steward) -> None:
        self.steward = steward
        self.key = steward.credentials["api_key"]

    def head(self, method: bytes = b"GET", path: bytes = KEYS, extra: bytes = b"", version: bytes = b"1.1") -> bytes:
        """The head of a request with the demo key."""
        first = method + b" " + path + b" HTTP/" + version + b"\r\nHost: a\r\n"
        return first + b"X-API-Key: " + self.key.encode() + b"\r\n" + extra + b"\r\n"

    def post(self, body: bytes, path: bytes = KEYS, method: bytes = b"POST", kind: bytes = JSON) -> bytes:
        """A whole request with a body."""
        return self.head(method, path, kind + b"Content-Length: %d\r\n" % len(body)) + body

    def chunked(self, chunks: bytes, path: bytes = KEYS) -> bytes:
        """A request whose body comes in chunks, as they are given."""
        return self.head(b"POST", path, JSON + b"Transfer-Encoding: chunked\r\n") + chunks

    def send(self, data: bytes, method: str = "GET") -> Answer:
        return exchange(self.steward.port, data, method)

    def findings(self, requests: Mapping[str, bytes], status: int | None = None) -> dict[str, str]:
        """What is wrong with the answers to these requests, by their names; nothing when all is well."""
        found = {name: fault(self.send(data), status) for name, data in requests.items()}
        found["the platform afterwards"] = "" if self.steward.get("/ready").status == 200 else "is not ready"
        return {name: wrong for name, wrong in found.items() if wrong}

    def state(self) -> Mapping[str, Any]:
        """The lists that an attack must leave as they are, without the times of last use."""
        tenant = self.steward.credentials["tenant"]
        paths = ("users?limit=200", "api-keys?limit=200", "tenants?limit=200", f"tenants/{tenant}/usage")
        return {path: _lasting(self.steward.api("GET", f"/api/v1/{path}").json) for path in paths}

    def resident(self) -> int:
        """Bytes of memory that the platform's processes hold."""
        files = [Path(f"/proc/{process.pid}/statm") for process in self.steward.processes]
        return sum(int(file.read_text().split()[1]) * 4096 for file in files)


def fault(answer: Answer, status: int | None = None) -> str:
    """What is wrong with the answer to a hostile request; empty for a clear refusal, or a close without a word."""
    if answer.status == 0:
        return "" if status is None else f"no answer instead of {status}"
    if (answer.status != status) if status is not None else not 400 <= answer.status < 500:
        return f"{answer.status} {answer.body[:200]!r}"
    if leaked := [leak for leak in LEAKS if leak in answer.body]:
        return f"tells {leaked}: {answer.body[:300]!r}"
    if not answer.body:
        return "" if answer.headers.get("connection") == "close" else "refused without a word, and kept open"
    kind = answer.headers.get("content-type")
    if kind == "application/json" and "error" in answer.json:
        # Below /v1/ a refusal has the form of OpenAI or Anthropic.
        missing = {"message", "type"} - set(answer.json["error"])
    elif kind == "application/problem+json":
        missing = MEMBERS - set(answer.json)
    else:
        return f"is {kind}"
    return f"lacks {sorted(missing)}" if missing else ""


def lower(answer: Answer) -> Answer:
    """The answer with the names of its header fields in lower case, as `fault` wants it."""
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)


def names_in_trail(steward: Steward) -> set[str]:
    """The names that the tenant has had, as its trail tells of the changes."""
    entries = steward.api("GET", "/api/v1/audit/entries?action=tenant.updated&limit=200").json["items"]
    return {entry["after"]["name"] for entry in entries}


def operations(steward: Steward) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of every operation that the platform says it has."""
    document = steward.get("/openapi.json").json
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path, {**operation, "body": _body_of(document, operation)}


def _body_of(document: Any, operation: Any) -> Mapping[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    while "$ref" in schema or "oneOf" in schema:
        one = schema["$ref"] if "$ref" in schema else next(part["$ref"] for part in schema["oneOf"] if "$ref" in part)
        schema = document["components"]["schemas"][one.rsplit("/", 1)[1]]
    return schema


def wrong_bodies(body: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """For each field of a body, values that no field takes: everything else in the body is all right."""
    known = {name: f'"{name}":{json.dumps(SAMPLES[name])}'.encode() for name in body.get("required", ())}
    values = {
        "a megabyte": b'"' + b"a" * 1_000_000 + b'"',
        "a NUL": b'"a\\u0000b"',
        "half a surrogate": b'"\\ud800"',
        "no UTF-8": b'"\xff\xfe"',
        "an object": b'{"$ne":""}',
        "a huge number": b"9" * 5000,
        "infinity by exponent": b"1e999999",
        "NaN": b"NaN",
        "true": b"true",
    }
    takes = {("metadata", "an object"), ("helpful", "true"), ("text", "a megabyte")}
    takes |= {("headers", "an object"), ("query", "an object")}
    takes |= {(field, "true") for field in ("batches", "can_continue", "routed", "stream")}
    for field, (what, value) in itertools.product(body["properties"], values.items()):
        if (field, what) in takes:
            continue
        others = [text for name, text in known.items() if name != field]
        yield f"{field} is {what}", b"{" + b",".join([*others, b'"' + field.encode() + b'":' + value]) + b"}"


def deep(levels: int) -> bytes:
    """A body that nests so deep."""
    return b'{"name":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes) -> str:
    """A JSON Web Token of these parts."""
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}.{b64(signature)}"


def changed(text: str, place: int) -> str:
    """The text with one character exchanged for its neighbour of the alphabet."""
    return text[:place] + ("B" if text[place] == "A" else "A") + text[place + 1 :]


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(inner) for name, inner in value.items() if name not in CHANGING}
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value
