"""An HTTP/1.1 load generator over plain sockets, and the statistics of what it measured.

Closed loop: each connection sends a request when it has the answer to the one before. The client does as little as it
can, for it shares the machine with the server.
"""

import asyncio
import math
import statistics
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar, cast

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_PATIENCE_S: Final = 15.0
"""How long the last answers of a stretch may take after its end."""


class Load(NamedTuple):
    """What one stretch of load came to."""

    seconds: float
    latencies: list[float]
    """Seconds from request to the end of its answer, one of each request."""

    @property
    def requests(self) -> int:
        return len(self.latencies)


class Round(NamedTuple):
    """One round of one side: its load, and the CPU that was used until its background work had settled."""

    load: Load
    server_cpu_s: float
    postgres_cpu_s: float


class Figures(NamedTuple):
    """The rounds of one side in figures: medians over the rounds, percentiles over all requests."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    """CPU microseconds of the server process a request."""
    postgres_cpu_us: float


class UnexpectedAnswer(RuntimeError):
    """The server answered something else than 200."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        raise ValueError("there are no values to take a percentile of")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figures(rounds: Sequence[Round]) -> Figures:
    """The figures of some rounds; each has to have requests."""
    latencies = [latency for each in rounds for latency in each.load.latencies]
    return Figures(
        requests=len(latencies),
        rps=statistics.median(each.load.requests / each.load.seconds for each in rounds),
        p50_ms=percentile(latencies, 0.5) * 1e3,
        p99_ms=percentile(latencies, 0.99) * 1e3,
        server_cpu_us=statistics.median(each.server_cpu_s / each.load.requests for each in rounds) * 1e6,
        postgres_cpu_us=statistics.median(each.postgres_cpu_s / each.load.requests for each in rounds) * 1e6,
    )


def cpu_ratios(peer: Sequence[Round], ours: Sequence[Round]) -> list[float]:
    """How many times our server CPU a request the peer used, for each pair of rounds that ran side by side."""
    return [
        (theirs.server_cpu_s / theirs.load.requests) / (mine.server_cpu_s / mine.load.requests)
        for theirs, mine in zip(peer, ours, strict=True)
    ]


class Named(Protocol):
    """A side of a comparison."""

    name: str


S = TypeVar("S", bound=Named)


async def alternate(
    sides: Sequence[S], rounds: int, run: Callable[[S], Coroutine[Any, Any, Round]]
) -> Mapping[str, list[Round]]:
    """A B, B A, A B …: what drifts on the machine meets both sides alike."""
    done: dict[str, list[Round]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            done[side.name].append(await run(side))
    return done


class Client(Protocol):
    """Who talks over one connection."""

    def ask(self) -> bytes:
        """The next request."""
        ...

    def heard(self, answer: bytes) -> None:
        """Take note of the answer, head and body; raise where it is not what it should be."""
        ...


class Repeated:
    """Sends what `request` makes, and asks nothing of the answers but 200."""

    def __init__(self, request: Callable[[], bytes]) -> None:
        self.ask = request

    def heard(self, answer: bytes) -> None:
        pass


async def drive(host: str, port: int, clients: Sequence[Client], *, seconds: float) -> Load:
    """Send requests for so long, over one connection for each client.

    Raises what a client raises, `UnexpectedAnswer`, `OSError` for a lost connection, and `TimeoutError` when answers
    stay away.
    """
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    connections = [_Connection(client, until, latencies) for client in clients]
    async with asyncio.timeout(seconds + _PATIENCE_S):
        for connection in connections:
            await loop.create_connection(lambda connection=connection: connection, host, port)
        await asyncio.gather(*(connection.done for connection in connections))
    return Load(time.perf_counter() - started, latencies)


class _Connection(asyncio.Protocol):
    """One connection that asks again and again until its time is up."""

    def __init__(self, client: Client, until: float, latencies: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = client
        self._until = until
        self._latencies = latencies
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = answer_end(self._buffer)
        if end is None or len(self._buffer) < end:
            return
        now = time.perf_counter()
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self._end(UnexpectedAnswer(self._buffer[:end].decode("utf-8", "replace")))
            return
        self._latencies.append(now - self._sent_at)
        try:
            self._client.heard(self._buffer)
        except Exception as error:  # noqa: BLE001 - who drives is told
            self._end(error)
            return
        self._buffer = b""
        if now < self._until:
            self._ask()
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def _ask(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._client.ask())

    def _end(self, error: Exception | None) -> None:
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
        self._transport.close()


def answer_end(buffer: bytes) -> int | None:
    """How long the answer at the start of the buffer is; None while its head is not whole.

    Raises `UnexpectedAnswer` for one that does not declare its length.
    """
    head_end = buffer.find(_HEAD_END)
    if head_end < 0:
        return None
    head = buffer[: head_end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise UnexpectedAnswer(f"an answer without Content-Length: {head!r}")
    length = head[at + len(_LENGTH) : head.index(b"\r\n", at)]
    return head_end + len(_HEAD_END) + int(length)
