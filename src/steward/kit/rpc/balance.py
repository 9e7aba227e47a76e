"""Chooses among the instances of a service that can take a call."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from steward.kit.context import Ctx


class Backend(Protocol):
    """An instance as a balancer sees it."""

    @property
    def address(self) -> str: ...

    @property
    def outstanding(self) -> int:
        """Calls and streams from this process that have not ended."""
        ...


B = TypeVar("B", bound=Backend)


class Balancer(Protocol):
    """Chooses one of at least one instance for a call."""

    def pick(self, backends: Sequence[B], ctx: Ctx) -> B:
        """The instance to use; all of them can take calls."""
        ...


class RoundRobin:
    """Each in turn."""

    def __init__(self) -> None:
        self._turn = -1

    def pick(self, backends: Sequence[B], ctx: Ctx) -> B:  # noqa: ARG002 the context decides nothing here
        self._turn += 1
        return backends[self._turn % len(backends)]


class LeastOutstanding:
    """The one with the fewest unfinished calls; equals in turn."""

    def __init__(self) -> None:
        self._turn = -1

    def pick(self, backends: Sequence[B], ctx: Ctx) -> B:  # noqa: ARG002 the context decides nothing here
        self._turn += 1
        start = self._turn % len(backends)
        return min((*backends[start:], *backends[:start]), key=lambda backend: backend.outstanding)


def by_tenant(ctx: Ctx) -> str:
    """Keeps a tenant's calls together, so that caches stay warm."""
    return str(ctx.tenant)


def by_session(ctx: Ctx) -> str:
    """Keeps a log-in's calls together, and a tenant's where there is no log-in."""
    return str(ctx.session_id or ctx.tenant)


class ConsistentHash:
    """The same instance for the same key; when one comes or goes, only its share of the keys moves.

    Rendezvous hashing (Thaler and Ravishankar, 1998): the instance with the highest hash of key and address wins.
    """

    def __init__(self, key: Callable[[Ctx], str] = by_tenant) -> None:
        self._key = key

    def pick(self, backends: Sequence[B], ctx: Ctx) -> B:
        key = self._key(ctx).encode()
        return max(backends, key=lambda backend: _weight(key, backend.address))


def _weight(key: bytes, address: str) -> bytes:
    return hashlib.blake2b(key + b"\0" + address.encode(), digest_size=8).digest()
