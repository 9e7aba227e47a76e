"""How common a term is in the language, whatever a small collection of texts says of it."""

from functools import lru_cache
from typing import Final

from steward.kit.text import segmentation

_ENGLISH: Final = """
get got go gone come came take took make made want need like know see look find found tri use give gave keep let say
said tell ask way thing someth anyth noth everyth somebodi anybodi nobodi nobod someon anyon one two three day now today
still just also onli even ever never alway again back out up down off over more most much mani anoth same differ new old
good bad right wrong long short far here when where which who whom whose how what why while befor after sinc until
through between possibl abl happen becom seem mean show turn put sure ok yes no not cannot cant dont doesnt didnt isnt
wont im ive id ill question wonder wish hope think believ feel person peopl first last next own each everi both all few
less least too enough quit realli actual current without within whether instead els though although howev therefor
sometim anyway mayb quick easi best better
"""
_COMMON: Final = frozenset(_ENGLISH.split())
_MOST: Final = -6.0
_LEAST: Final = -10.5
"""Logarithms of the probability of a Chinese word from which on it is as common, and up to which it is as rare, as can
be."""


@lru_cache(maxsize=8192)
def commonness(term: str) -> float:
    """Of a term as `terms` makes it: 1 for words that stand in every text, 0 for rare and for unknown ones."""
    if term.isascii():
        return 1.0 if term in _COMMON else 0.0
    logarithm = segmentation.log_probability(term)
    if logarithm is None:
        return 0.0
    return min(1.0, max(0.0, (logarithm - _LEAST) / (_MOST - _LEAST)))
