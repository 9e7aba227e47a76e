"""What must be equal in two questions before one's answer may serve the other, however alike they are."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from steward.kit.text import detect_locale, numbers

# Words with a figure, a sign or an inner capital in them, words in capitals, and what stands in quotation marks.
_IDENTIFIER: Final = re.compile(
    r"[\w.+-]+@[\w.-]+"
    r"|[a-z][a-z0-9+.-]*://[!-~]+"
    r"|(?<![\w])(?=[\w./#-]*\d)(?=[\w./#-]*[A-Za-z_])[\w./#-]+"
    r"|\b[A-Z][A-Z0-9_-]+\b"
    r"|\b[A-Za-z]+[a-z][A-Z]\w*\b"
    r"|\b\w+(?:[-_/.]\w+)+\b",
    re.ASCII,
)
_QUOTED: Final = re.compile(r"[\"“「『《']([^\"”」』》']{1,100})[\"”」』》']")
_NAME: Final = re.compile(r"(?<![.!?。！？:：\n])(?<=[a-z,;'’)\]] )[A-Z][a-z]+")
"""A word with a capital inside of a sentence: a name."""
_NEGATION: Final = re.compile(
    r"\b(?:no|not|never|none|nothing|nobody|nowhere|neither|nor|cannot|without|except|unless|hardly|ain['’]?t"
    r"|(?:is|do|does|did|ca|wo|would|should|could|are|was|were|has|have)n['’]?t|can['’]t)\b",
    re.ASCII,
)
_CHINESE_NEGATION: Final = re.compile(r"[不没沒無无非未别別勿莫否甭]")
_OPPOSITE: Final = re.compile(
    r"\b(?:before|after|(?:en|dis)abled?|(?:de)?activate|on|off|in|out|up|down|open|close|start|stop|add|remove"
    r"|increase|decrease|more|less|higher|lower|min|max|minimum|maximum|first|last|buy|sell|import|export|upload"
    r"|download|(?:un)?install|(?:un)?lock|join|leave|accept|reject|allow|deny|incoming|outgoing|old|new|left|right"
    r"|daily|weekly|monthly|yearly|annual|minutes?|hours?|days?|weeks?|months?|years?)\b",
    re.ASCII,
)
_CHINESE_OPPOSITE: Final = re.compile(
    r"[前后後上下开開关關进進出入增减減多少高低大小买買卖賣收付新旧舊左右年月周週日天时時]|最[大小高低早晚]"
)


class Signature(msgspec.Struct, frozen=True):
    """Everything of a question that makes it another question when it differs."""

    locale: str
    numbers: frozenset[str]
    identifiers: tuple[str, ...]
    negations: int
    opposites: tuple[str, ...]


def signature_of(text: str) -> Signature:
    """The signature of a question; two questions may share an answer only if theirs are equal.

    It errs to the safe side: a difference that does not matter costs a cache hit, a missed one a wrong answer.
    """
    folded = text.lower()
    return Signature(
        locale=detect_locale(text) or "",
        numbers=frozenset(numbers(folded)),
        identifiers=_sorted(
            [
                *(found.lower() for found in _IDENTIFIER.findall(text)),
                *(found.strip().lower() for found in _QUOTED.findall(text)),
                *(found.lower() for found in _NAME.findall(text)),
            ]
        ),
        negations=len(_NEGATION.findall(folded)) + len(_CHINESE_NEGATION.findall(text)),
        opposites=_sorted([*_OPPOSITE.findall(folded), *_CHINESE_OPPOSITE.findall(text)]),
    )


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    """With their number: 2 and 2 is not 2."""
    return tuple(sorted(Counter(found).elements()))
