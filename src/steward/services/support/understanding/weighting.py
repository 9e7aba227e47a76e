"""TF-IDF: the known features of texts and what each weighs.

`(1 + ln tf) · (1 + ln((1 + n) / (1 + df)))` as in scikit-learn with `sublinear_tf` and `smooth_idf`; words and
characters are each brought to length one, so that the many characters do not drown the few words, and words count
`WORDS` as much. Features that the model does not know add to the length as the rarest do: the more of a text is
foreign, the less it says.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steward.services.support.understanding.features import CHARACTERS, Found, Hashes, Places

Values = NDArray[np.float32]

WORDS: Final = 0.8
"""Weight of the words' part beside the characters' part of 1; chosen by results on the public sets."""
_HASH_BITS: Final = 32
_HASH: Final = 0xFFFFFFFF
_SCALE: Final = (1 + WORDS * WORDS) ** -0.5
_SHARES: Final = (_SCALE * WORDS, _SCALE)


class Vocabulary(NamedTuple):
    """The features that a model knows, ascending, and the inverse document frequency of each."""

    hashes: Hashes
    rarity: Values
    rarest: float
    """The greatest rarity, 0 of none: looking for it with each text would take longer than most of the rest."""


class Rows(NamedTuple):
    """Weighed texts as a sparse matrix by rows: text `i` has the columns and values `starts[i]:starts[i + 1]`."""

    starts: Places
    columns: Places
    values: Values
    covered: Values
    """For each text how much of it is known, by weight: 0 to 1."""


def vocabulary_of(found: Found, texts: int, at_most: int) -> Vocabulary:
    """The features of training texts; of too many those that are in the most texts."""
    pairs, _ = _counted(_together(found))
    hashes, frequency = _counted(pairs & np.uint64(_HASH))
    if len(hashes) > at_most:
        kept = np.sort(np.argsort(-frequency, kind="stable")[:at_most])
        hashes, frequency = hashes[kept], frequency[kept]
    rarity = np.log((1 + texts) / (1 + frequency)) + 1
    return vocabulary(hashes.astype(np.uint32), rarity.astype(np.float32))


def vocabulary(hashes: Hashes, rarity: Values) -> Vocabulary:
    return Vocabulary(hashes, rarity, float(rarity.max(initial=0)))


def weigh(found: Found, texts: int, known: Vocabulary) -> Rows:
    """Texts in terms of a vocabulary."""
    pairs, counts = _counted(_together(found))
    hashes = (pairs & _HASH).astype(np.uint32)
    owners = (pairs >> _HASH_BITS).astype(np.int64)
    if not len(known.hashes):
        return Rows(np.zeros(texts + 1, np.int64), owners[:0], np.zeros(0, np.float32), np.zeros(texts, np.float32))
    columns = np.minimum(known.hashes.searchsorted(hashes), len(known.hashes) - 1)
    hit = known.hashes[columns] == hashes
    weights = (1 + np.log(counts)) * np.where(hit, known.rarity[columns], known.rarest)
    parts = owners * 2 + (hashes >= CHARACTERS)
    squares = weights * weights
    length = np.sqrt(np.bincount(parts, squares, minlength=texts * 2))
    every = np.bincount(owners, squares, minlength=texts)
    covered = np.sqrt(np.bincount(owners, squares * hit, minlength=texts) / np.where(every > 0, every, 1))
    share = np.divide(_SHARES, np.where(length > 0, length, 1).reshape(texts, 2)).ravel()
    values = (weights * share[parts])[hit].astype(np.float32)
    starts = np.zeros(texts + 1, np.int64)
    np.cumsum(np.bincount(owners[hit], minlength=texts), out=starts[1:])
    return Rows(starts, columns[hit], values, covered.astype(np.float32))


def _together(found: Found) -> NDArray[np.uint64]:
    """Text and feature as one number, so that one sorting serves both."""
    return found.texts.astype(np.uint64) << np.uint64(_HASH_BITS) | found.hashes


def _counted(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Places]:
    """The different values, ascending, and how often each is there: `np.unique` in half its time for a short text."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    ends = np.empty(int(first.sum()) + 1, np.int64)
    ends[:-1], ends[-1] = first.nonzero()[0], len(ordered)
    return ordered[first], ends[1:] - ends[:-1]
