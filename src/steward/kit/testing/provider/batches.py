"""The fake provider's batch endpoints: OpenAI's files and batches, Anthropic's message batches."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from steward.kit.testing.provider.openai import CREATED
from steward.kit.testing.provider.replies import Asked

_DAY = 86400
_PAGE = 20
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_PART_NAME = re.compile(rb'name="([^"]*)"')
_FILE_NAME = re.compile(rb'filename="([^"]*)"')
_OK = 200

Line = Callable[[Asked], tuple[int, bytes]]


class _Batch(msgspec.Struct, kw_only=True):
    id: str
    endpoint: str
    input_file: str
    lines: list[dict[str, Any]]
    metadata: Any = None
    done: list[bytes] = []
    failed: list[bytes] = []
    polls: int = 0
    cancelled: bool = False
    expired: bool = False
    created: int = CREATED


class Batches:
    """Works off a batch when it is asked for the `polls`-th time: until then half of it is done at most.

    While `refuses` is set, none is made; while `loses` is, none is answered that was made; with `expires`, a batch ends
    with the half that is done. `created` is the time of those that are made.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._files: dict[str, tuple[str, str, bytes]] = {}
        self._batches: dict[str, _Batch] = {}
        self.polls = 2
        self.refuses = False
        self.loses = False
        self.expires = False
        self.created = CREATED

    @property
    def made(self) -> int:
        """How many batches were made."""
        return len(self._batches)

    @property
    def files(self) -> int:
        """How many files are kept."""
        return len(self._files)

    def answer(self, asked: Asked, operation: str) -> bytes | None:
        """The body of an answer; None for what is not here."""
        match asked.method, operation.split("/"):
            case "POST", ["files"]:
                return self._upload(asked)
            case "GET", ["files", name] if name in self._files:
                return msgspec.json.encode(self._file(name))
            case "GET", ["files", name, "content"] if name in self._files:
                return self._files[name][2]
            case "DELETE", ["files", name] if name in self._files:
                del self._files[name]
                return msgspec.json.encode({"id": name, "object": "file", "deleted": True})
            case method, ["batches", *rest]:
                return self._openai(method, rest, asked)
            case method, ["messages", "batches", *rest]:
                return self._anthropic(method, rest, asked)
            case _:
                return None

    def _openai(self, method: str, rest: list[str], asked: Asked) -> bytes | None:
        match method, rest:
            case "GET", []:
                return self._listed(asked, "batch_", "after", self._openai_batch)
            case "POST", []:
                name = str(asked.body["input_file_id"])
                lines = [msgspec.json.decode(line) for line in self._files[name][2].splitlines() if line.strip()]
                batch = self._new("batch_", str(asked.body["endpoint"]), name, lines, asked.body.get("metadata"))
            case "GET", [name] if name in self._batches:
                batch = self._polled(name)
            case "POST", [name, "cancel"] if name in self._batches:
                batch = self._batches[name]
                batch.cancelled = True
            case _:
                return None
        return msgspec.json.encode(self._openai_batch(batch))

    def _anthropic(self, method: str, rest: list[str], asked: Asked) -> bytes | None:
        match method, rest:
            case "GET", []:
                host = asked.headers.get("host", "")
                return self._listed(asked, "msgbatch_", "after_id", lambda one: _anthropic_batch(one, host))
            case "DELETE", [name] if name in self._batches:
                self._batches[name].lines = []
                return msgspec.json.encode({"id": name, "type": "message_batch_deleted"})
            case "POST", []:
                lines = [{"custom_id": one["custom_id"], "body": one["params"]} for one in asked.body["requests"]]
                batch = self._new("msgbatch_", "/v1/messages", "", lines, None)
            case "GET", [name] if name in self._batches:
                batch = self._polled(name)
            case "GET", [name, "results"] if name in self._batches:
                batch = self._batches[name]
                return b"".join([*batch.done, *batch.failed, *_not_made(batch)])
            case "POST", [name, "cancel"] if name in self._batches:
                batch = self._batches[name]
                batch.cancelled = True
            case _:
                return None
        return msgspec.json.encode(_anthropic_batch(batch, asked.headers.get("host", "")))

    def _new(self, prefix: str, endpoint: str, file: str, lines: list[dict[str, Any]], metadata: Any) -> _Batch:
        name = f"{prefix}{len(self._batches) + 1:06d}"
        self._batches[name] = _Batch(
            id=name, endpoint=endpoint, input_file=file, lines=lines, metadata=metadata, created=self.created
        )
        return self._batches[name]

    def _listed(self, asked: Asked, prefix: str, after: str, told: Callable[[_Batch], dict[str, Any]]) -> bytes:
        """A page, newest first."""
        query = dict(parse_qsl(asked.query))
        names = [name for name in reversed(self._batches) if name.startswith(prefix)]
        if after in query:
            names = names[names.index(query[after]) + 1 :]
        size = min(int(query.get("limit", _PAGE)), _PAGE)
        page = [told(self._batches[name]) for name in names[:size]]
        return msgspec.json.encode({"object": "list", "data": page, "has_more": len(names) > size})

    def _polled(self, name: str) -> _Batch:
        batch = self._batches[name]
        batch.polls += 1
        if not batch.cancelled:
            batch.expired = self.expires and batch.polls >= self.polls
            whole = batch.polls >= self.polls and not batch.expired
            until = len(batch.lines) if whole else len(batch.lines) // 2
            for one in batch.lines[len(batch.done) + len(batch.failed) : until]:
                self._work_off(batch, one)
        return batch

    def _work_off(self, batch: _Batch, one: dict[str, Any]) -> None:
        custom, body = str(one["custom_id"]), one["body"]
        status, answer = self._line(Asked(path=batch.endpoint, headers={}, body=body, raw=msgspec.json.encode(body)))
        raw, good = msgspec.Raw(answer), status == _OK
        if batch.endpoint == "/v1/messages":
            result = {"type": "succeeded", "message": raw} if good else {"type": "errored", "error": raw}
            told: dict[str, Any] = {"custom_id": custom, "result": result}
        else:
            response = {"status_code": status, "request_id": f"req_{custom}", "body": raw}
            told = {"id": f"batch_req_{custom}", "custom_id": custom, "response": response, "error": None}
        (batch.done if good else batch.failed).append(msgspec.json.encode(told) + b"\n")

    def _openai_batch(self, batch: _Batch) -> dict[str, Any]:
        over = batch.cancelled or batch.polls >= self.polls
        state = "cancelled" if batch.cancelled else "completed" if over else "in_progress"
        state = "expired" if batch.expired else state
        errors = [*batch.failed, *_not_made(batch)]
        files: dict[str, str | None] = {"output": None, "error": None}
        for kind, lines in (("output", batch.done), ("error", errors)):
            if over and lines:
                files[kind] = f"file-{batch.id}-{kind}"
                self._files[f"file-{batch.id}-{kind}"] = (f"{kind}.jsonl", "batch_output", b"".join(lines))
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "errors": None,
            "input_file_id": batch.input_file,
            "completion_window": "24h",
            "status": state,
            "output_file_id": files["output"],
            "error_file_id": files["error"],
            "created_at": batch.created,
            "expires_at": batch.created + _DAY,
            "completed_at": batch.created + 60 if state == "completed" else None,
            "request_counts": {"total": len(batch.lines), "completed": len(batch.done), "failed": len(batch.failed)},
            "metadata": batch.metadata,
        }

    def _upload(self, asked: Asked) -> bytes:
        boundary = _BOUNDARY.search(asked.headers.get("content-type", ""))
        name, fields = f"file-{len(self._files) + 1:06d}", dict[str, bytes]()
        file_name = "upload.jsonl"
        for part in asked.raw.split(b"--" + (boundary[1].encode() if boundary else b"")):
            head, _, content = part.partition(b"\r\n\r\n")
            if (named := _PART_NAME.search(head)) is None:
                continue
            fields[named[1].decode()] = content.removesuffix(b"\r\n")
            if found := _FILE_NAME.search(head):
                file_name = found[1].decode()
        self._files[name] = (file_name, fields.get("purpose", b"batch").decode(), fields.get("file", b""))
        return msgspec.json.encode(self._file(name))

    def _file(self, name: str) -> Mapping[str, object]:
        file_name, purpose, content = self._files[name]
        return {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": CREATED,
            "filename": file_name,
            "purpose": purpose,
            "status": "processed",
        }


