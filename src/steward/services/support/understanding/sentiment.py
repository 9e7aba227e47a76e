"""How a customer feels, by words of feeling with what denies or strengthens them."""

import re
from typing import Final

from steward.kit.text import fold
from steward.services.support.api import Sentiment
from steward.services.support.understanding.mood import (
    CHINESE,
    CHINESE_NEGATING,
    CHINESE_OTHER,
    CHINESE_STRONGER,
    ENGLISH,
    ENGLISH_NEGATING,
    ENGLISH_OTHER,
    ENGLISH_STRONGER,
)

_LONGEST: Final = 2000
"""Characters that are looked at: who is angry says so before."""
_WORDS: Final = re.compile(r"[a-z]+(?:['\u2019][a-z]+)?")
_CHINESE: Final = re.compile("|".join(sorted(map(re.escape, CHINESE), key=len, reverse=True)))
_OTHER: Final = re.compile(f"{ENGLISH_OTHER}|{CHINESE_OTHER}")
_DENIED: Final = re.compile(f"(?:{'|'.join(CHINESE_NEGATING)})(?:{'|'.join(CHINESE_STRONGER)})?$")
_STRONGER: Final = re.compile(f"(?:{'|'.join(CHINESE_STRONGER)})$")
_SHOUTED: Final = re.compile(r"\b[A-Z]{3,}\b(?:[^a-z]*\b[A-Z]{3,}\b)")
_PHRASES: Final = (
    (
        re.compile(
            r"\b(?:no|not any|never any|without) (?:problems?|issues?|complaints?)\b|\bnot bad\b|\bno worries\b"
        ),
        1.6,
    ),
    (re.compile(r"\b(?:thanks|thank you) for nothing\b"), -4.0),
    (
        re.compile(
            r"\b(?:would|i'd|i) like to\b|\bwould you like\b|\blooks? like\b|\blike (?:a|the|this|that) (?!lot)\b"
        ),
        -1.6,
    ),
    (
        re.compile(
            r"\bas well\b|\bthe best (?:way|time)\b|\bbest (?:way|regards)\b|\bgood (?:morning|evening|day|afternoon)\b"
        ),
        -1.6,
    ),
    (
        re.compile(
            r"\b(?:never (?:buy|order|shop)|last time i (?:buy|order|shop))\w*\b|\bhow dare\b|\bhad enough\b|"
            r"\brip-?off\b"
        ),
        -3.2,
    ),
    (re.compile(r"\b(?:still|again|yet|third time|for the \w+ time)\b.{0,40}[?!]{2,}"), -1.6),
    (re.compile("有什么(?:问题|麻烦)|没(?:有)?(?:什么)?问题|没(?:有)?关系"), 1.6),
    (re.compile("不好意思|麻烦(?:你|您|帮)|好不好|好用吗|喜欢可以"), 1.6),
)
_STRENGTH: Final = 1.6
_WORD_REACH: Final = 3
_BOUNDS: Final = (
    (-3.0, Sentiment.VERY_NEGATIVE),
    (-1.0, Sentiment.NEGATIVE),
    (1.0, Sentiment.NEUTRAL),
    (3.0, Sentiment.POSITIVE),
)


def sentiment_of(text: str) -> Sentiment:
    """One of five levels; a message without feeling is neutral, also where it tells of a fault."""
    shortened = text[:_LONGEST]
    plain = _OTHER.sub(" ", fold(shortened).replace("\u2019", "'"))
    score = _english(plain) + (0 if plain.isascii() else _chinese(plain)) + _phrases(plain)
    if score < 0:
        loud = "!!" in plain.replace(" ", "") or _SHOUTED.search(shortened) is not None
        score *= 1.3 if loud else 1
    for bound, level in _BOUNDS:
        if score <= bound if bound < 0 else score < bound:
            return level
    return Sentiment.VERY_POSITIVE


def _english(plain: str) -> float:
    words = _WORDS.findall(plain)
    score = 0.0
    for place, word in enumerate(words):
        weight = ENGLISH.get(word)
        if weight is None:
            continue
        before = words[max(place - _WORD_REACH, 0) : place]
        strong = _STRENGTH if any(each in ENGLISH_STRONGER for each in before[-2:]) else 1
        denied = any(each in ENGLISH_NEGATING or each.endswith("n't") for each in before)
        # What is not great is bad, but what is not terrible is hardly good.
        score += (-0.8 if weight > 0 else -0.4) * weight if denied else weight * strong
    return score


def _chinese(plain: str) -> float:
    score = 0.0
    for match in _CHINESE.finditer(plain):
        weight = CHINESE[match.group()]
        before = plain[max(match.start() - 5, 0) : match.start()]
        if _DENIED.search(before):
            score += (-1.2 if weight > 0 else -0.4) * weight
        else:
            score += weight * (_STRENGTH if _STRONGER.search(before) else 1)
    return score


def _phrases(plain: str) -> float:
    return sum(weight for form, weight in _PHRASES if form.search(plain))
