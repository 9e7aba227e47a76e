"""A model provider to test against: a real HTTP server that speaks the wire formats of OpenAI and Anthropic."""

import asyncio
from collections.abc import Callable
from typing import Any, Self, cast

import msgspec
from aiohttp import web

Answering = Callable[[str, str], str]
"""What a model says to a system text and a user text."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that came in."""

    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: dict[str, Any]

    @property
    def system(self) -> str:
        """The operator's part of the prompt."""
        return str(self.body.get("system") or self.body["messages"][0]["content"])

    @property
    def user(self) -> str:
        """The other part."""
        return str(self.body["messages"][-1]["content"])


class FakeProvider:
    """Answers `POST /v1/chat/completions` and `POST /v1/messages` as it is told; `async with` runs it on a free port.

    `say` is the answer or makes it; `status` other than 200 is an error in the provider's form; `cut` ends the answer
    at its token limit; `raw` is sent instead of any answer; while `stuck` is set nothing is answered at all.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.say: str | Answering = "All right."
        self.status = 200
        self.cut = False
        self.raw: bytes | None = None
        self.stuck = False
        self.url = ""
        """Without a path: a base URL of OpenAI's form has `/v1` behind it."""
        self._release = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._completion)
        app.router.add_post("/v1/messages", self._message)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._runner = runner
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _completion(self, request: web.Request) -> web.Response:
        asked = await self._note(request)
        reason = "length" if self.cut else "stop"
        message = {"role": "assistant", "content": self._said(asked)}
        return self._response(
            {
                "id": "chatcmpl-fake",
                "object": "chat.completion",
                "created": 0,
                "model": asked.body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            },
            {"error": {"message": f"Incorrect key: {asked.headers.get('authorization')}", "type": "error"}},
        )

    async def _message(self, request: web.Request) -> web.Response:
        asked = await self._note(request)
        return self._response(
            {
                "id": "msg_fake",
                "type": "message",
                "role": "assistant",
                "model": asked.body["model"],
                "content": [{"type": "text", "text": self._said(asked)}],
                "stop_reason": "max_tokens" if self.cut else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
            {"type": "error", "error": {"type": "error", "message": f"invalid key: {asked.headers.get('x-api-key')}"}},
        )

    async def _note(self, request: web.Request) -> Asked:
        body = cast("dict[str, Any]", msgspec.json.decode(await request.read()))
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(path=request.path, headers=headers, body=body)
        self.asked.append(asked)
        if self.stuck:
            await self._release.wait()
        return asked

    def _said(self, asked: Asked) -> str:
        return self.say if isinstance(self.say, str) else self.say(asked.system, asked.user)

    def _response(self, answer: object, error: object) -> web.Response:
        if self.raw is not None:
            return web.Response(body=self.raw, content_type="application/json")
        body = msgspec.json.encode(answer if self.status == web.HTTPOk.status_code else error)
        return web.Response(body=body, status=self.status, content_type="application/json")