def _not_made(batch: _Batch) -> list[bytes]:
    """The results of lines that a batch ended without."""
    why = "expired" if batch.expired else "cancelled" if batch.cancelled else ""
    told: list[dict[str, Any]] = []
    for one in batch.lines[len(batch.done) + len(batch.failed) :] if why else ():
        custom = str(one["custom_id"])
        if batch.endpoint == "/v1/messages":
            told.append({"custom_id": custom, "result": {"type": "expired" if batch.expired else "canceled"}})
        else:
            error = {"code": f"batch_{why}", "message": f"This request was not executed: the batch {why}."}
            told.append({"id": f"batch_req_{custom}", "custom_id": custom, "response": None, "error": error})
    return [msgspec.json.encode(one) + b"\n" for one in told]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _anthropic_batch(batch: _Batch, host: str) -> dict[str, Any]:
    worked = len(batch.done) + len(batch.failed)
    over = batch.cancelled or batch.expired or worked == len(batch.lines)
    left = len(batch.lines) - worked
    counts = {"succeeded": len(batch.done), "errored": len(batch.failed), "expired": 0}
    counts |= {"processing": 0 if over else left, "canceled": 0, "expired": 0}
    if over:
        counts["expired" if batch.expired else "canceled"] = left
    when = _iso(batch.created)
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if over else "in_progress",
        "request_counts": counts if over else {**dict.fromkeys(counts, 0), "processing": len(batch.lines)},
        "created_at": when,
        "expires_at": _iso(batch.created + _DAY),
        "ended_at": when if over else None,
        "cancel_initiated_at": when if batch.cancelled else None,
        "archived_at": None,
        "results_url": f"http://{host}/v1/messages/batches/{batch.id}/results" if over else None,
    }
