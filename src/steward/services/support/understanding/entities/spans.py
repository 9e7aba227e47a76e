"""Entities with their places in a message."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from steward.services.support.api import EntityType

_WIDE: Final[Mapping[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: " ",
    0xFFE5: "\u00a5",
    0xFFE1: "\u00a3",
}


class Span(NamedTuple):
    """An entity and where it stands."""

    start: int
    end: int
    type: EntityType
    value: str


Spans = Iterator[Span]


def narrowed(text: str) -> str:
    """Full-width letters, digits and signs as the usual ones; every character stays in its place."""
    return text if text.isascii() else text.translate(_WIDE)
