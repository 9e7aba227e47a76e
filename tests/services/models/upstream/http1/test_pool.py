"""Connections that are kept: opened to checked addresses, used again while they are good, closed at once otherwise."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from steward.services.models.upstream.http1.connecting import Connector, Names, NotConnected, Target
from steward.services.models.upstream.http1.connection import Connection
from steward.services.models.upstream.http1.head import BadAnswer
from steward.services.models.upstream.http1.pool import HangsUp, Pool
from tests.services.models.upstream.conformance import eventually
from tests.services.models.upstream.http1.servers import ANSWER, Authority, answer_all, read_request, server

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"
HOST = "models.example"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


class LookUps:
    """Knows the addresses of every name; holds them back until it may tell."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []
        self.may_tell = asyncio.Event()
        self.may_tell.set()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del port
        self.asked.append(host)
        await self.may_tell.wait()
        if not self.addresses:
            raise OSError("unknown")
        return self.addresses


@asynccontextmanager
async def pooled(tls: ssl.SSLContext | None = None, *addresses: str) -> AsyncIterator[Pool]:
    pool = Pool(Connector(Names(LookUps(*addresses)), tls))
    try:
        yield pool
    finally:
        await pool.close()


async def ask(pool: Pool, target: Target, *, whole: int = 1000) -> bytes:
    connection = pool.idle(target) or await pool.opened(target)
    try:
        connection.ask(HEAD, b"x", whole=whole)
        await connection.answered()
        return connection.take()
    finally:
        pool.give_back(connection)


def plain(port: int, host: str = "127.0.0.1") -> Target:
    return Target(host, port, tls=False)


async def test_a_connection_is_kept_for_its_target_only() -> None:
    async with server(answer_all) as port, pooled(None, "127.0.0.1") as pool:
        assert await ask(pool, plain(port)) == b"ok"
        assert pool.idle(plain(port, HOST)) is None
        connection = pool.idle(plain(port))
        assert connection is not None
        assert pool.idle(plain(port)) is None
        pool.give_back(connection)


async def test_two_calls_at_a_time_have_two_connections() -> None:
    async with server(answer_all) as port, pooled() as pool:
        first, second = await pool.opened(plain(port)), await pool.opened(plain(port))
        assert first is not second
        for one in (first, second):
            pool.give_back(one)


async def test_an_idle_connection_that_says_something_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with pooled() as pool:
            target = plain(listening.getsockname()[1])
            connection = await pool.opened(target)
            provider, _ = listening.accept()
            connection.ask(HEAD, b"x", whole=1000)
            provider.sendall(ANSWER)
            await connection.answered()
            pool.give_back(connection)
            # The loop has no turn in between: only the kernel knows it.
            provider.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            assert pool.idle(target) is None
            provider.close()


async def test_an_idle_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steward.services.models.upstream.http1.pool._IDLE_SECONDS", 0.02)
    gone = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)
        await reader.read()
        gone.set()

    async with server(answer) as port, pooled() as pool:
        await ask(pool, plain(port))
        async with asyncio.timeout(2):
            await gone.wait()
        assert pool.idle(plain(port)) is None


async def test_a_provider_that_hangs_up_at_once_is_told_apart() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader, writer

    class Patient(Connector):
        """Comes back when the other end is gone."""

        async def connect(self, target: Target, lost: Callable[[Connection], None]) -> Connection:
            made = await super().connect(target, lost)
            await eventually(lambda: made.stale)
            return made

    async with server(hang_up) as port:
        pool = Pool(Patient(Names(LookUps())))
        with pytest.raises(HangsUp):
            await pool.opened(plain(port))
        await pool.close()


async def test_closing_the_pool_ends_calls_and_does_not_leave_a_socket() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    async with server(never) as port, pooled() as pool:
        call = asyncio.create_task(ask(pool, plain(port)))
        await eventually(lambda: bool(pool._open))
        await pool.close()
        with pytest.raises(OSError, match="ended before"):
            await call


