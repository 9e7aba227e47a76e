"""Text in the three scripts that customers write: folding, segmentation, stems, language."""

from steward.kit.text.commonness import commonness
from steward.kit.text.folding import fold, to_script
from steward.kit.text.language import detect_locale, is_chinese
from steward.kit.text.numbers import numbers
from steward.kit.text.stemming import stem
from steward.kit.text.terms import load, terms, terms_of_folded

__all__ = [
    "commonness",
    "detect_locale",
    "fold",
    "is_chinese",
    "load",
    "numbers",
    "stem",
    "terms",
    "terms_of_folded",
    "to_script",
]
