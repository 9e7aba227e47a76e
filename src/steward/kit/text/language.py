"""Which of the three languages a text is in."""

import re
from typing import Final

from steward.kit.text.folding import simplified_only, traditional_only
from steward.kit.text.stopwords import ENGLISH
from steward.kit.text.terms import HAN

_HAN: Final = re.compile(rf"[{HAN}]")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_CODES: Final = re.compile(rf"\S+@\S+|https?://\S+|[^\s{HAN}]*\d[^\s{HAN}]*")
_WORDS: Final = re.compile(r"[a-z]+(?:['\u2019][a-z]+)?")
_ASKING: Final = frozenset(["how", "what", "when", "where", "which", "who", "why", "no", "not", "yes"])
_CHINESE: Final = ("zh-Hant", "zh-Hans")


def detect_locale(text: str, previous: str | None = None) -> str | None:
    """`en`, `zh-Hant` or `zh-Hans`; where the text does not tell, `previous`, the language it comes after.

    Numbers, codes, addresses and other languages tell nothing. Nor does a single Latin word once there is a previous
    language: it may well be a name. Chinese in characters that both scripts have is in the previous script; after
    English it is `zh-Hans`, and None where nothing came before: then take what the tenant is set to.
    """
    plain = _CODES.sub(" ", text) if not text.isalpha() else text
    han = _HAN.findall(plain)
    words = _WORDS.findall(plain.lower()) if not han or len(plain) > len(han) else []
    if not han:
        return _english(words, previous)
    if _KANA.search(plain):
        return previous
    if len(words) > len(han) and _has_grammar(words):
        return "en"
    return _script(han, previous)


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese in it, in whatever script."""
    return _HAN.search(text) is not None


def _english(words: list[str], previous: str | None) -> str | None:
    if not words or (previous is not None and len(words) == 1):
        return previous
    return "en"


def _has_grammar(words: list[str]) -> bool:
    return any(word in ENGLISH or word in _ASKING for word in words)


def _script(han: list[str], previous: str | None) -> str | None:
    traditional = sum(each in traditional_only() for each in han)
    simplified = sum(each in simplified_only() for each in han)
    if traditional != simplified:
        return "zh-Hant" if traditional > simplified else "zh-Hans"
    if previous is None or previous in _CHINESE:
        return previous
    return "zh-Hans"
