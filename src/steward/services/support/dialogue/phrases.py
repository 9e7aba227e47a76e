"""The names of what the desk itself says, between and around playbooks."""

from collections.abc import Mapping
from enum import StrEnum


class PhraseKey(StrEnum):
    UNCLEAR = "unclear"
    """Before a question that is put again."""
    DID_THAT_HELP = "did_that_help"
    GLAD = "glad"
    NOTHING_CHANGED = "nothing_changed"
    """After a no to a confirmation."""
    LEFT = "left"
    """After “never mind”."""
    ALL_RIGHT = "all_right"
    """After a no to an offer."""
    COME_BACK = "come_back"
    """Offers an interrupted playbook: `{title}`."""
    NEXT = "next"
    """Begins a playbook that had to wait: `{title}`."""
    UNAVAILABLE = "unavailable"
    """The shop does not answer: `{title}`."""
    CANNOT_GET_ON = "cannot_get_on"
    """A playbook came to no good end; offers a person."""
    OFFER_PERSON = "offer_person"
    NOT_SURE = "not_sure"
    """Not understood; asks for other words and offers a person."""
    HANDED_OFF = "handed_off"
    """`{number}` of the ticket."""
    HANDED_OFF_SORRY = "handed_off_sorry"
    """The same, to a customer who complains or is angry."""
    HANDED_OFF_MISS = "handed_off_miss"
    """The same, where the desk could not help."""
    HANDED_OFF_ALREADY = "handed_off_already"
    """The same, for a session that has its ticket."""
    OTHER_LANGUAGE = "other_language"
    """Before knowledge that there is in another language only."""
    WANTED = "wanted"
    """In a summary: what the customer wrote, `{text}`."""
    TRIED = "tried"
    """In a summary: what was tried, `{text}`."""
    SEEN = "seen"
    """In a summary: what the shop said, `{text}`."""


PHRASE_VALUES: Mapping[PhraseKey, frozenset[str]] = {
    PhraseKey.COME_BACK: frozenset(("title",)),
    PhraseKey.NEXT: frozenset(("title",)),
    PhraseKey.UNAVAILABLE: frozenset(("title",)),
    PhraseKey.HANDED_OFF: frozenset(("number",)),
    PhraseKey.HANDED_OFF_SORRY: frozenset(("number",)),
    PhraseKey.HANDED_OFF_MISS: frozenset(("number",)),
    PhraseKey.HANDED_OFF_ALREADY: frozenset(("number",)),
    PhraseKey.WANTED: frozenset(("text",)),
    PhraseKey.TRIED: frozenset(("text",)),
    PhraseKey.SEEN: frozenset(("text",)),
}
"""The values that a phrase may use; the others none."""
