"""Stands in for the desk where a test must own its stream: the chat's protocol, a shop's page, and trouble on order."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Self

from aiohttp import web

from steward.gateway.cors import PREFLIGHT_HEADERS

KEY = "stw_pk_stand-in"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {desk}; connect-src {desk};
 require-trusted-types-for 'script'">
<script src="{desk}/widget.js" {more} defer></script></head>
<body><main><h1>A shop</h1><p><a href="#x">A link of the page</a></p></main></body></html>"""
CITATION = {"document_id": "returns", "chunk_id": "returns#0", "title": "Returns", "text": "30 days.", "score": 1.0}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Desk:
    """Two servers on loopback: a shop's page, and the platform that it takes the chat from."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        """Bodies of chat requests, with `last_event_id`, `key` and `token` from their headers."""
        self.answers: dict[str, dict[str, Any]] = {}
        """What is answered to a message, more fields of the answer; an echo to others."""
        self.cuts: list[int] = []
        """Each stream that begins takes the first of these and breaks off after so many events."""
        self.refusals: list[tuple[int, dict[str, Any]]] = []
        """Each request takes the first of these, a status and a problem, instead of an answer."""
        self.going = asyncio.Event()
        self.going.set()
        """While it is not set no stream goes beyond its first event."""
        self.url = ""
        self.desk_url = ""
        self._turns: dict[str, list[dict[str, Any]]] = {}
        self._by_key: dict[str, list[dict[str, Any]]] = {}
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._runners: list[web.AppRunner] = []

    async def __aenter__(self) -> Self:
        page, desk = web.Application(), web.Application(middlewares=[self._cors])
        page.router.add_get("/", self._page)
        desk.router.add_get("/widget.js", self._widget)
        desk.router.add_post("/api/v1/chat", self._chat)
        desk.router.add_get("/api/v1/sessions/{id}/history", self._show_history)
        self.url, self.desk_url = await self._serve(page), await self._serve(desk)
        return self

    async def __aexit__(self, *_: object) -> None:
        for runner in self._runners:
            await runner.cleanup()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def reset(self) -> None:
        self.asked.clear()
        self.answers.clear()
        self.cuts.clear()
        self.refusals.clear()
        self._turns.clear()
        self.going.set()

    # ---- what it serves

    async def _page(self, request: web.Request) -> web.Response:
        named = {"key": KEY, **request.query}
        more = " ".join(f'data-{name}="{value}"' for name, value in named.items())
        return web.Response(text=PAGE.format(desk=self.desk_url, more=more), content_type="text/html")

    async def _widget(self, _: web.Request) -> web.Response:
        content = (files("steward.gateway") / "pages" / "widget.js").read_bytes()
        return web.Response(body=content, content_type="text/javascript", charset="utf-8")

    @web.middleware
    async def _cors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS":
            # What the edge allows: another header field is refused by the browser.
            headers = {name.decode(): value.decode() for name, value in PREFLIGHT_HEADERS}
            return web.Response(status=204, headers={**self._allowed, **headers})
        return await handler(request)

    @property
    def _allowed(self) -> dict[str, str]:
        return {"Access-Control-Allow-Origin": self.url, "Access-Control-Expose-Headers": "Retry-After"}

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        last = request.headers.get("Last-Event-ID", "")
        named = {"key": request.headers["X-API-Key"], "token": request.headers.get("X-Customer-Token")}
        self.asked.append({**body, **named, "last_event_id": last, "locale": request.headers["Accept-Language"]})
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return web.json_response(problem, status=status, headers={**self._allowed, **problem.pop("headers", {})})
        if body.get("session_id") and body["session_id"] not in self._history:
            return web.json_response({"code": "chat_session_not_found"}, status=404, headers=self._allowed)
        if last:
            events = self._turns[last.split(":")[0]]
        else:
            key = request.headers["Idempotency-Key"]
            events = self._by_key[key] = self._by_key.get(key) or self._begin(body)
        return await self._stream(request, [event for event in events if _number(event["id"]) > _number(last)])

    async def _stream(self, request: web.Request, events: list[dict[str, Any]]) -> web.StreamResponse:
        stream = web.StreamResponse(headers={**self._allowed, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b": hello\n\n")
        cut = self.cuts.pop(0) if self.cuts else len(events)
        for event in events[:cut]:
            data = json.dumps(event, ensure_ascii=False)
            await stream.write(f"id: {event['id']}\nevent: {event['type']}\ndata: {data}\n\n".encode())
            await self.going.wait()
        if cut < len(events):
            assert request.transport is not None
            request.transport.close()
        return stream

    async def _show_history(self, request: web.Request) -> web.Response:
        items = self._history.get(request.match_info["id"])
        if items is None:
            return web.json_response({"code": "chat_session_not_found"}, status=404, headers=self._allowed)
        return web.json_response({"items": items, "next_cursor": None}, headers=self._allowed)

    # ---- what it does with a message

    def _begin(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Note a message and everything that will be told of it."""
        session, message = body.get("session_id") or str(uuid.uuid4()), str(uuid.uuid4())
        more = self.answers.get(body["message"], {})
        text = more.get("message", f"You said: {body['message']}")
        answer = {"session_id": session, "message_id": message, "message": text, "agent_type": "faq", "citations": []}
        told: list[dict[str, Any]] = [{"type": "message.accepted"}]
        told += [{"type": "status", "text": tool} for tool in more.get("tools", [])]
        told += [{"type": "message.delta", "text": text[at : at + 8]} for at in range(0, len(text), 8)]
        told.append({"type": "message.completed", "answer": {**answer, **more}})
        events = [
            {"id": f"{message}:{n}", "session_id": session, "message_id": message, **each}
            for n, each in enumerate(told)
        ]
        self._turns[message] = events
        now = datetime.now(UTC).isoformat()
        self._history.setdefault(session, []).extend(
            [
                {"id": message, "sender": "user", "text": body["message"], "created_at": now, "citations": []},
                {"id": str(uuid.uuid4()), "sender": "agent", "created_at": now, "text": text, "agent_type": "faq",
                 "citations": more.get("citations", [])},
            ]
        )  # fmt: skip
        return events

    @property
    def begun(self) -> int:
        """Messages taken since the last reset."""
        return len(self._turns)

    def forget(self) -> None:
        """Lose all sessions, as if they were another customer's."""
        self._history.clear()

    def unanswered(self) -> None:
        """Take the last answer out of the history: it is still being worked on."""
        for items in self._history.values():
            items.pop()


def _number(event_id: str) -> int:
    return int(event_id.split(":")[1]) if event_id else -1
