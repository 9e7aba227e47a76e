"""Whether what a model says may be told a customer: in the right language, and nothing in it that was not given."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from steward.kit.text import detect_locale, is_chinese, numbers
from steward.services.support.api import Citation
from steward.services.support.ports import Language, ModelFailed

_MAX_CHARS: Final = 1500
# ASCII: letters of an address end where Chinese begins, with or without a space.
_EMAIL: Final = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)
_HOST: Final = re.compile(r"(?<![@\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![a-z])(?:/[!-~]*)?", re.ASCII)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[!-~]+", re.ASCII)
_CLOSING: Final = ".,;:!?)]}'\"/"
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
    for kind, find in (("number", numbers), ("e-mail address", _emails), ("link", _links)):
        known = {each for text in given for each in find(text)}
        if kind == "number" and any(_ONE_IN_WORDS.search(text) for text in given):
            known.add(_ONE)
        if not known.issuperset(find(said)):
            raise ModelFailed(f"the model named a {kind} that is in no citation")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _emails(text: str) -> set[str]:
    return {found.rstrip(_CLOSING) for found in _EMAIL.findall(text)}


def _links(text: str) -> set[str]:
    urls = {found.rstrip(_CLOSING) for found in _URL.findall(text)}
    bare = {found.rstrip(_CLOSING) for found in _HOST.findall(_EMAIL.sub(" ", text))}
    return urls | bare
