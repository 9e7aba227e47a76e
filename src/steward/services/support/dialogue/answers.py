"""What a customer's answer to a question says: yes or no, a number, one of a list, an address."""

import re
from collections.abc import Sequence
from typing import Final

from steward.services.support.dialogue import lexicon
from steward.services.support.dialogue.matching import longest, plain, says_only, span, without_fillers

_SHORT: Final = 60
_NO_ADDRESS: Final = ("address", "order", "ord*", "地址", "订单")
"""Words of a wish that no postal address has."""
_LONG_ADDRESS: Final = 8
_ADDRESS_WORDS: Final = 3
_SEPARATORS: Final = " ,，。.;；!！、~"
_NUMBER: Final = re.compile(r"-?\d{1,12}(?:,\d{3})*(?:\.\d{1,6})?")
_BARE_NUMBER: Final = re.compile(r"[^\w]*(?:no\.?|number|#|第)?\s*(\d{1,2})\s*(?:个|号|项|笔|单|份)?[^\w]*")
_LEAD: Final = re.compile(lexicon.LEADS_TO_ADDRESS, re.IGNORECASE | re.DOTALL)
_OPENING: Final = re.compile(
    r"^\s*(?:(?:ok|okay|yes|sure|so|well|好的?|嗯|是)[,，.。!！\s]+)?(?:please\s+)?"
    r"(?:it'?s\s+|it is\s+|my (?:new )?address is\s*:?\s*|(?:the )?new address(?: is)?\s*:?\s*|"
    r"(?:請|请)?(?:我的)?(?:新的?)?(?:收貨|收货|收件)?地址(?:是|為|为|：|:)\s*|"
    r"(?:請|请)?(?:改成|改為|改为|改到|換成|换成|寄到|送到)\s*)?",
    re.IGNORECASE,
)
_ENDING: Final = re.compile(
    r"[\s,，.。!！;；]*(?:(?:please|thanks|thank you|謝謝|谢谢)[\s,，.。!！;；]*)*$", re.IGNORECASE
)
_QUESTION: Final = re.compile(r"[?？]")


def yes_or_no(message: str) -> bool | None:
    """What a plain message says to a yes-or-no question; None where it does not clearly say either."""
    text = message.strip(" .,!?;:~。，！？、；：…\uff5e")
    if not text or _head(text, lexicon.UNDECIDED):
        return None
    no, yes = _head(text, lexicon.NO), _head(text, lexicon.YES)
    if no > yes:
        return None if text[:no] in ("no", "not") and _goes_on(text[no:]) else False
    return _is_yes(text[yes:]) if yes else None


def _goes_on(rest: str) -> bool:
    """Whether a no is but the beginning of a thing, as in `no sound`."""
    return rest.startswith(" ") and rest.split(maxsplit=1)[0].strip(_SEPARATORS) not in lexicon.AFTER_NO


def _head(text: str, entries: Sequence[str]) -> int:
    """The length of the longest entry that a text begins with."""
    for entry in entries:
        if text.startswith(entry):
            after = text[len(entry) : len(entry) + 1]
            if not (entry[-1].isascii() and after.isascii() and (after.isalnum() or after == "'")):
                return len(entry)
    return 0


def _is_yes(rest: str) -> bool | None:
    """Whether a yes is still one with what comes behind it: what holds back or asks makes it unclear."""
    separated = False
    while True:
        bare = rest.lstrip(_SEPARATORS)
        separated = separated or (bare != rest and rest.lstrip(" ") != bare)
        more = _head(bare, lexicon.YES)
        if more == 0:
            break
        rest = bare[more:]
    if not without_fillers(bare):
        return True
    if longest(lexicon.HOLDS_BACK, bare):
        return None
    if separated or (bare != rest and not longest(lexicon.ASKS, bare)):
        return True
    return None


def never_mind(message: str) -> bool:
    """Whether a plain message says that the customer does not want to go on."""
    return len(message) <= _SHORT and says_only(lexicon.NEVER_MIND, message)


