"""What customers ask in `bench/chat.py`: the demo shop's FAQs, re-worded, from people with names of their own."""

import csv
import random
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from steward.kit.text import detect_locale

FAQS: Final = Path(__file__).parents[1] / "src" / "steward" / "bootstrap" / "demo" / "faqs.csv"

_SYLLABLES: Sequence[str] = [
    first + last for first in "bdfgklmnprstvz" for last in ("a", "e", "i", "o", "u", "an", "en", "il")
]
_SURNAMES: Final = "王李林高徐周朱何郭胡石江田方洪白丁史唐于"
_GIVEN: Final = "明文志平安永山海波玉英美秀芳春月青家大正光天心雅方元之立生可人君成和"
"""Signs that are the same in both scripts, so that a name does not tell the language."""
_ENGLISH: Final = ("Hello! {asked}? Thanks, {name}", "{asked}? - {name}", "{name} asks: {asked}?")
_CHINESE: Final = ("我是{name}，{asked}？", "{asked}？ {name}", "{name}：{asked}？")
_SHORTEST: Final = 3
"""Words of an English wording, and one less than the characters of a Chinese one."""


class Wording(NamedTuple):
    """One way to ask for a FAQ."""

    faq: str
    text: str
    english: bool


def questions() -> list[str]:
    """The questions of the FAQs as they stand, in three scripts.

    Without those whose signs are the same in both scripts: what they are taken for depends on what was said before.
    """
    return [row["question"] for row in _rows() if detect_locale(row["question"]) == row["locale"]]


def wordings() -> list[Wording]:
    """Questions and the sentences among the keywords, in an order that mixes languages and subjects."""
    found: list[Wording] = []
    for row in _rows():
        english = row["locale"] == "en"
        for text in (row["question"].rstrip("?？"), *row["keywords"].split(";")):
            length = len(text.split()) if english else len(text.strip()) - 1
            if length >= _SHORTEST:
                found.append(Wording(row["id"], text.strip(), english))
    random.Random(7).shuffle(found)
    return found


def different(asked: Sequence[Wording]) -> Iterator[str]:
    """Messages without end; for tens of thousands no name comes twice, and no message ever."""
    for number in count():
        yield _said(asked[number % len(asked)], number % 3, number)


def guises(wording: Wording) -> list[str]:
    """The wording in each of the ways that `different` has, said by people whom it does not have."""
    return [_said(wording, pattern, -1 - pattern) for pattern in range(3)]


def _said(wording: Wording, pattern: int, number: int) -> str:
    patterns = _ENGLISH if wording.english else _CHINESE
    # Coprime to the numbers of names, so that neighbours have nothing in common.
    return patterns[pattern].format(name=_name(number * 7919, english=wording.english), asked=wording.text)


def _name(number: int, *, english: bool) -> str:
    if english:
        number, first = divmod(number, len(_SYLLABLES))
        number, second = divmod(number, len(_SYLLABLES))
        return (_SYLLABLES[first] + _SYLLABLES[second] + _SYLLABLES[number % len(_SYLLABLES)]).capitalize()
    number, first = divmod(number, len(_SURNAMES))
    number, second = divmod(number, len(_GIVEN))
    return _SURNAMES[first] + _GIVEN[second] + _GIVEN[number % len(_GIVEN)]


def _rows() -> list[dict[str, str]]:
    return list(csv.DictReader(FAQS.read_text(encoding="utf-8").splitlines()))
