"""Identifiers: UUIDv7 values, made in one place so that a simulator can own them."""

import secrets
from collections.abc import Callable
from functools import lru_cache
from typing import NewType
from uuid import UUID

from steward.kit.clock import Clock

TenantId = NewType("TenantId", UUID)

PLATFORM = TenantId(UUID(int=0))
"""Stands where a tenant is asked for and the platform itself is meant; no tenant has this id."""

_COUNTER_BITS = 12
_COUNTER_MAX = (1 << _COUNTER_BITS) - 1
_RANDOM_BITS = 62
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_DRAWN_AT_ONCE = 64


def text_of(known: UUID) -> str:
    """As `str`, but remembered: for ids that are written with every request, such as a tenant's or a key's."""
    return _text_of(known.int)


@lru_cache(maxsize=4_096)
def _text_of(number: int) -> str:
    return _written(number)


def _written(number: int) -> str:
    """A UUID as RFC 9562 section 4 writes it."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Ids:
    """Makes UUIDv7 values that grow strictly within a process.

    Layout of RFC 9562 section 5.7 with the counter of its section 6.2, method 1: 48 bits of Unix milliseconds,
    12 bits of counter in `rand_a`, 62 random bits. When the counter of a millisecond is used up, or the clock steps
    back, the time part runs ahead by a millisecond instead of repeating.
    """

    def __init__(self, clock: Clock, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._milliseconds = 0
        self._counter = 0
        self._drawn: list[int] = []

    def new(self) -> UUID:
        return UUID(int=self._number())

    def new_text(self) -> str:
        """A new one as text, for names that nobody reckons with: it costs half."""
        return _written(self._number())

    def _number(self) -> int:
        now = int(self._clock.now().timestamp() * 1000)
        if now > self._milliseconds:
            self._milliseconds = now
            self._counter = 0
        elif self._counter < _COUNTER_MAX:
            self._counter += 1
        else:
            self._milliseconds += 1
            self._counter = 0
        high = (self._milliseconds << 16) | 0x7000 | self._counter
        low = (0b10 << 62) | self._draw()
        return (high << 64) | low

    def _draw(self) -> int:
        """62 random bits, drawn many at a time: a system call each would cost as much as the rest of an id."""
        if not self._drawn:
            bits = self._random_bits(_RANDOM_BITS * _DRAWN_AT_ONCE)
            self._drawn = [bits >> (_RANDOM_BITS * place) & _RANDOM_MASK for place in reversed(range(_DRAWN_AT_ONCE))]
        return self._drawn.pop()

    def token(self, size: int = 32) -> bytes:
        """Random bytes for a secret, `size` of them."""
        return self._random_bits(size * 8).to_bytes(size, "big")
