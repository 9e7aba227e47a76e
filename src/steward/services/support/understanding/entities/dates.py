"""Dates, told as ISO 8601 from the day on which the message was written; what could be either lies in the past."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from steward.services.support.api import EntityType
from steward.services.support.understanding.entities.amounts import numeral
from steward.services.support.understanding.entities.spans import Span, Spans

_DAYS: Final[Mapping[str, int]] = {
    word: days
    for days, words in (
        (-3, "大前天"),
        (-2, "the day before yesterday|day before yesterday|前天"),
        (-1, "yesterday|昨天|昨日"),
        (0, "today|tonight|今天|今日"),
        (1, "tomorrow|明天|明日"),
        (2, "后天|後天"),
    )
    for word in words.split("|")
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZH_WEEKDAYS: Final = "一二三四五六日天"
_UNITS: Final[Mapping[str, int]] = {
    "day": 1,
    "week": 7,
    "天": 1,
    "日": 1,
    "周": 7,
    "週": 7,
    "星期": 7,
    "礼拜": 7,
    "禮拜": 7,
}
_COUNTS: Final[Mapping[str, int]] = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
}
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY: Final = (
    r"(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_WORDS: Final = re.compile(
    r"\b(?:the )?day before yesterday\b|\b(?:today|tonight|yesterday|tomorrow)\b"
    r"|大前天|前天|昨[天日]|今[天日]|明[天日]|[后後]天",
    re.IGNORECASE,
)
_YEAR_FIRST: Final = re.compile(r"(?<!\d)(20\d\d)\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)\s?[日号號]?")
_MONTH_DAY_ZH: Final = re.compile(r"(?<!\d)(\d{1,2})\s?月\s?(\d{1,2})\s?[日号號]?(?!\d)")
_MONTH_DAY: Final = re.compile(rf"\b{_MONTH}\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (20\d\d))?\b", re.IGNORECASE)
_DAY_MONTH: Final = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b\.?(?: (20\d\d)\b)?", re.IGNORECASE)
_SLASHED: Final = re.compile(r"(?<![\d/.$-])(\d{1,2})/(\d{1,2})(?:/(20\d\d))?(?![\d/])")
_LAST_DAY: Final = re.compile(rf"\b(last|this|next|on|since) {_WEEKDAY}\b", re.IGNORECASE)
_ZH_DAY: Final = re.compile(rf"(上|这|這|本|下)?(?:个|個)?(?:周|週|星期|礼拜|禮拜)([{_ZH_WEEKDAYS}])")
_AGO: Final = re.compile(r"\b(\d{1,3}|a|an|one|two|three|four|five|six|seven|ten) (day|week)s? ago\b", re.IGNORECASE)
_ZH_AGO: Final = re.compile(
    r"(\d{1,3}|[一二两兩三四五六七八九十]{1,3})\s?(?:个|個)?(天|日|周|週|星期|礼拜|禮拜)(?:之)?前"
)
_MOST_AHEAD: Final = timedelta(days=7)


def dates(text: str, today: date) -> Spans:
    """The dates in a message that was written on this day."""
    for form, read in _FORMS:
        for match in form.finditer(text):
            found = read(match, today)
            if found is not None:
                yield Span(*match.span(), EntityType.DATE, found.isoformat())


def _word(match: re.Match[str], today: date) -> date | None:
    return _moved(today, _DAYS[match.group().lower()])


def _year_first(match: re.Match[str], _today: date) -> date | None:
    return _made(int(match.group(1)), int(match.group(2)), int(match.group(3)))


def _numbers(match: re.Match[str], today: date) -> date | None:
    return _recent(int(match.group(1)), int(match.group(2)), today)


def _named_first(match: re.Match[str], today: date) -> date | None:
    return _in_year(match.group(3), _month(match.group(1)), int(match.group(2)), today)


def _named_second(match: re.Match[str], today: date) -> date | None:
    return _in_year(match.group(3), _month(match.group(2)), int(match.group(1)), today)


def _slashed(match: re.Match[str], today: date) -> date | None:
    """Month and day, unless the first cannot be a month."""
    first, second = int(match.group(1)), int(match.group(2))
    month, day = (second, first) if first > len(_MONTHS) else (first, second)
    return _in_year(match.group(3), month, day, today)


def _weekday(match: re.Match[str], today: date) -> date | None:
    number = _WEEKDAYS.index(match.group(2)[:3].lower())
    if match.group(1).lower() == "next":
        return _moved(today, (number - today.weekday() - 1) % 7 + 1)
    back = (today.weekday() - number) % 7
    return _moved(today, -(back or (7 if match.group(1).lower() == "last" else 0)))


def _zh_weekday(match: re.Match[str], today: date) -> date | None:
    number = min(_ZH_WEEKDAYS.index(match.group(2)), 6)
    weeks = {"上": -7, "下": 7}.get(match.group(1) or "", 0)
    shift = number - today.weekday() + weeks
    if match.group(1) is None and shift > 0:
        shift -= 7
    return _moved(today, shift)


def _ago(match: re.Match[str], today: date) -> date | None:
    said = match.group(1).lower()
    return _moved(today, -(_COUNTS.get(said) or int(said)) * _UNITS[match.group(2).lower()])


def _zh_ago(match: re.Match[str], today: date) -> date | None:
    said = match.group(1)
    count = int(said) if said.isdecimal() else numeral(said)
    return _moved(today, -count * _UNITS[match.group(2)])


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _in_year(year: str | None, month: int, day: int, today: date) -> date | None:
    return _made(int(year), month, day) if year else _recent(month, day, today)


def _recent(month: int, day: int, today: date) -> date | None:
    """The one of this year, or if that is more than a week ahead the last year's."""
    for year in (today.year, today.year - 1):
        found = _made(year, month, day)
        if found is not None and found - today <= _MOST_AHEAD:
            return found
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moved(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return None


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...]] = (
    (_YEAR_FIRST, _year_first),
    (_WORDS, _word),
    (_MONTH_DAY_ZH, _numbers),
    (_MONTH_DAY, _named_first),
    (_DAY_MONTH, _named_second),
    (_AGO, _ago),
    (_ZH_AGO, _zh_ago),
    (_LAST_DAY, _weekday),
    (_ZH_DAY, _zh_weekday),
    (_SLASHED, _slashed),
)
