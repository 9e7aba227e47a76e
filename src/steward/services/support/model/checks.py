"""Whether what a model says may be told a customer: in the right language, and nothing in it that was not given."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from steward.kit.text import detect_locale, is_chinese
from steward.services.support.api import Citation
from steward.services.support.ports import Language, ModelFailed

_MAX_CHARS: Final = 1500
_NUMBER: Final = re.compile(r"\d+(?:[.,:/-]\d+)*")
_GROUPED: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# ASCII: letters of an address end where Chinese begins, with or without a space.
_EMAIL: Final = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)
_HOST: Final = re.compile(r"(?<![@\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![a-z])(?:/[!-~]*)?", re.ASCII)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[!-~]+", re.ASCII)
_CLOSING: Final = ".,;:!?)]}'\"/"
_ENGLISH: Final[Mapping[str, int]] = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_ENGLISH_NUMBER: Final = re.compile(rf"\b({'|'.join(_ENGLISH)})(?:[- ]({'|'.join(list(_ENGLISH)[:8])}))?\b", re.ASCII)
_DIGITS: Final[Mapping[str, int]] = {
    "两": 2,
    "兩": 2,
    **{digit: value for value, digit in enumerate("〇一二三四五六七八九")},
}
_POWERS: Final[Mapping[str, int]] = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000}
# Counted things only: by themselves these characters are part of many words.
_CHINESE_NUMBER: Final = re.compile(
    r"(?<!第)([〇一二两兩三四五六七八九十百千万萬]+)[个個]?(?:工作)?"
    r"(?=[天日周週月年元块塊折倍岁歲]|小时|小時|分钟|分鐘|星期|季度|公斤|美元|台币|台幣)"
)
_ONE: Final = "1"
_ONE_IN_WORDS: Final = re.compile(r"\b(?:one|an?)\b|一", re.ASCII)


def checked(answer: str, question: str, citations: Sequence[Citation], language: Language) -> str:
    """The answer, fit to be told. Raises `ModelFailed` with what is wrong, never with the text itself."""
    text = answer.strip()
    if not text:
        raise ModelFailed("the model said nothing")
    if len(text) > _MAX_CHARS:
        raise ModelFailed(f"the model said more than {_MAX_CHARS} characters")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} for character in text if character != "\n"):
        raise ModelFailed("the model said something with control characters in it")
    if not _is_in(text, language):
        raise ModelFailed(f"the model did not answer in {language}")
    given = [_plain(question), *(_plain(f"{citation.title}\n{citation.text}") for citation in citations)]
    _check_given(_plain(text), given)
    return text


def _is_in(text: str, language: Language) -> bool:
    if language is not Language.EN and not is_chinese(text):
        return False
    return detect_locale(text, previous=language) == language


def _check_given(said: str, given: Sequence[str]) -> None:
    for kind, find in (("number", _numbers), ("e-mail address", _emails), ("link", _links)):
        known = {each for text in given for each in find(text)}
        if kind == "number" and any(_ONE_IN_WORDS.search(text) for text in given):
            known.add(_ONE)
        if not known.issuperset(find(said)):
            raise ModelFailed(f"the model named a {kind} that is in no citation")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _numbers(text: str) -> set[str]:
    """Numbers in figures and in words, all as figures, a range or a date by its parts; "one" is rather an article."""
    found = {part for whole in _NUMBER.findall(_GROUPED.sub("", text)) for part in re.split(r"[,:/-]", whole)}
    found.update(_english_numbers(text))
    found.update({str(_chinese_value(digits)) for digits in _CHINESE_NUMBER.findall(text)} - {_ONE})
    return {each.rstrip("0").rstrip(".") if "." in each else each.lstrip("0") or "0" for each in found}


def _english_numbers(text: str) -> Iterable[str]:
    for first, second in _ENGLISH_NUMBER.findall(text):
        yield str(_ENGLISH[first] + _ENGLISH.get(second, 0))


def _chinese_value(digits: str) -> int:
    total = section = digit = 0
    for each in digits:
        if each in _DIGITS:
            digit = _DIGITS[each]
        elif (power := _POWERS[each]) == _POWERS["万"]:
            total, section, digit = total + (section + digit or 1) * power, 0, 0
        else:
            section, digit = section + (digit or 1) * power, 0
    return total + section + digit


def _emails(text: str) -> set[str]:
    return {found.rstrip(_CLOSING) for found in _EMAIL.findall(text)}


def _links(text: str) -> set[str]:
    urls = {found.rstrip(_CLOSING) for found in _URL.findall(text)}
    bare = {found.rstrip(_CLOSING) for found in _HOST.findall(_EMAIL.sub(" ", text))}
    return urls | bare
