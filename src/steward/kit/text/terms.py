"""The terms of a text: what an index holds and a query looks for."""

import re
from collections.abc import Iterator
from typing import Final

from steward.kit.text import segmentation
from steward.kit.text.folding import fold, simplified_only, traditional_only
from steward.kit.text.stemming import stem
from steward.kit.text.stopwords import CHINESE, ENGLISH

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The Chinese characters, for a class of a regular expression."""
_TOKENS: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:['\u2019._+-][^\W_{HAN}]+)*")
_HAN: Final = re.compile(rf"[{HAN}]")
_INNER: Final = re.compile(r"[._+-]+")
_OWNER: Final = re.compile(r"['\u2019](?:s|d|m|ll|re|ve)$")


def load() -> None:
    """Load the dictionary and tables; 0.7 s of CPU the first time, so call it in a thread when a service starts."""
    segmentation.load()
    simplified_only()
    traditional_only()
    stem("loaded")


def terms(text: str) -> list[str]:
    """The terms of a text in their order, with repetitions.

    Folded; Chinese in words, of long words also those within; English stemmed; `wi-fi` is `wifi`, `wi` and `fi`. Stop
    words are dropped, unless there is nothing else.
    """
    return terms_of_folded(fold(text))


def terms_of_folded(folded: str) -> list[str]:
    """As `terms`, of a text that `fold` has made."""
    found = list(_terms(folded))
    telling = [term for term, stop in found if not stop]
    return telling or [term for term, _ in found]


def _terms(folded: str) -> Iterator[tuple[str, bool]]:
    """Each term, and whether it is a stop word."""
    for match in _TOKENS.finditer(folded):
        token = match.group()
        if _HAN.match(token):
            yield from ((word, word in CHINESE) for word in segmentation.words(token))
        else:
            yield from _latin(token)


def _latin(token: str) -> Iterator[tuple[str, bool]]:
    word = _OWNER.sub("", token).replace("'", "").replace("\u2019", "")
    parts = _INNER.split(word)
    if len(parts) > 1:
        yield stem("".join(parts)), False
    for part in parts:
        yield stem(part), part in ENGLISH
