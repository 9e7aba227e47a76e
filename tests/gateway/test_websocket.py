"""WebSockets at the edge: who may speak, what may be sent, and why a connection ends."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from steward.gateway.settings import GatewaySettings
from steward.kit.telemetry import CapturingTelemetry, Telemetry
from tests.gateway.fakes import API_KEY, KEY, TOKEN
from tests.gateway.rig import BEARER, GENEROUS, Rig, running

PATH = "/ws/v1/chat"
SOON = 5.0
QUICK = msgspec.structs.replace(GENEROUS, socket_auth_seconds=0.1, socket_idle_seconds=0.2)


class Talk:
    """A client's end of a connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        message = await self.socket.receive(SOON)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.say(**message)
        return await self.hear()

    async def closed(self) -> tuple[int | None, str]:
        """The code and reason that the connection ends with."""
        message = await self.socket.receive(SOON)
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return message.data, message.extra or ""


@asynccontextmanager
async def talking(rig: Rig, headers: Mapping[str, str] | None = None, path: str = PATH) -> AsyncGenerator[Talk]:
    async with aiohttp.ClientSession() as session, session.ws_connect(rig.url + path, headers=headers) as socket:
        yield Talk(socket)


async def refused(rig: Rig, headers: Mapping[str, str], path: str = PATH) -> int:
    """The status that a handshake is refused with."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as found:
        async with talking(rig, headers, path):
            pass
    return found.value.status


@pytest.mark.parametrize("headers", [BEARER, {"X-API-Key": API_KEY}])
async def test_messages_are_answered_in_their_order(shared: Rig, headers: Mapping[str, str]) -> None:
    async with talking(shared, {**headers, "Accept-Language": "zh-Hans"}) as talk:
        for number in range(3):
            await talk.say(type="message", id=f"m{number}", message=f"你好 {number}")
        heard = [await talk.hear() for _ in range(6)]
    assert [each["in_reply_to"] for each in heard] == ["m0", "m0", "m1", "m1", "m2", "m2"]
    assert [each["type"] for each in heard[:2]] == ["message.accepted", "message.delta"]
    assert [each["text"] for each in heard[1::2]] == ["你好 0", "你好 1", "你好 2"]
    contexts = [ctx for ctx, message, _ in shared.desk.seen if message.startswith("你好")][-3:]
    assert len({ctx.request_id for ctx in contexts}) == 3
    assert {ctx.locale for ctx in contexts} == {"zh-Hans"}


async def test_page_says_who_it_is_in_its_first_message(shared: Rig) -> None:
    async with talking(shared, {"Origin": "https://shop.example", "X-Customer-Token": "early"}) as talk:
        assert await talk.ask(type="auth", id="a", key=API_KEY) == {"type": "ready", "in_reply_to": "a"}
        await talk.ask(type="message", message="first")
        assert shared.desk.seen[-1][0].key_id == KEY
        assert shared.desk.seen[-1][2] == "early"
        await talk.hear()
        assert (await talk.ask(type="auth", customer_token="later"))["type"] == "ready"
        await talk.ask(type="message", message="second")
        assert shared.desk.seen[-1][2] == "later"
        await talk.hear()
        assert (await talk.ask(type="auth", key="another"))["code"] == "malformed_request"
        assert (await talk.ask(type="ping", id="p")) == {"type": "pong", "in_reply_to": "p"}


async def test_resumption_passes_the_last_event(shared: Rig) -> None:
    last = "018f3c5a-0000-7000-8000-0000000000aa:3"
    async with talking(shared, BEARER) as talk:
        await talk.ask(type="resume", after=last, message="again")
    assert shared.desk.resumed[-1] == last


async def test_failed_message_is_answered_and_the_connection_stays(shared: Rig) -> None:
    async with talking(shared, BEARER) as talk:
        other = await talk.ask(type="message", id="x", message="whose")
        assert (other["type"], other["status"], other["code"]) == ("error", 404, "chat_session_not_found")
        assert other["in_reply_to"] == "x"
        broken = await talk.ask(type="message", message="break")
        assert (broken["status"], broken["code"]) == (500, "internal")
        assert "secret" not in json.dumps(broken)
        assert (await talk.ask(type="ping"))["type"] == "pong"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed_request"),
        ("{", "malformed_request"),
        ("[]", "invalid_input"),
        ("null", "invalid_input"),
        ('{"type":"message"}', "invalid_input"),
        ('{"type":"message","message":""}', "invalid_input"),
        ('{"type":"message","message":"a\\u0000b"}', "invalid_input"),
        ('{"type":"message","message":"\\ud800"}', "malformed_request"),
        ('{"type":"message","message":"a","extra":1}', "invalid_input"),
        ('{"type":"message","message":"a","session_id":"1"}', "invalid_input"),
        ('{"type":"resume","message":"a","after":"1"}', "invalid_input"),
        ('{"type":"other"}', "invalid_input"),
        ('{"message":"a"}', "invalid_input"),
        ('{"type":"message","message":"' + "a" * 8001 + '"}', "invalid_input"),
        ('{"a":' * 100 + "1" + "}" * 100, "json_too_deep"),
    ],
)
async def test_message_that_is_none_is_refused_and_the_connection_stays(shared: Rig, text: str, code: str) -> None:
    async with talking(shared, BEARER) as talk:
        await talk.socket.send_str(text)
        heard = await talk.hear()
        assert (heard["type"], heard["code"]) == ("error", code)
        assert (await talk.ask(type="ping"))["type"] == "pong"


async def test_binary_frames_and_large_messages_close(shared: Rig) -> None:
    async with talking(shared, BEARER) as talk:
        await talk.socket.send_bytes(b'{"type":"ping"}')
        assert (await talk.closed())[0] == 1003
    async with talking(shared, BEARER) as talk:
        await talk.say(type="message", message="a" * 200_000)
        code, reason = await talk.closed()
        assert code == 1009
        assert "131072" in reason


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x82\0\0\0\0\xff\xfe",
        b"\x81\x03abc",
        b"\xf1\x80\0\0\0\0",
        b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0",
        b"\x89\xfe" + struct.pack(">H", 200) + b"\0\0\0\0" + b"a" * 200,
        b"\x80\x80\0\0\0\0",
        b"\x88\x82\0\0\0\0" + struct.pack(">H", 999),
    ],
    ids=["no UTF-8", "unmasked", "reserved bits", "a terabyte", "large control", "stray continuation", "bad code"],
)
async def test_frames_that_break_the_protocol_end_the_connection(shared: Rig, frame: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    try:
        key = base64.b64encode(bytes(16))
        head = (b"GET " + PATH.encode(), b"Host: a", b"Upgrade: websocket", b"Connection: Upgrade")
        fields = (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + key, b"X-API-Key: " + API_KEY.encode())
        writer.write(b"\r\n".join((head[0] + b" HTTP/1.1", *head[1:], *fields)) + b"\r\n\r\n")
        async with asyncio.timeout(SOON):
            assert b" 101 " in (await reader.readuntil(b"\r\n\r\n"))
            writer.write(frame)
            answer = await reader.read()
        assert b"pong" not in answer
    finally:
        writer.close()
    assert (await shared.call("GET", "/health")).status == 200


async def test_handshake_is_refused_like_any_request(shared: Rig) -> None:
    assert await refused(shared, {"X-API-Key": "wrong"}) == 401
    assert await refused(shared, {"X-API-Key": API_KEY, "Authorization": f"Bearer {TOKEN}"}) == 400
    assert await refused(shared, {"X-API-Key": API_KEY, "Origin": "https://evil.example"}) == 403
    assert await refused(shared, BEARER, "/ws/v1/other") == 404
    assert await refused(shared, BEARER, "/api/v1/users") == 404
    assert (await shared.call("GET", PATH)).status == 404
    async with talking(shared, {**BEARER, "Origin": shared.url}) as talk:
        assert (await talk.ask(type="ping"))["type"] == "pong"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "auth", "key": "wrong"}, 4401),
        ({"type": "auth"}, 4401),
        ({"type": "message", "message": "hello"}, 4401),
        ({"type": "ping"}, 4401),
        ({"nothing": 1}, 4401),
    ],
)
async def test_first_message_must_say_who_speaks(shared: Rig, message: dict[str, Any], code: int) -> None:
    before = len(shared.desk.seen)
    async with talking(shared) as talk:
        await talk.say(**message)
        found, reason = await talk.closed()
    assert found == code
    assert reason
    assert len(shared.desk.seen) == before


async def test_foreign_page_is_closed_out_once_it_says_whose_it_is(shared: Rig) -> None:
    async with talking(shared, {"Origin": "https://evil.example"}) as talk:
        await talk.say(type="auth", key=API_KEY)
        code, reason = await talk.closed()
    assert code == 4403
    assert "https://evil.example" in reason


async def test_silence_ends_a_connection() -> None:
    async with running(QUICK) as rig:
        async with talking(rig) as talk:
            code, reason = await talk.closed()
            assert (code, reason) == (4408, "no credential was sent within 0.1 s")
        async with talking(rig, BEARER) as talk:
            assert (await talk.ask(type="ping"))["type"] == "pong"
            assert (await talk.closed())[0] == 4408


async def test_each_message_counts_and_a_flood_is_closed() -> None:
    async with running(GatewaySettings(user_per_minute=3)) as rig, talking(rig, BEARER) as talk:
        for _ in range(3):
            assert (await talk.ask(type="ping"))["type"] == "pong"
        for _ in range(10):
            limited = await talk.ask(type="ping")
            assert (limited["type"], limited["status"], limited["code"]) == ("error", 429, "rate_limited")
            assert limited["retry_after"] >= 1
        assert (await talk.closed())[0] == 4429


async def test_guessing_is_limited_by_address() -> None:
    async with running(GatewaySettings(address_per_minute=4)) as rig:
        for _ in range(2):
            async with talking(rig) as talk:
                await talk.say(type="auth", key="guess")
                assert (await talk.closed())[0] == 4401
        assert await refused(rig, {}) == 429


async def test_connections_are_limited() -> None:
    limits = msgspec.structs.replace(GENEROUS, sockets_per_credential=1, sockets_per_address=1, max_sockets=3)
    async with running(limits) as rig, talking(rig, BEARER) as first:
        assert await refused(rig, BEARER) == 429
        async with talking(rig) as knocking:
            assert await refused(rig, {}) == 429
            await knocking.say(type="auth", key=TOKEN)
            assert (await knocking.closed())[0] == 4429
        async with talking(rig, {"X-API-Key": API_KEY}), talking(rig):
            assert await refused(rig, {"X-API-Key": API_KEY}) == 503
        assert (await first.ask(type="ping"))["type"] == "pong"
    async with running(limits) as rig:
        for _ in range(3):
            async with talking(rig, BEARER) as talk:
                assert (await talk.ask(type="ping"))["type"] == "pong"
                await talk.socket.close()
            await until_closed(rig)


async def until_closed(rig: Rig) -> None:
    async with asyncio.timeout(SOON):
        await rig.edge.idle()


async def test_rights_that_end_end_the_connection() -> None:
    async with running() as rig, talking(rig, {"X-API-Key": API_KEY}) as talk:
        assert (await talk.ask(type="ping"))["type"] == "pong"
        del rig.identity.known[API_KEY]
        rig.authenticator.forget_key(KEY)
        await talk.say(type="message", message="hello")
        assert (await talk.closed())[0] == 4401
        assert not rig.desk.seen


async def test_caller_who_leaves_is_not_answered_further() -> None:
    async with running() as rig:
        async with talking(rig, BEARER) as talk:
            await talk.ask(type="message", message="hold")
            await rig.desk.arrived.wait()
        async with asyncio.timeout(SOON):
            await rig.desk.left.wait()
        await until_closed(rig)


async def test_draining_lets_the_answer_end_and_says_come_back() -> None:
    async with running() as rig, talking(rig, BEARER) as silent, talking(rig, BEARER) as talk:
        assert (await silent.ask(type="ping"))["type"] == "pong"
        await talk.ask(type="message", message="hold")
        await rig.desk.arrived.wait()
        stopping = asyncio.create_task(rig.server.stop())
        assert (await silent.closed())[0] == 1012
        assert await refused(rig, BEARER) == 503
        rig.desk.release.set()
        assert (await talk.hear())["text"] == "hold"
        assert (await talk.closed())[0] == 1012
        await stopping


async def test_answer_that_takes_too_long_at_the_end_is_given_up() -> None:
    async with running(msgspec.structs.replace(GENEROUS, drain_seconds=0.1)) as rig, talking(rig, BEARER) as talk:
        await talk.ask(type="message", message="hold")
        stopping = asyncio.create_task(rig.server.stop())
        assert (await talk.closed())[0] == 1012
        await stopping


async def test_message_has_a_deadline() -> None:
    async with running(msgspec.structs.replace(GENEROUS, request_seconds=0.1)) as rig, talking(rig, BEARER) as talk:
        await talk.ask(type="message", message="hold")
        late = await talk.hear()
        assert (late["status"], late["code"]) == (504, "request_timed_out")
        assert (await talk.ask(type="ping"))["type"] == "pong"


async def test_connection_and_messages_are_observed() -> None:
    telemetry = Telemetry.for_tests()
    async with running(telemetry=telemetry) as rig:
        async with talking(rig, BEARER) as talk:
            await talk.ask(type="message", message="whose")
            await talk.ask(type="ping")
        await until_closed(rig)
        exposed = (await rig.call("GET", "/metrics")).body
        assert exposed
    assert isinstance(telemetry, CapturingTelemetry)
    lines = [json.loads(line) for line in telemetry.text.splitlines()]
    answered = [line["data"] for line in lines if line.get("data", {}).get("path") == PATH]
    assert [(line.get("method"), line.get("status")) for line in answered if "method" in line] == [
        ("GET", 101),
        ("MESSAGE", 404),
        ("MESSAGE", 200),
    ]
    assert any(line.get("code") == 1005 for line in answered)
    metrics = telemetry.metrics.exposition().decode()
    assert 'steward_websocket_closes_total{code="1005"} 1.0' in metrics
    assert "steward_websockets_open 0.0" in metrics
