"""Which IP addresses and URLs outgoing calls may reach."""

import socket
from asyncio import get_running_loop
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from steward.kit.http.errors import AddressRefused

# What the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) list as not globally reachable, and
# multicast. Written out because the answer of `ipaddress.is_global` changed between patch releases of Python.
_REFUSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""The only space of global unicast: outside lie loopback, mapped IPv4, NAT64, unique local, link-local, multicast."""
_REFUSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo, whose addresses carry an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, whose addresses carry an IPv4 address
        "3fff::/20",  # documentation
    )
)
_MAX_ADDRESSES = 8
_HTTPS_PORT = 443
_DEFAULT_PORTS = frozenset({80, _HTTPS_PORT})


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network; what is no IP address is not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    return _is_public_v6(parsed)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


class Resolver(Protocol):
    """Turns a host's name into addresses."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """IP addresses in the order to try. Raises `OSError` when there are none."""
        ...


class SystemResolver:
    """The resolver of the operating system, in threads of its own: slow name servers hold up nothing but look-ups."""

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """See `Resolver`."""
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = await get_running_loop().run_in_executor(self._threads, look_up)
        except UnicodeError as error:
            # A label that is empty or too long for DNS.
            raise OSError(f"{host} is no name that can be resolved") from error
        return [str(address[0]) for *_, address in found]

    def close(self) -> None:
        """Take no more look-ups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class AddressPolicy:
    """The rule for URLs: public hosts by https on its own port; hosts that the installation names also otherwise."""

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._allowed = frozenset(_normal(host) for host in allowed_hosts)

    def allows_inside(self, host: str, port: int) -> bool:
        """Whether the installation allows this host by name, wherever it is."""
        name = _normal(f"[{host}]" if ":" in host else host)
        return f"{name}:{port}" in self._allowed or (port in _DEFAULT_PORTS and name in self._allowed)

    def check(self, url: URL) -> None:
        """Raise `AddressRefused` for a URL that may not be called, as far as the URL itself shows it."""
        host, port = url.raw_host, url.port
        if url.scheme not in {"http", "https"} or not host or port is None:
            raise AddressRefused(host or str(url)[:100], "only complete http and https URLs are called")
        if url.raw_user is not None or url.raw_password is not None:
            raise AddressRefused(host, "its URL holds a user name or password, which belong into a header")
        if self.allows_inside(host, port):
            return
        if url.scheme != "https":
            raise AddressRefused(host, "plain http is not allowed")
        if port != _HTTPS_PORT:
            raise AddressRefused(host, f"port {port} is not allowed")
        if _is_address(host) and not is_public(host):
            raise AddressRefused(host, "it is not an address of the public network")


class CheckedResolver(AbstractResolver):
    """Resolves for the connector and refuses what is not public.

    The connector opens its connection to exactly the addresses that were checked here; there is no second look-up
    that could answer differently (DNS rebinding). A name with even one inside address is refused as a whole.
    """

    def __init__(self, resolver: Resolver, policy: AddressPolicy) -> None:
        self._resolver = resolver
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The checked addresses of a host. Raises `AddressRefused`, `OSError`."""
        addresses = await self._resolver.resolve(host, port)
        if not addresses:
            raise OSError(f"no address for {host}")
        if not self._policy.allows_inside(host, port) and not all(is_public(address) for address in addresses):
            raise AddressRefused(host, "its name leads to an address that is not of the public network")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in list(dict.fromkeys(addresses))[:_MAX_ADDRESSES]
            if family in {socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET}
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _normal(host: str) -> str:
    name, separator, port = host.rpartition(":")
    if not separator or not port.isdigit():
        return host.lower().rstrip(".")
    return f"{name.lower().rstrip('.')}:{port}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
