"""Numbers in a text, in figures and in English and Chinese words, all as figures."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

_NUMBER: Final = re.compile(r"\d+(?:[.,:/-]\d+)*")
_GROUPED: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
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


def numbers(text: str) -> set[str]:
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
