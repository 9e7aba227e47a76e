"""Whether words occur in a message, whatever its script, case and width.

Words are a few pieces in order, each at most 24 characters behind the one before; a piece of Latin letters is a whole
word, or the beginning of one if it ends with `*`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from steward.kit.text import fold
from steward.services.support.dialogue.lexicon import FILLERS

MAX_PIECES: Final = 4
LOOKED_AT: Final = 2000
"""Characters of a message that are looked at."""
_GAP: Final = 24


class _Piece(msgspec.Struct, frozen=True):
    text: str
    prefix: bool


def plain(text: str) -> str:
    """The form of a message that words are looked for in."""
    return fold(text[:LOOKED_AT]).replace("\u2019", "'")


@lru_cache(maxsize=16_384)
def pieces(words: str) -> tuple[_Piece, ...]:
    """What is looked for, in order; empty where nothing is."""
    found = (_Piece(piece.rstrip("*"), piece.endswith("*")) for piece in plain(words).split())
    return tuple(piece for piece in found if piece.text)


def span(words: str, message: str) -> tuple[int, int] | None:
    """Where words begin and end in a plain message, or None."""
    looked_for = pieces(words)
    if not looked_for or looked_for[0].text not in message:
        return None
    start = 0
    while True:
        first = _find(looked_for[0], message, start, len(message))
        if first is None:
            return None
        end: int | None = first[1]
        for piece in looked_for[1:]:
            found = _find(piece, message, end, min(len(message), end + _GAP + len(piece.text)))
            end = found[1] if found else None
            if end is None:
                break
        if end is not None:
            return first[0], end
        start = first[0] + 1


def longest(words: Sequence[str], message: str) -> int:
    """The length of the longest of these words that occur in a plain message; 0 where none does."""
    best = 0
    for each, length, beginning in _looked_for(tuple(words)):
        # Nearly all of them end here.
        if beginning in message and length > best and span(each, message) is not None:
            best = length
    return best


@lru_cache(maxsize=4096)
def _looked_for(words: tuple[str, ...]) -> Sequence[tuple[str, int, str]]:
    """Words with their length and first piece; without those in which there is nothing to look for."""
    return [(each, len(each), found[0].text) for each in words if (found := pieces(each))]


def says_only(words: Sequence[str], message: str) -> bool:
    """Whether a plain message says one of the words at least, and but for courtesies nothing else."""
    rest, found = message, False
    for each in sorted(words, key=len, reverse=True):
        while (place := span(each, rest)) is not None:
            rest, found = f"{rest[: place[0]]} {rest[place[1] :]}", True
    return found and not without_fillers(rest)


def without_fillers(message: str) -> str:
    """What a plain message says besides courtesies, particles and punctuation, without blanks."""
    rest = f" {''.join(each if each.isalnum() or each == chr(39) else ' ' for each in message)} "
    for filler in FILLERS:
        if filler in rest:
            rest = rest.replace(filler, " " if filler[0] == " " else "")
    return "".join(rest.split())


def _find(piece: _Piece, message: str, start: int, end: int) -> tuple[int, int] | None:
    """The first place of a piece between two positions that is no part of another word."""
    while (at := message.find(piece.text, start, end)) >= 0:
        stop = at + len(piece.text)
        if _free(piece.text[0], message[at - 1 : at]) and (
            piece.prefix or _free(piece.text[-1], message[stop : stop + 1])
        ):
            return at, stop
        start = at + 1
    return None


def _free(edge: str, neighbour: str) -> bool:
    """Whether a word may end between two characters; between Chinese ones it always may."""
    return not (edge.isascii() and edge.isalnum() and neighbour.isascii() and neighbour.isalnum())
