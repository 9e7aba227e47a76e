"""Where a request came from, when proxies that are trusted stand in front."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from steward.gateway.exchange import Header

_Address = IPv4Address | IPv6Address


class Proxies:
    """The proxies whose word counts: nobody else's `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def origin_of(self, peer: str, scheme: str, headers: Sequence[Header]) -> tuple[str, str]:
        """Address and scheme of the caller: the nearest hop that is not one of ours."""
        if not self._networks or not self._trusts(_parsed(peer)):
            return peer, scheme
        hops = [
            hop for name, value in headers if name == b"x-forwarded-for" for hop in value.decode("latin-1").split(",")
        ]
        for hop in reversed(hops):
            address = _parsed(hop.strip())
            if address is None:
                break
            peer = str(address)
            if not self._trusts(address):
                break
        protos = [value for name, value in headers if name == b"x-forwarded-proto"]
        return peer, protos[-1].decode() if protos and protos[-1] in {b"http", b"https"} else scheme

    def _trusts(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _parsed(text: str) -> _Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
