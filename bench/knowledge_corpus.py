"""Texts for the benchmark of search: words as frequent as in the languages, in three scripts, from a fixed seed."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import jieba  # pyright: ignore[reportMissingTypeStubs] it has none

from steward.kit.text import to_script

SEED: Final = 20260701
_ENGLISH_WORDS: Final = 40_000
_CHINESE_WORDS: Final = 40_000
_SYLLABLES: Final[Sequence[str]] = [
    first + vowel + last for first in "bcdfglmnprstvw" for vowel in "aeiou" for last in ("", "n", "r", "st", "m")
]
_TITLE: Final = (3, 7)
_BODY: Final = (30, 70)
_QUERY: Final = (2, 6)


class Texts:
    """Makes documents and queries that have words of the same languages."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self._english = self._made_up(_ENGLISH_WORDS)
        # The n-th most frequent word is about 1/n as frequent as the first (Zipf).
        self._english_weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(_ENGLISH_WORDS)))
        chinese = _dictionary(_CHINESE_WORDS)
        self._chinese = list(chinese)
        self._chinese_weights = list(itertools.accumulate(chinese.values()))

    def documents(self, count: int, start: int = 0) -> Iterator[Mapping[str, str]]:
        """Short documents, one chunk each: half in English, a quarter in each Chinese script."""
        for number in range(start, start + count):
            title, body = (self._said(number, *lengths) for lengths in (_TITLE, _BODY))
            yield {"id": f"doc-{number}", "title": title, "text": body}

    def queries(self, count: int) -> Sequence[str]:
        """Questions of some words, common and rare as they come, half of them with a word that asks."""
        asking = ("how can i", "怎么", "怎麼", "where is the")
        return [
            f"{asking[number % 4] if number % 2 else ''} {self._said(number, *_QUERY)}".strip()
            for number in range(count)
        ]

    def _said(self, number: int, least: int, most: int) -> str:
        count = self._random.randint(least, most)
        if number % 2 == 0:
            return " ".join(self._random.choices(self._english, cum_weights=self._english_weights, k=count)) + "."
        text = "".join(self._random.choices(self._chinese, cum_weights=self._chinese_weights, k=count)) + "。"
        return to_script(text, "zh-Hant") if number % 4 == 1 else text

    def _made_up(self, count: int) -> Sequence[str]:
        """Words that can be said; the frequent ones are short."""
        words: dict[str, None] = {}
        while len(words) < count:
            syllables = 1 + min(len(words) // 300, 2) + self._random.randint(0, 1)
            words["".join(self._random.choices(_SYLLABLES, k=syllables))] = None
        return list(words)


def _dictionary(count: int) -> Mapping[str, int]:
    """The most frequent words of jieba's dictionary with their counts, most frequent first."""
    with jieba.get_dict_file() as file:  # pyright: ignore[reportUnknownMemberType] no types
        lines = [line.decode().split() for line in file]
    ordered = sorted(((word, int(frequency)) for word, frequency, _ in lines), key=lambda each: -each[1])
    return dict(ordered[:count])