async def test_a_reader_that_is_slow_does_not_fill_the_memory() -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED)
        for _ in range(64):
            writer.write(piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async with server(flood) as port, pooled() as pool:
        connection = await pool.opened(plain(port))
        connection.ask(HEAD, b"x")
        await connection.answered()
        await eventually(lambda: connection.received > 256 * 1024)
        for _ in range(20):
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        assert connection.received < 2 * 1024 * 1024
        size = 0
        while not connection.done or (connection.received > size):
            size += len(connection.take())
            if not connection.done:
                await connection.more()
        assert size == 64 * 0x10000
        pool.give_back(connection)
        assert pool.idle(plain(port)) is connection


async def test_what_came_before_the_connection_broke_is_told_first() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"2\r\nab\r\n")

    async with server(half) as port, pooled() as pool:
        connection = await pool.opened(plain(port))
        connection.ask(HEAD, b"x")
        await connection.answered()
        await eventually(lambda: connection not in pool._open)
        assert connection.take() == b"ab"
        with pytest.raises(ConnectionResetError):
            connection.take()
        pool.give_back(connection)


async def test_a_connection_that_still_writes_is_not_kept() -> None:
    over = asyncio.Event()

    async def answer_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await over.wait()

    async with server(answer_early) as port, pooled() as pool:
        connection = await pool.opened(plain(port))
        body = b"x" * 16_000_000
        connection.ask(HEAD.replace(b": 1", b": %d" % len(body)), body)
        assert (await connection.answered()).status == 413
        pool.give_back(connection)
        assert pool.idle(plain(port)) is None
        over.set()


async def test_what_is_no_http_fails_the_call_and_closes() -> None:
    async def strange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await reader.read()

    async with server(strange) as port, pooled() as pool:
        with pytest.raises(BadAnswer):
            await ask(pool, plain(port))
        assert pool.idle(plain(port)) is None


class TestNames:
    async def test_look_ups_of_a_name_at_a_time_are_one_and_are_remembered(self) -> None:
        found = LookUps("10.0.0.1")
        found.may_tell.clear()
        names = Names(found)
        calls = [asyncio.create_task(names.addresses(HOST, 443)) for _ in range(3)]
        await eventually(lambda: bool(found.asked))
        calls[0].cancel()
        found.may_tell.set()
        assert [list(await call) for call in calls[1:]] == [["10.0.0.1"]] * 2
        assert await names.addresses(HOST, 443) == ("10.0.0.1",)
        assert found.asked == [HOST]

    async def test_a_look_up_that_failed_is_not_remembered(self) -> None:
        found = LookUps()
        names = Names(found)
        for _ in range(2):
            with pytest.raises(NotConnected, match="cannot be resolved"):
                await names.addresses(HOST, 443)
        assert found.asked == [HOST, HOST]

    async def test_an_address_is_no_name(self) -> None:
        found = LookUps()
        assert await Names(found).addresses("::1", 443) == ["::1"]
        assert not found.asked

    async def test_the_next_address_is_tried_when_one_refuses(self) -> None:
        async with server(answer_all) as port, pooled(None, "127.0.0.2", "127.0.0.1") as pool:
            assert await ask(pool, plain(port, HOST)) == b"ok"

    async def test_no_address_that_answers_is_told(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            async with pooled(None, "127.0.0.1", "127.0.0.2") as pool:
                with pytest.raises(NotConnected, match="no connection"):
                    await pool.opened(plain(taken.getsockname()[1], HOST))


class TestTls:
    async def test_the_name_is_sent_and_the_certificate_checked(self, authority: Authority) -> None:
        named: list[str | None] = []
        tls = authority.server()
        tls.sni_callback = lambda _, name, __: named.append(name)
        async with server(answer_all, tls) as port, pooled(authority.client(), "127.0.0.1") as pool:
            target = Target(HOST, port, tls=True)
            assert await ask(pool, target) == b"ok"
            assert await ask(pool, target) == b"ok"
        assert named == [HOST]

    @pytest.mark.parametrize("trusted", [True, False])
    async def test_another_name_and_an_unknown_authority_are_refused(
        self, authority: Authority, *, trusted: bool
    ) -> None:
        client = authority.client() if trusted else ssl.create_default_context()
        async with server(answer_all, authority.server()) as port, pooled(client, "127.0.0.1") as pool:
            host = "other.example" if trusted else HOST
            with pytest.raises(NotConnected, match="TLS certificate"):
                await pool.opened(Target(host, port, tls=True))

    async def test_a_server_without_tls_is_told(self, authority: Authority) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()

        async with server(talk) as port, pooled(authority.client(), "127.0.0.1") as pool:
            with pytest.raises(NotConnected, match="TLS"):
                await pool.opened(Target(HOST, port, tls=True))

    async def test_the_systems_certificates_are_the_ones_that_are_trusted(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        async with server(answer_all, authority.server()) as port, pooled(None, "127.0.0.1") as pool:
            assert await ask(pool, Target(HOST, port, tls=True)) == b"ok"