def begins_never_mind(message: str) -> bool:
    """Whether a plain message first lets go of what was talked of, and then says something else."""
    length = _head(message, lexicon.NEVER_MIND)
    return length > 0 and message[length : length + 1] in tuple(",，。.;；!！、")


def again(message: str) -> bool:
    """Whether a plain message asks to try once more, or to go on."""
    return len(message) <= _SHORT and longest(lexicon.AGAIN, message) > 0


def helped(message: str) -> bool | None:
    """What a plain message says to “did that help”."""
    if longest(lexicon.DID_NOT_HELP, message):
        return False
    verdict = yes_or_no(message)
    if verdict is None and longest(lexicon.HELPED, message):
        return True
    return verdict


def is_question(message: str) -> bool:
    """Whether a plain message asks something."""
    return _QUESTION.search(message) is not None or longest(lexicon.ASKS, message) > 0


def does_not_know(message: str) -> bool:
    return longest(lexicon.DOES_NOT_KNOW, message) > 0


def means_another(message: str) -> bool:
    """Whether a plain message speaks of another thing than the one talked of."""
    return longest(lexicon.ANOTHER, message) > 0


def number(message: str) -> float | None:
    """The only number in a plain message."""
    found = _NUMBER.findall(message)
    return float(found[0].replace(",", "")) if len(found) == 1 else None


def place_in_list(message: str, count: int) -> int | None:
    """Which entry of a list a plain message names by its place, from 0; None where it names none, or two."""
    bare = _BARE_NUMBER.fullmatch(message)
    if bare:
        at = int(bare[1]) - 1
        return at if 0 <= at < count else None
    if len(message) > _SHORT:
        return None
    named = {at for at, names in enumerate(lexicon.ORDINALS) if any(_names(name, message) for name in names)}
    if len(named) > 1:
        named.discard(0)  # “the second one” also says “one”
    if any(_names(name, message) for name in lexicon.LAST):
        named = {count - 1}
    return next(iter(named)) if len(named) == 1 and next(iter(named)) < count else None


def _names(name: str, message: str) -> bool:
    if len(name) == 1 and not name.isascii():
        return without_fillers(message).rstrip("个号项笔单份") == name
    return span(name, message) is not None and (not name.isdigit() or len(message) <= len(name) + 6)


def chosen_label(message: str, labels: Sequence[str]) -> int | None:
    """Which label a plain message says a part of, from 0; None where none or several fit."""
    said = without_fillers(message)
    if len(said) < 2:  # noqa: PLR2004 one letter is part of too much
        return None
    found = [at for at, label in enumerate(labels) if said in without_fillers(plain(label))]
    return found[0] if len(found) == 1 else None


def address(text: str, shortest: int, longest_taken: int) -> str | None:
    """The postal address that an answer is, without what leads to it; None where it does not look like one."""
    stripped = _ENDING.sub("", _OPENING.sub("", text.strip(), count=1)).strip()
    if not shortest <= len(stripped) <= longest_taken or _QUESTION.search(stripped):
        return None
    return stripped if _looks_like_address(stripped) else None


def address_within(text: str, shortest: int, longest_taken: int) -> str | None:
    """The address that a wish names: `… change the address to <address>`."""
    found = _LEAD.search(text)
    while found is not None:
        rest = found["address"]
        inner = _LEAD.search(rest)
        if inner is None:
            # `to change the address of order 12345` says where nothing goes.
            return None if longest(_NO_ADDRESS, plain(rest)) else address(rest, shortest, longest_taken)
        found = inner
    return None


def _looks_like_address(text: str) -> bool:
    message = plain(text)
    has_digit = any(each.isdigit() for each in message)
    has_place = longest(lexicon.PLACES, message) > 0
    words = message.split()
    return (has_place and (has_digit or len(message) >= _LONG_ADDRESS)) or (has_digit and len(words) >= _ADDRESS_WORDS)
