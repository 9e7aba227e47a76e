"""Opening connections: where a name leads, which of its addresses answers first, and TLS."""

import asyncio
import socket
import ssl
from asyncio.staggered import staggered_race
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from ipaddress import ip_address
from itertools import chain, zip_longest

import msgspec

from steward.services.models.upstream.http1.connection import Connection

CONNECT_SECONDS = 10.0
_NAMES_SECONDS = 30.0
_NEXT_ADDRESS_SECONDS = 0.25
"""After which the next address is tried beside the one before (RFC 8305, section 5)."""

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host. Raises `OSError`; and what refuses them, if they are checked."""


class Target(msgspec.Struct, frozen=True):
    """Where connections lead; those of equal targets stand for each other."""

    host: str
    port: int
    tls: bool


class NotConnected(Exception):
    """No connection came about; nothing was sent."""


class Names:
    """Remembers for half a minute where names lead; look-ups of one name at the same time are one."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._known: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[str]]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Raises `NotConnected`, and what the look-up refuses with."""
        if _is_address(host):
            return [host]
        now = asyncio.get_running_loop().time()
        until, task = self._known.get((host, port), (0.0, None))
        if task is None or until < now or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._found(host, port))
            task.add_done_callback(_noticed)
            self._known = {key: known for key, known in self._known.items() if known[0] >= now}
            self._known[host, port] = now + _NAMES_SECONDS, task
        try:
            found = await asyncio.shield(task)
        except OSError:
            raise NotConnected("its name cannot be resolved") from None
        if not found:
            raise NotConnected("its name cannot be resolved")
        return found

    def forget(self) -> None:
        """Look up anew from now on."""
        self._known = {}

    async def _found(self, host: str, port: int) -> Sequence[str]:
        return await self._look_up(host, port)


class Connector:
    """Opens connections to the addresses that its names lead to, and to no others.

    `tls` is made from the system's certificates when it is not given.
    """

    def __init__(self, names: Names, tls: ssl.SSLContext | None = None) -> None:
        self._names = names
        self._tls = tls

    async def connect(self, target: Target, lost: Callable[[Connection], None]) -> Connection:
        """A new connection. Raises `NotConnected`, and what refuses the address."""
        addresses = _alternating(await self._names.addresses(target.host, target.port))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._opened(target, addresses, lost)
        except ssl.SSLError:
            raise NotConnected("its TLS certificate or TLS version is not accepted") from None
        except OSError:
            # A time-out is one.
            raise NotConnected("no connection can be made") from None

    def forget(self) -> None:
        """Forget where names lead."""
        self._names.forget()

    async def _opened(self, target: Target, addresses: Sequence[str], lost: Callable[[Connection], None]) -> Connection:
        tls = await self._context() if target.tls else None
        name = target.host.rstrip(".") if tls else None
        taken = await _first_to_answer(addresses, target.port)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(lost), sock=taken, ssl=tls, server_hostname=name
            )
        except BaseException:
            taken.close()
            raise
        return connection

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # In a thread, for it reads and parses all certificates of the system.
            self._tls = await asyncio.to_thread(_default_tls)
        return self._tls


async def _first_to_answer(addresses: Sequence[str], port: int) -> socket.socket:
    """A socket to one of them: the first, or the first that answers when it lets one wait. Raises `OSError`."""
    if len(addresses) == 1:
        return await _reached(addresses[0], port)
    won, _, errors = await staggered_race(
        [partial(_reached, address, port) for address in addresses], _NEXT_ADDRESS_SECONDS
    )
    if won is None:
        raise next((error for error in errors if isinstance(error, OSError)), OSError("no address answers"))
    return won


async def _reached(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


def _alternating(addresses: Sequence[str]) -> list[str]:
    """Of both families in turn, the first one's first (RFC 8305, section 4)."""
    first_is_v6 = ":" in addresses[0]
    same = [address for address in addresses if (":" in address) == first_is_v6]
    other = [address for address in addresses if (":" in address) != first_is_v6]
    return [address for address in chain.from_iterable(zip_longest(same, other)) if address is not None]


def _noticed(task: asyncio.Task[Sequence[str]]) -> None:
    """All who waited for it may have left before it failed."""
    if not task.cancelled():
        task.exception()


def _default_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
