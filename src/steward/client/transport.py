"""HTTP: one request to the platform and its answer, typed; failures become the client's errors."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import aiohttp
import msgspec

from steward.client.auth import Auth
from steward.client.errors import ApiError, UnexpectedAnswer, Unreachable
from steward.client.events import EventReader, ServerSentEvent
from steward.kit.errors import Value
from steward.kit.ids import Ids
from steward.kit.paging import Page

T = TypeVar("T")
Query = Mapping[str, str | int | UUID | datetime | StrEnum | None]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_UNAUTHENTICATED = 401
_FIRST_FAILURE = 400
_MEMBERS = frozenset({"type", "title", "status", "detail", "code", "request_id"})
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
_LONGEST_LINE = 4 * 1024 * 1024


class Transport:
    """Sends requests over one connection pool. Made by `StewardClient`."""

    def __init__(self, url: str, auth: Auth, ids: Ids, *, locale: str, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._auth = auth
        self._ids = ids
        self._locale = locale
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.patience_s = timeout_s
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def get(
        self, path: str, answer: type[T], query: Query | None = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> T:
        return _decoded(self.url, *await self._exchange("GET", path, query=query, headers=headers), answer)

    async def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: object = None,
        *,
        creates: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> T:
        """Send a body and decode the answer; what creates something carries an `Idempotency-Key`."""
        sent = {**headers, "Idempotency-Key": str(self._ids.new())} if creates else headers
        found = await self._exchange(method, path, body=body, headers=sent, repeatable=creates)
        return _decoded(self.url, *found, answer)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        """Send a request whose answer has no content."""
        await self._exchange(method, path, query=query, body=body, headers=headers)

    async def get_any(self, path: str, answer: type[T]) -> T:
        """Get an answer whose status is part of the message, as `/health`, without authentication."""
        async with self._answer("GET", path, {}) as response:
            return _decoded(self.url, response.status, await response.read(), answer)

    async def lines(self, path: str, query: Query | None = None) -> AsyncIterator[bytes]:
        """The lines of a stream (`application/x-ndjson`), for as long as they keep coming."""
        async with self._stream("GET", path, query=query) as lines:
            async for line in lines:
                if line.strip():
                    yield line

    async def events(
        self, method: str, path: str, body: object, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> AsyncGenerator[ServerSentEvent]:
        """The events of a stream (`text/event-stream`), for as long as they keep coming."""
        sent = {**headers, "Accept": "text/event-stream"}
        reader = EventReader()
        async with self._stream(method, path, body=body, headers=sent) as lines:
            async for line in lines:
                if (event := reader.line(line)) is not None:
                    yield event

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """The lines of an answer that comes bit by bit; again with new credentials after a 401."""
        patience = aiohttp.ClientTimeout(total=None, sock_read=self._timeout.total)
        renewed = False
        while True:
            credentials = await self._auth.headers()
            sent = {**credentials, **headers}
            async with self._answer(method, path, sent, query=query, body=body, patience=patience) as response:
                if response.status < _FIRST_FAILURE:
                    yield self._lines(response)
                    return
                content = await response.read()
            if response.status != _UNAUTHENTICATED or renewed or not await self._auth.renew(credentials):
                raise _failure(self.url, response.status, content)
            renewed = True

    async def _lines(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for line in response.content:
                yield line
        except aiohttp.ClientError as error:
            raise Unreachable(self.url, f"the stream broke off ({error})") from error

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] = NO_HEADERS,
        repeatable: bool = False,
    ) -> tuple[int, bytes]:
        """One request; again with new credentials after a 401, and after a lost connection where that is safe."""
        again_after_loss = repeatable or method in _REPEATABLE
        renewed = False
        while True:
            credentials = await self._auth.headers()
            try:
                async with self._answer(method, path, {**credentials, **headers}, query=query, body=body) as response:
                    status, content = response.status, await response.read()
            except _Lost:
                if not again_after_loss:
                    raise
                again_after_loss = False
                continue
            if status == _UNAUTHENTICATED and not renewed and await self._auth.renew(credentials):
                renewed = True
                continue
            if status >= _FIRST_FAILURE:
                raise _failure(self.url, status, content)
            return status, content

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        query: Query | None = None,
        body: object = None,
        patience: aiohttp.ClientTimeout | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        http = self._http = self._http or aiohttp.ClientSession(read_bufsize=_LONGEST_LINE)
        sent = {"X-Request-Id": str(self._ids.new()), "Accept-Language": self._locale, **headers}
        data = None
        if body is not None:
            data = msgspec.json.encode(body)
            sent["Content-Type"] = "application/json"
        try:
            async with http.request(
                method,
                self.url + path,
                params=_parameters(query or {}),
                data=data,
                headers=sent,
                timeout=patience or self._timeout,
                allow_redirects=False,
            ) as response:
                yield response
        except aiohttp.InvalidURL as error:
            raise Unreachable(self.url, "not an address such as http://127.0.0.1:8080") from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            kind = Unreachable if isinstance(error, aiohttp.ClientConnectorError) else _Lost
            raise kind(self.url, _reason(error)) from error
        except TimeoutError as error:
            raise Unreachable(self.url, f"no answer within {self._timeout.total:g} s") from error
        except aiohttp.ClientError as error:
            raise Unreachable(self.url, str(error)) from error


class _Lost(Unreachable):
    """A connection that broke after it was made: the server went away, perhaps only for a moment."""


async def walk(page: Callable[..., Awaitable[Page[T]]], **arguments: Any) -> AsyncIterator[T]:
    """Every item of a list, page by page: `walk(client.users.list, limit=200)`."""
    cursor: str | None = None
    while True:
        found = await page(**arguments, cursor=cursor)
        for item in found.items:
            yield item
        cursor = found.next_cursor
        if cursor is None:
            return


def _reason(error: aiohttp.ClientError) -> str:
    """Why there is no connection, in the system's words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number is not None and number > 0 else str(error.os_error)
    return str(error)


def segment(value: object) -> str:
    """A value as one segment of a path."""
    return quote(str(value), safe="")


def _parameters(query: Query) -> Mapping[str, str]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in query.items()
        if value is not None
    }


def _decoded(url: str, status: int, content: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(url, status, str(error)) from error


def _failure(url: str, status: int, content: bytes) -> Exception:
    try:
        problem = msgspec.json.decode(content, type=dict[str, Any])
        return ApiError(
            status=status,
            code=str(problem["code"]),
            message=str(problem.get("detail") or problem["title"]),
            request_id=str(problem.get("request_id", "")),
            data={name: _value(member) for name, member in problem.items() if name not in _MEMBERS},
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
        return UnexpectedAnswer(url, status, f"no problem document: {error}")


def _value(member: object) -> Value:
    if member is None or isinstance(member, str | int | float | bool):
        return member
    return msgspec.json.encode(member).decode()
