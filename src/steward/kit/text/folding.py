"""One form for texts that say the same: width, case and Chinese script folded away; the adapter of opencc."""

import unicodedata
from functools import cache, lru_cache
from typing import Final, Protocol, cast

import opencc

_TRADITIONAL: Final = "zh-Hant"
_SIMPLIFIED: Final = "zh-Hans"
_REMEMBERED: Final = 500
"""Characters of a text whose folded form is kept for a while: a message is folded by each who looks at it."""


class _Converter(Protocol):
    """What is used of `opencc.OpenCC`; its conversions are pure and may run in several threads."""

    def convert(self, text: str) -> str: ...


@cache
def _converter(name: str) -> _Converter:
    return cast("_Converter", opencc.OpenCC(name))


def simplified(text: str) -> str:
    """Traditional characters as simplified ones; everything else unchanged."""
    return text if text.isascii() else _converter("t2s").convert(text)


def traditional(text: str) -> str:
    """Simplified characters as they are written in Taiwan; words stay the words they are."""
    return text if text.isascii() else _converter("s2tw").convert(text)


def fold(text: str) -> str:
    """NFKC, lower case, simplified characters, runs of white space as one space: for comparing, not for showing."""
    if text.isascii():
        return " ".join(text.lower().split())
    return _remembered(text) if len(text) <= _REMEMBERED else _folded(text)


@lru_cache(maxsize=2048)
def _remembered(text: str) -> str:
    return _folded(text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(simplified(plain).split())


def to_script(text: str, locale: str) -> str:
    """Chinese text in the script of `zh-Hant` or `zh-Hans`; other texts and locales unchanged.

    Text that is traditional through and through is left as it is: some of its characters have another meaning when
    taken for simplified ones.
    """
    if locale == _SIMPLIFIED:
        return simplified(text)
    if locale == _TRADITIONAL and any(each in simplified_only() for each in text):
        return traditional(text)
    return text


@cache
def traditional_only() -> frozenset[str]:
    """Characters that a simplified text does not have: in Big5, not in GB 2312, and changed by simplifying."""
    return frozenset(_differing("big5", "gb2312", "t2s"))


@cache
def simplified_only() -> frozenset[str]:
    """Characters that a traditional text does not have: in GB 2312, not in Big5, and changed by the other way."""
    return frozenset(_differing("gb2312", "big5", "s2t"))


def _differing(has: str, has_not: str, conversion: str) -> list[str]:
    """Han characters of one code page that are missing in another and that a conversion changes."""
    characters = [chr(code) for code in range(0x4E00, 0xA000)]
    own = [each for each in characters if _encodes(each, has) and not _encodes(each, has_not)]
    converted = _converter(conversion).convert("\n".join(own)).split("\n")
    return [each for each, other in zip(own, converted, strict=True) if each != other]


def _encodes(character: str, codec: str) -> bool:
    return bool(character.encode(codec, errors="ignore"))
