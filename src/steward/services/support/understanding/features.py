"""Character and word n-grams of texts as hashed features, one vectorised pass over however many texts.

A text is folded; its words are joined by single spaces, with the digits of numbers made alike. Character n-grams (2 to
5) stay within a word and see its ends, as in scikit-learn's `char_wb`; for them a run of Chinese characters is a word,
and each of its characters counts too. Word n-grams (1 and 2) are of English words, whose
stems count beside them, and of jieba's Chinese words.

A feature is 31 bits of hash, and above them a bit that tells characters from words: among 100,000 features a foreign
one is taken for a known one once in 20,000 times.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from steward.kit.text import fold
from steward.kit.text.segmentation import words as segment
from steward.kit.text.stemming import stem

Hashes = NDArray[np.uint32]
Places = NDArray[np.int64]

CHARACTERS: Final = 1 << 31
"""The lowest feature of characters; those below are of words."""
_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff"
_LONGEST: Final = 5
_TOKENS: Final = re.compile(rf"[{_HAN}]+|[^\W{_HAN}]+(?:['\u2019][^\W\d_]+)?|[?!]")
_DIGIT: Final = re.compile(r"\d")
_SPACE: Final = 32
_HAN_FIRST: Final = 0x3400
_STEP: Final = 0x9E3779B97F4A7C15
_MIX: Final = 0xD6E8FEB86659FD93
_HALF: Final = 32
_REST: Final = 33
_PAIR: Final = 0x2545F4914F6CDD1D


class Found(NamedTuple):
    """The features of some texts: for each occurrence its hash and the number of its text."""

    hashes: Hashes
    texts: Places


def found_in(texts: Sequence[str]) -> Found:
    """The features of texts, with repetitions."""
    runs: list[str] = []
    words: list[int] = []
    stems: list[int] = []
    stem_texts: list[int] = []
    counts: list[int] = []
    for number, text in enumerate(texts):
        tokens = _TOKENS.findall(_DIGIT.sub("0", fold(text)))
        runs.append(" ".join(tokens))
        before = len(words)
        for token in tokens:
            if ord(token[0]) >= _HAN_FIRST:
                words += [crc32(word.encode()) for word in segment(token)]
            else:
                words.append(crc32(token.encode()))
                stems.append(crc32(stem(token).encode()))
                stem_texts.append(number)
        counts.append(len(words) - before)
    each = np.arange(len(texts))
    of_words = _word_grams(np.array(words, dtype=np.uint64), np.repeat(each, counts))
    of_stems = (np.array(stems, dtype=np.uint64) * _PAIR >> _REST).astype(np.uint32)
    hashes, places = _character_grams(" " + " ".join(runs) + " ")
    together = np.concatenate((of_words.hashes, of_stems, hashes))
    if len(texts) == 1:
        return Found(together, np.zeros(len(together), dtype=np.int64))
    owners = np.repeat(each, [len(run) + 1 for run in runs])
    # A text without words leaves a gram of two spaces, which the last place of all has no owner for.
    places = np.minimum(places, len(owners) - 1)
    owners_of_stems = np.array(stem_texts, dtype=np.int64)
    return Found(together, np.concatenate((of_words.texts, owners_of_stems, owners[places])))


def part_of(found: Found, chosen: NDArray[np.bool_]) -> Found:
    """The features of some of the texts, which are numbered anew."""
    numbers = np.cumsum(chosen) - 1
    mine = chosen[found.texts]
    return Found(found.hashes[mine], numbers[found.texts[mine]])


def _word_grams(words: NDArray[np.uint64], texts: Places) -> Found:
    together = texts[1:] == texts[:-1]
    pairs = (words[:-1] * _PAIR + words[1:] + _STEP)[together]
    mixed = np.concatenate((words, pairs)) * _MIX
    return Found((mixed >> _REST).astype(np.uint32), np.concatenate((texts, texts[1:][together])))


def _character_grams(run: str) -> tuple[Hashes, Places]:
    """Hash and first place of every n-gram that has no space but at its ends."""
    size = len(run) - 1
    codes = np.zeros(size + _LONGEST, dtype=np.uint64)
    codes[: size + 1] = np.frombuffer(run.encode("utf-32-le"), dtype=np.uint32)
    spaces = (codes == _SPACE).nonzero()[0]
    room = np.repeat(spaces[1:], spaces[1:] - spaces[:-1]) - np.arange(size)
    # A row for each length; what would reach beyond the end has no room and is left out.
    rolled = np.empty((_LONGEST, size), dtype=np.uint64)
    rolled[0] = codes[:size] * _STEP
    for more in range(1, _LONGEST):
        rolled[more] = (rolled[more - 1] + _MIX) * _STEP + codes[more : more + size]
    fit = room >= np.arange(_LONGEST)[:, None]
    fit[0] = codes[:size] >= _HAN_FIRST
    mixed = rolled[fit] * _MIX
    mixed = (mixed ^ (mixed >> _HALF)) * _PAIR
    return (mixed >> _REST).astype(np.uint32) | np.uint32(CHARACTERS), fit.nonzero()[1]
