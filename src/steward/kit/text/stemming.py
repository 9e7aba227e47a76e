"""Stems of English words; the adapter of snowballstemmer (the Snowball project's `english`, also called Porter 2)."""

from functools import cache, lru_cache
from threading import Lock
from typing import Final, Protocol, cast

import snowballstemmer  # pyright: ignore[reportMissingTypeStubs] it has none

_LONGEST: Final = 40


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 the library's name


@cache
def _stemmer() -> tuple[_Stemmer, Lock]:
    """The stemmer keeps the word it works on in itself, so one thread at a time has it."""
    made = snowballstemmer.stemmer("english")  # pyright: ignore[reportUnknownMemberType] no types
    return cast("_Stemmer", made), Lock()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a word in lower case; what is too long for a word, or has a digit, is returned as it is."""
    if len(word) > _LONGEST or not word.isalpha():
        return word
    stemmer, lock = _stemmer()
    with lock:
        return stemmer.stemWord(word)
